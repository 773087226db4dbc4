"""An API server that serves metrics.k8s.io, in virtual time, and kubelets that say what the story has them say."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import orjson

from pilothouse.api.catalogue import with_addons
from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.metrics.definitions import DEFINITIONS
from pilothouse.apiserver.server import ApiServer
from pilothouse.apiserver.streaming.location import Kubelet
from pilothouse.apiserver.usage.answers import UsageAnswers
from pilothouse.apiserver.usage.scraper import Scraper
from pilothouse.client.transport import Answer, HandlerTransport
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run

HERE = "/apis/metrics.k8s.io/v1beta1"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


@cache
def schemas() -> Schemas:
    return Schemas(DEFINITIONS)


class FakeKubelets:
    """Every container of theirs uses half a CPU, every node one."""

    def __init__(self, clock: Clock) -> None:
        self.asked: list[tuple[float, str]] = []
        """When which host was."""
        self.containers: dict[str, list[tuple[str, str, float]]] = {}
        """Pod (of the namespace shop), container and start, by host."""
        self.refusing: set[str] = set()
        self.silent: set[str] = set()
        self.lies: dict[str, str] = {}
        """What hosts say instead."""
        self.fresh = 1.0
        """Seconds for which an answer stays the same."""
        self._clock = clock

    async def page(self, kubelet: Kubelet, target: str) -> str:
        assert target == "/metrics/resource"
        self.asked.append((self._clock.monotonic(), kubelet.host))
        if kubelet.host in self.silent:
            await asyncio.get_running_loop().create_future()
        if kubelet.host in self.refusing:
            raise StatusError("connection refused")
        if kubelet.host in self.lies:
            return self.lies[kubelet.host]
        at = self._clock.now() // self.fresh * self.fresh
        lines = [sample("node", "", at * 1 - 1.7e9, 4 << 20, at)]
        for pod, container, started in self.containers.get(kubelet.host, ()):
            of = f'{{container="{container}",namespace="shop",pod="{pod}"}}'
            lines.append(f"container_start_time_seconds{of} {started}\n")
            lines.append(sample("container", of, (at - started) / 2, 2 << 20, at))
        return "".join(lines)


def sample(of: str, labels: str, cpu: float, memory: int, at: float) -> str:
    stamp = int(at * 1000)
    return (
        f"{of}_cpu_usage_seconds_total{labels} {cpu!r} {stamp}\n"
        f"{of}_memory_working_set_bytes{labels} {memory} {stamp}\n{of}_swap_usage_bytes{labels} 0 {stamp}\n"
    )


class Stage:
    def __init__(self, server: ApiServer, clock: Clock, kubelets: FakeKubelets) -> None:
        self.clock = clock
        self.kubelets = kubelets
        self._transport = HandlerTransport(server.handle, None)

    async def send(self, method: str, target: str, body: Any = None, **headers: str) -> Answer:
        sent = {"content-type": "application/json", **headers}
        return await self._transport.send(method, target, sent, orjson.dumps(body) if body is not None else b"")

    async def get(self, target: str, accept: str = "") -> tuple[int, Any]:
        answer = await self.send("GET", f"{HERE}/{target}", accept=accept)
        return answer.status, orjson.loads(answer.body)

    async def names(self, target: str) -> list[str]:
        status, found = await self.get(target)
        assert status == 200, found
        return [item["metadata"]["name"] for item in found["items"]]

    async def node(self, name: str, **labels: str) -> None:
        """A node whose kubelet's host is its own name."""
        await self.made("/api/v1/nodes", {"kind": "Node", "metadata": {"name": name, "labels": labels}})
        addresses = [{"type": "InternalIP", "address": name}]
        await self.patched(f"/api/v1/nodes/{name}/status", {"status": {"addresses": addresses}})

    async def pod(self, name: str, node: str, *containers: str, phase: str = "Running", age: float = 60.0) -> None:
        """A pod with these containers, which its kubelet knows of."""
        spec = {"nodeName": node, "containers": [{"name": each, "image": "x:1"} for each in containers]}
        at = "/api/v1/namespaces/shop/pods"
        await self.made(at, {"kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec})
        await self.patched(f"{at}/{name}/status", {"status": {"phase": phase}})
        known = self.kubelets.containers.setdefault(node, [])
        known += [(name, each, self.clock.now() - age) for each in containers]

    async def made(self, at: str, obj: Any) -> None:
        answer = await self.send("POST", at, {"apiVersion": "v1", **obj})
        assert answer.status == 201, answer.body

    async def patched(self, at: str, patch: Any) -> None:
        answer = await self.send("PATCH", at, patch, **{"content-type": "application/merge-patch+json"})
        assert answer.status == 200, answer.body


def tell(story: Callable[[Stage], Awaitable[None]]) -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        async with (
            MemoryStore(clock) as store,
            ApiServer(store, with_addons(), schemas(), clock, chance) as server,
            Tasks() as tasks,
        ):
            kubelets = FakeKubelets(clock)
            usage = UsageAnswers(server.served, Scraper(server.cache, kubelets, clock, tasks), clock)
            server.assemble(reviews=usage.by_kind())
            await story(Stage(server, clock, kubelets))

    run(main)
