"""The proxy subresource through the whole API server, with pods and a kubelet on real sockets."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import orjson
import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.errors import Forbidden
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.admission.chain import AdmissionChain
from pilothouse.apiserver.authentication.in_process import InProcessAuthenticator
from pilothouse.apiserver.authorization.framework import Attributes, Chain, Decision, Masters, Verdict
from pilothouse.apiserver.handlers.authenticate import authenticate
from pilothouse.apiserver.handlers.authorize import authorize
from pilothouse.apiserver.pipeline.write import Operation, Write
from pilothouse.apiserver.server import ApiServer
from pilothouse.apiserver.streaming.reverse_proxy import ReverseProxy
from pilothouse.apiserver.subresources.proxy import Proxying
from pilothouse.apiserver.user import MASTERS_GROUP, User
from pilothouse.client.transport import Answer, HandlerTransport
from pilothouse.net.http import Request, Response
from pilothouse.net.server import serve
from pilothouse.net.tls import client_context
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import SystemClock
from pilothouse.store.memory import MemoryStore

CORE = "/api/v1/namespaces/shop"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices"
Ask = Callable[..., Awaitable[Answer]]


@cache
def schemas() -> Schemas:
    return Schemas()


async def application(request: Request) -> Response:
    body = await request.read(1000)
    return Response(200, f"app: {request.method} {request.target} {body.decode()}".encode(), content_type="text/plain")


async def kubelet(request: Request) -> Response:
    return Response(200, f"kubelet: {request.target}".encode(), content_type="text/plain")


class Recorder:
    """Who asked for what, and a will of its own."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.writes: list[Write] = []
        self.forbidden = ""

    def authorize(self, attributes: Attributes) -> Decision:
        self.asked.append((attributes.verb, f"{attributes.resource}/{attributes.subresource}", attributes.name))
        return Decision(Verdict.ALLOW)

    async def mutate(self, write: Write) -> None:
        if write.operation is Operation.CONNECT:
            self.writes.append(write)

    async def validate(self, write: Write) -> None:
        if self.forbidden and write.operation is Operation.CONNECT:
            raise Forbidden(self.forbidden)


def run(story: Callable[[Ask, Recorder], Awaitable[None]], *, plugins: bool = False) -> None:
    """A cluster of a pod `web`, a service `web` in front of it, and a node `n`."""

    async def scenario() -> None:
        clock = SystemClock()
        recorder = Recorder()
        async with (
            serve(application, "127.0.0.1", 0, None, clock, grace=0.1) as app,
            serve(kubelet, "127.0.0.1", 0, None, clock, grace=0.1) as node,
            MemoryStore(clock) as store,
            ApiServer(store, builtin(), schemas(), clock, Chance(1)) as server,
        ):
            admission = AdmissionChain.of(server.served, Chain([Masters()]), clock, Chance(1)) if plugins else recorder
            proxy = ReverseProxy(None, client_context(b"", verify=False), clock, allowed=lambda _: True)
            proxying = Proxying(server.served, proxy, admission, Chance(1))
            steps = (authenticate(InProcessAuthenticator(), anonymous=False), authorize(recorder))
            server.assemble(steps=steps, parts=proxying.parts())
            transport = HandlerTransport(server.handle, User("admin", (MASTERS_GROUP,)))

            async def ask(method: str, target: str, body: Any = None, kind: str = "json") -> Answer:
                sent = {"content-type": f"application/{kind}", "host": "front"}
                return await transport.send(method, target, sent, orjson.dumps(body) if body is not None else b"")

            await _furnish(ask, app.port, node.port)
            recorder.asked.clear()
            await story(ask, recorder)

    asyncio.run(scenario())


async def _furnish(ask: Ask, app: int, node: int) -> None:
    status = {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": node}},
    }
    spec = {"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": app, "name": "http"}]}]}
    endpoint = {"addresses": ["10.0.0.1"], "targetRef": {"kind": "Pod", "namespace": "shop", "name": "web"}}
    merge = "merge-patch+json"
    for method, target, body, kind in (
        ("POST", "/api/v1/namespaces", {"metadata": {"name": "shop"}}, "json"),
        ("POST", "/api/v1/nodes", {"metadata": {"name": "n"}}, "json"),
        ("PATCH", "/api/v1/nodes/n/status", {"status": status}, merge),
        ("POST", f"{CORE}/pods", {"metadata": {"name": "web"}, "spec": spec}, "json"),
        ("PATCH", f"{CORE}/pods/web/status", {"status": {"podIPs": [{"ip": "127.0.0.1"}]}}, merge),
        ("POST", f"{CORE}/services", {"metadata": {"name": "web"}, "spec": {"clusterIP": "None", "ports": [
            {"name": "http", "port": 80}, {"name": "other", "port": 81}]}}, "json"),
        ("POST", f"{CORE}/services", {"metadata": {"name": "empty"}, "spec": {"clusterIP": "None", "ports": [
            {"port": 80}]}}, "json"),
    ):  # fmt: skip
        made = await ask(method, target, body, kind)
        assert made.status in (200, 201), made.body
    made = await ask("POST", SLICES, {
        "metadata": {"name": "web-1", "labels": {"kubernetes.io/service-name": "web"}},
        "addressType": "IPv4", "ports": [{"name": "http", "port": app}], "endpoints": [endpoint],
    })  # fmt: skip
    assert made.status == 201, made.body


