"""The streaming subresources through the whole API server, with a kubelet on a real socket."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import orjson
import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.authorization.framework import Attributes, Decision, Verdict
from pilothouse.apiserver.handlers.authorize import authorize
from pilothouse.apiserver.handlers.framework import Step
from pilothouse.apiserver.server import ApiServer
from pilothouse.apiserver.streaming.proxy import KubeletProxy
from pilothouse.apiserver.subresources.streaming import Streaming
from pilothouse.client.transport import Answer, HandlerTransport
from pilothouse.net.http import Request, Response
from pilothouse.net.server import serve
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


def run(story: Callable[[Ask], Awaitable[None]], *steps: Step) -> None:
    """A cluster of a pod `web` on node `n`, a pod `lost` on a node that is gone, and a pod `new` on none."""

    async def scenario() -> None:
        clock = SystemClock()
        async with (
            serve(kubelet, "127.0.0.1", 0, None, clock, grace=0.1) as node,
            MemoryStore(clock) as store,
            ApiServer(store, builtin(), schemas(), clock, Chance(1)) as server,
        ):
            server.assemble(steps=steps, parts=Streaming(server.served, KubeletProxy(None, clock)).parts())
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
