"""Removing victims, against a real API server."""

from collections.abc import Awaitable, Callable
from typing import Any

from pilothouse.api.types.core_v1 import Pod
from pilothouse.client.client import Client
from pilothouse.client.events import EventRecorder
from pilothouse.client.memo import Memo
from pilothouse.client.transport import Answer, HandlerTransport, Headers
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.scheduler.eviction import Eviction
from pilothouse.scheduler.framework import Room
from pilothouse.scheduler.nodes import Nodes
from pilothouse.scheduler.pod_info import PodInfo
from pilothouse.scheduler.reports import Reports
from pilothouse.testing.cluster import ADMIN, Cluster
from pilothouse.testing.loop import run


class Wire:
    """Notes what is written, and breaks when told to."""

    def __init__(self, inner: HandlerTransport) -> None:
        self._inner = inner
        self.stream = inner.stream
        self.written: list[tuple[str, str]] = []
        self.breaks_at = ""

    async def send(self, method: str, target: str, headers: Headers, body: bytes = b"") -> Answer:
        if method == self.breaks_at:
            raise ConnectionResetError("broken")
        if method in ("PATCH", "DELETE"):
            self.written.append((method, target.removeprefix("/api/v1/namespaces/default/pods/")))
        return await self._inner.send(method, target, headers, body)


class World:
    def __init__(self, client: Client, wire: Wire, nodes: Nodes, eviction: Eviction) -> None:
        self.client = client
        self.wire = wire
        self.nodes = nodes
        self.eviction = eviction

    async def pod(self, name: str, priority: int = 0, *, node: str = "n", **more: Any) -> PodInfo:
        containers = [{"name": "c", "image": "example:1"}]
        spec = {"containers": containers, "nodeName": node or None, "priority": priority, **more}
        return PodInfo.of(
            await self.client.create(Pod, {"metadata": {"name": name, "namespace": "default"}, "spec": spec})
        )

    async def fresh(self, name: str) -> PodInfo:
        return PodInfo.of(await self.client.get(Pod, name, "default"))


def play(scene: Callable[[World], Awaitable[None]]) -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster, Tasks() as tasks:
            wire, nodes = Wire(HandlerTransport(cluster.server.handle, ADMIN)), Nodes()
            client = Client(wire, cluster.catalogue, clock, memo=Memo())
            reports = Reports(client, EventRecorder(client, clock, tasks, "test"), clock, tasks)
            await scene(World(cluster.client(), wire, nodes, Eviction(client, clock, reports, nodes)))

    run(story)


def test_each_victim_is_told_and_then_deleted() -> None:
    async def scene(world: World) -> None:
        victims = (await world.pod("a"), await world.pod("b"))
        wanted = await world.pod("new", 9, node="")
        assert await world.eviction.make(wanted, Room(node="n", victims=victims))
        assert world.wire.written == [("PATCH", "a/status"), ("DELETE", "a"), ("PATCH", "b/status"), ("DELETE", "b")]
        assert [(await world.fresh(name)).pod.metadata.deletionTimestamp is None for name in "ab"] == [False, False]

    play(scene)


def test_who_is_leaving_already_is_left_alone() -> None:
    async def scene(world: World) -> None:
        await world.pod("a")
        await world.client.delete(Pod, "a", "default")
        gone = await world.pod("gone")
        await world.client.delete(Pod, "gone", "default", grace_period=0)
        wanted = await world.pod("new", 9, node="")
        assert await world.eviction.make(wanted, Room(node="n", victims=(await world.fresh("a"), gone)))
        assert world.wire.written == [("PATCH", "gone/status")]

    play(scene)


def test_a_namesake_is_spared() -> None:
    async def scene(world: World) -> None:
        old = await world.pod("a")
        await world.client.delete(Pod, "a", "default", grace_period=0)
        await world.pod("a")
        wanted = await world.pod("new", 9, node="")
        assert await world.eviction.make(wanted, Room(node="n", victims=(old,)))
        assert (await world.fresh("a")).pod.metadata.deletionTimestamp is None

    play(scene)


def test_lesser_claims_are_lost() -> None:
    async def scene(world: World) -> None:
        wanted = await world.pod("new", 5, node="")
        for name, priority in (("low", 1), ("high", 9)):
            await world.pod(name, priority, node="")
            await world.client.patch(Pod, name, "default", {"status": {"nominatedNodeName": "n"}}, subresource="status")
            world.nodes.nominate(await world.fresh(name), "n")
        assert await world.eviction.make(wanted, Room(node="n"))
        assert [one.key.name for one in world.nodes.nominations["n"].values()] == ["high"]
        assert [(await world.fresh(name)).nominated for name in ("low", "high")] == ["", "n"]

    play(scene)


def test_what_fails_is_told() -> None:
    async def scene(world: World) -> None:
        victim, wanted = await world.pod("a"), await world.pod("new", 9, node="")
        for method in ("PATCH", "DELETE"):
            world.wire.breaks_at = method
            assert not await world.eviction.make(wanted, Room(node="n", victims=(victim,)))

    play(scene)