def test_pods_services_and_nodes_answer_by_the_api_server() -> None:
    async def story(ask: Ask, recorder: Recorder) -> None:
        for target, expected in (
            (f"{CORE}/pods/web/proxy/a?b=c", b"app: GET /a?b=c "),
            (f"{CORE}/pods/http:web:/proxy/a", b"app: GET /a "),
            ("/api/v1/nodes/n/proxy/healthz", b"kubelet: /healthz"),
        ):
            answer = await ask("GET", target)
            assert (answer.status, answer.body) == (200, expected)
            assert answer.headers["content-type"] == "text/plain"

    run(story)


@pytest.mark.parametrize(
    ("method", "verb"),
    [("GET", "get"), ("HEAD", "get"), ("POST", "create"), ("PUT", "update"), ("PATCH", "patch"), ("DELETE", "delete"),
     ("OPTIONS", "")],
)  # fmt: skip
def test_every_method_is_passed_on_and_is_a_verb_to_authorization(method: str, verb: str) -> None:
    async def story(ask: Ask, recorder: Recorder) -> None:
        recorder.asked.clear()
        body = {"a": 1} if method in ("POST", "PUT", "PATCH") else None
        answer = await ask(method, f"{CORE}/pods/http:web:/proxy/x", body)
        assert answer.status == 200
        if method != "HEAD":
            assert answer.body == f'app: {method} /x {"" if body is None else """{"a":1}"""}'.encode()
        assert recorder.asked == [(verb, "pods/proxy", "http:web:")]

    run(story)


def test_admission_hears_of_the_connection_and_may_forbid_it() -> None:
    async def story(ask: Ask, recorder: Recorder) -> None:
        assert (await ask("GET", f"{CORE}/pods/web/proxy/a/b")).status == 200
        (write,) = recorder.writes
        assert (write.operation, write.part, write.name) == ("CONNECT", "proxy", "web")
        recorder.forbidden = "not today"
        answer = await ask("GET", "/api/v1/nodes/n/proxy/")
        assert (answer.status, orjson.loads(answer.body)["message"]) == (403, "not today")

    run(story)


def test_the_plugins_that_are_on_by_default_let_connections_pass() -> None:
    async def story(ask: Ask, recorder: Recorder) -> None:
        for target in (f"{CORE}/pods/web/proxy/", "/api/v1/nodes/n/proxy/"):
            assert (await ask("POST", target)).status == 200

    run(story, plugins=True)


def test_what_cannot_be_reached_is_said() -> None:
    async def story(ask: Ask, recorder: Recorder) -> None:
        for target, status, reason, message in (
            (f"{CORE}/pods/none/proxy/", 404, "NotFound", 'pods "none" not found'),
            (f"{CORE}/services/none:80/proxy/", 404, "NotFound", 'services "none" not found'),
            ("/api/v1/nodes/none/proxy/", 404, "NotFound", 'nodes "none" not found'),
            (f"{CORE}/pods/a:b:c/proxy/", 400, "BadRequest", 'invalid pod request "a:b:c"'),
            (f"{CORE}/services/a:b:c/proxy/", 400, "BadRequest", 'invalid service request "a:b:c"'),
            ("/api/v1/nodes/a:b:c/proxy/", 400, "BadRequest", 'invalid node request "a:b:c"'),
            (f"{CORE}/services/empty:80/proxy/", 503, "ServiceUnavailable",
             'no endpoints available for service "empty"'),
            (f"{CORE}/services/web:82/proxy/", 503, "ServiceUnavailable", 'no service port 82 found for service "web"'),
            (f"{CORE}/services/web:81/proxy/", 503, "ServiceUnavailable",
             'no endpoints available for service "web:81"'),
            (f"{CORE}/pods/web:1/proxy/", 503, "ServiceUnavailable",
             "error trying to reach service: dial tcp 127.0.0.1:1: connect: connection refused"),
        ):  # fmt: skip
            answer = await ask("GET", target)
            found = orjson.loads(answer.body)
            assert (answer.status, found["reason"], found["message"]) == (status, reason, message)

    run(story)


def test_other_methods_are_not_passed_on() -> None:
    async def story(ask: Ask, recorder: Recorder) -> None:
        assert (await ask("TRACE", f"{CORE}/pods/web/proxy/")).status == 405

    run(story)
