"""The streaming subresources through the whole API server, with a kubelet on a real socket."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import orjson
import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.errors import Forbidden
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.admission.chain import AdmissionChain
from pilothouse.apiserver.authorization.framework import Attributes, Chain, Decision, Masters, Verdict
from pilothouse.apiserver.handlers.authorize import authorize
from pilothouse.apiserver.handlers.framework import Step
from pilothouse.apiserver.pipeline.pipeline import Admission
from pilothouse.apiserver.pipeline.write import Operation, Write
from pilothouse.apiserver.server import ApiServer
from pilothouse.apiserver.streaming.proxy import KubeletProxy
from pilothouse.apiserver.subresources.streaming import Streaming
from pilothouse.client.transport import Answer, HandlerTransport
from pilothouse.net.http import Request, Response
from pilothouse.net.server import serve
from pilothouse.net.websocket import request_headers
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import SystemClock
from pilothouse.store.memory import MemoryStore

PODS = "/api/v1/namespaces/default/pods"
NODES = "/api/v1/nodes"

Ask = Callable[..., Awaitable[Answer]]


@cache
def schemas() -> Schemas:
    return Schemas()


async def kubelet(request: Request) -> Response:
    return Response(200, f"log of {request.target}".encode(), content_type="text/plain")


class Wilful:
    """Admission with a will of its own."""

    def __init__(self) -> None:
        self.writes: list[Write] = []
        self.change: JsonObject = {}
        self.forbidden = ""

    async def mutate(self, write: Write) -> None:
        if write.operation is Operation.CONNECT and write.new is not None:
            self.writes.append(write)
            write.new.update(self.change)

    async def validate(self, write: Write) -> None:
        if self.forbidden and write.operation is Operation.CONNECT:
            raise Forbidden(self.forbidden)


def run(
    story: Callable[[Ask], Awaitable[None]], *steps: Step, admission: Wilful | None = None, plugins: bool = False
) -> None:
    """A cluster of a pod `web` on node `n`, a pod `lost` on a node that is gone, and a pod `new` on none."""

    async def scenario() -> None:
        clock = SystemClock()
        async with (
            serve(kubelet, "127.0.0.1", 0, None, clock, grace=0.1) as node,
            MemoryStore(clock) as store,
            ApiServer(store, builtin(), schemas(), clock, Chance(1)) as server,
        ):
            chosen: Admission = admission or Wilful()
            if plugins:
                chosen = AdmissionChain.of(server.served, Chain([Masters()]), clock, Chance(1))
            streaming = Streaming(server.served, KubeletProxy(None, clock), chosen)
            server.assemble(steps=steps, parts=streaming.parts())
            transport = HandlerTransport(server.handle, None)

            async def ask(method: str, target: str, body: Any = None, kind: str = "json", **headers: str) -> Answer:
                sent = {"content-type": f"application/{kind}", **headers}
                return await transport.send(method, target, sent, orjson.dumps(body) if body is not None else b"")

            status = {
                "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
                "daemonEndpoints": {"kubeletEndpoint": {"Port": node.port}},
            }
            made = await ask("POST", NODES, {"kind": "Node", "apiVersion": "v1", "metadata": {"name": "n"}})
            assert made.status == 201, made.body
            made = await ask("PATCH", f"{NODES}/n/status", {"status": status}, "merge-patch+json")
            assert made.status == 200, made.body
            for name, where in (("web", {"nodeName": "n"}), ("lost", {"nodeName": "gone"}), ("new", {})):
                spec = {"containers": [{"name": "c", "image": "example:1"}], **where}
                pod = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": name}, "spec": spec}
                made = await ask("POST", PODS, pod)
                assert made.status == 201, made.body
            await story(ask)

    asyncio.run(scenario())


def test_a_log_comes_from_the_pods_node() -> None:
    async def story(ask: Ask) -> None:
        answer = await ask("GET", f"{PODS}/web/log?tailLines=5")
        assert (answer.status, answer.headers["content-type"]) == (200, "text/plain")
        assert answer.body == b"log of /containerLogs/default/web/c?tailLines=5"

    run(story)


def test_a_log_comes_in_messages_where_a_websocket_is_asked_for() -> None:
    async def story(ask: Ask) -> None:
        opening = {name.lower(): value for name, value in request_headers(bytes(16), ["binary.k8s.io"]).items()}
        for pod in ("web", "new"):
            answer = await ask("GET", f"{PODS}/{pod}/log", **opening)
            assert (answer.status, answer.headers["sec-websocket-protocol"]) == (101, "binary.k8s.io")
        refused = await ask("GET", f"{PODS}/web/log", **{**opening, "sec-websocket-protocol": "other"})
        assert refused.status == 403

    run(story)


def test_a_pod_without_a_node_has_an_empty_log() -> None:
    async def story(ask: Ask) -> None:
        answer = await ask("GET", f"{PODS}/new/log")
        assert (answer.status, answer.body) == (200, b"")

    run(story)


def test_what_is_not_there_is_said() -> None:
    async def story(ask: Ask) -> None:
        for target, status, message in (
            (f"{PODS}/none/log", 404, 'pods "none" not found'),
            (f"{PODS}/lost/log", 404, 'nodes "gone" not found'),
            (f"{PODS}/web/log?container=x", 400, "container x is not valid for pod web"),
            (f"{PODS}/new/exec?command=ls", 400, "pod new does not have a host assigned"),
            (f"{PODS}/new/portforward", 400, "pod new does not have a host assigned"),
            (f"{PODS}/web/exec?command=ls", 400, "Upgrade request required"),
            (f"{PODS}/web/attach", 400, "Upgrade request required"),
            (f"{PODS}/web/portforward", 400, "Upgrade request required"),
        ):
            for method in ("GET",) if target.endswith("log") or "log?" in target else ("GET", "POST"):
                answer = await ask(method, target)
                assert (answer.status, orjson.loads(answer.body)["message"]) == (status, message)

    run(story)


class Reads:
    """Lets everybody do all but create streams."""

    def authorize(self, attributes: Attributes) -> Decision:
        if attributes.verb == "create" and attributes.subresource:
            return Decision(Verdict.NO_OPINION, "you may read")
        return Decision(Verdict.ALLOW)


@pytest.mark.parametrize("part", ["exec?command=ls", "attach?stdout=1", "portforward"])
def test_a_stream_needs_leave_to_create_it_whatever_the_method(part: str) -> None:
    async def story(ask: Ask) -> None:
        answer = await ask("GET", f"{PODS}/web/{part}", upgrade="websocket", connection="Upgrade")
        assert answer.status == 403
        name = part.partition("?")[0]
        assert f'cannot create resource "pods/{name}"' in orjson.loads(answer.body)["message"]
        assert (await ask("GET", f"{PODS}/web/log")).status == 200

    run(story, authorize(Reads()))


@pytest.mark.parametrize(
    ("part", "options"),
    [
        ("exec?command=ls&command=-l&stdout=1&stdin=0&container=c",
         {"kind": "PodExecOptions", "stdout": True, "container": "c", "command": ["ls", "-l"]}),
        ("attach?stdin=true&tty=1", {"kind": "PodAttachOptions", "stdin": True, "tty": True}),
        ("portforward?ports=80&ports=81,82", {"kind": "PodPortForwardOptions", "ports": [80, 81, 82]}),
    ],
)  # fmt: skip
def test_admission_hears_of_a_stream_and_may_forbid_it(part: str, options: JsonObject) -> None:
    wilful = Wilful()

    async def story(ask: Ask) -> None:
        for method in ("GET", "POST"):
            assert (await ask(method, f"{PODS}/web/{part}")).status == 400, "no upgrade"
        for write in wilful.writes:
            assert (write.operation, write.part, write.name) == ("CONNECT", part.partition("?")[0], "web")
            assert write.new == {"apiVersion": "v1", **options}
        assert len(wilful.writes) == 2
        wilful.forbidden = "not today"
        answer = await ask("POST", f"{PODS}/web/{part}")
        assert (answer.status, orjson.loads(answer.body)["message"]) == (403, "not today")
        assert (await ask("GET", f"{PODS}/web/log")).status == 200, "a log is read"

    run(story, admission=wilful)


def test_what_admission_makes_of_the_options_is_what_is_asked_for() -> None:
    wilful = Wilful()
    wilful.change = {"container": "other"}

    async def story(ask: Ask) -> None:
        answer = await ask("POST", f"{PODS}/web/exec?command=ls")
        assert orjson.loads(answer.body)["message"] == "container other is not valid for pod web"

    run(story, admission=wilful)


def test_the_plugins_that_are_on_by_default_let_streams_pass() -> None:
    async def story(ask: Ask) -> None:
        for part in ("exec?command=ls", "attach", "portforward"):
            answer = await ask("POST", f"{PODS}/web/{part}")
            assert orjson.loads(answer.body)["message"] == "Upgrade request required"

    run(story, plugins=True)
