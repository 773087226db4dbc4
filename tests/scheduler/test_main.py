"""The scheduler against a real API server in one loop."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pilothouse.api.types.core_v1 import Event, Node, Pod
from pilothouse.client.client import Client
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.scheduler import main
from pilothouse.scheduler.main import SchedulerConfig
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run

Scene = Callable[[Client, LoopClock], Awaitable[None]]


def node(name: str, cpu: str = "2", **spec: Any) -> dict[str, Any]:
    resources = {"cpu": cpu, "memory": "4Gi", "pods": "10"}
    return {"metadata": {"name": name}, "spec": spec, "status": {"capacity": resources, "allocatable": resources}}


def pod(name: str, cpu: str = "1", **spec: Any) -> dict[str, Any]:
    container = {"name": "c", "image": "example:1", "resources": {"requests": {"cpu": cpu, "memory": "1Gi"}}}
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"containers": [container], **spec}}


def play(scene: Scene, *, config: SchedulerConfig | None = None) -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster, Tasks() as tasks:
            ready = asyncio.Event()
            work = main.run(config or SchedulerConfig(leader_elect=False), cluster.client(), clock, chance, ready.set)
            tasks.spawn(work, name="scheduler")
            await ready.wait()
            await scene(cluster.client(), clock)

    run(story)


async def settled(client: Client, clock: Clock, name: str) -> Pod:
    """The pod, some time later."""
    await clock.sleep(0.5)
    return await client.get(Pod, name, "default")


async def told(client: Client, name: str) -> list[tuple[str, str]]:
    found = await client.list(Event, "default")
    return [(one.reason, one.message) for one in found.items if one.involvedObject.name == name]


def test_a_pod_gets_the_node_that_has_room() -> None:
    async def scene(client: Client, clock: LoopClock) -> None:
        await client.create(Node, node("small", "1"))
        await client.create(Node, node("large", "8"))
        await client.create(Pod, pod("web", "2"))
        found = await settled(client, clock, "web")
        assert found.spec.nodeName == "large"
        assert {one.type: one.status for one in found.status.conditions}["PodScheduled"] == "True"
        assert await told(client, "web") == [("Scheduled", "Successfully assigned default/web to large")]

    play(scene)


def test_a_pod_that_fits_nowhere_says_why_and_waits() -> None:
    async def scene(client: Client, clock: LoopClock) -> None:
        await client.create(Node, node("small", "1"))
        for name in ("tainted-1", "tainted-2"):
            await client.create(Node, node(name, taints=[{"key": "a", "effect": "NoSchedule"}]))
        await client.create(Pod, pod("web", "2"))
        found = await settled(client, clock, "web")
        condition = next(one for one in found.status.conditions if one.type == "PodScheduled")
        message = "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s)."
        assert (condition.status, condition.reason) == ("False", "Unschedulable")
        assert condition.message.startswith(message)
        assert [reason for reason, _ in await told(client, "web")] == ["FailedScheduling"]
        await client.create(Node, node("large", "8"))
        assert (await settled(client, clock, "web")).spec.nodeName == "large"

    play(scene)


def test_without_nodes_a_pod_waits() -> None:
    async def scene(client: Client, clock: LoopClock) -> None:
        await client.create(Pod, pod("web"))
        await settled(client, clock, "web")
        assert await told(client, "web") == [("FailedScheduling", "no nodes available to schedule pods")]
        await client.create(Node, node("n"))
        assert (await settled(client, clock, "web")).spec.nodeName == "n"

    play(scene)


def test_what_others_schedule_is_left_alone() -> None:
    async def scene(client: Client, clock: LoopClock) -> None:
        await client.create(Node, node("n"))
        await client.create(Pod, pod("theirs", schedulerName="other"))
        await client.create(Pod, pod("gated", schedulingGates=[{"name": "example.org/wait"}]))
        assert (await settled(client, clock, "theirs")).spec.nodeName == ""
        assert (await settled(client, clock, "gated")).spec.nodeName == ""
        await client.patch(Pod, "gated", "default", {"spec": {"schedulingGates": None}})
        assert (await settled(client, clock, "gated")).spec.nodeName == "n"

    play(scene)


def test_room_is_counted_and_comes_back() -> None:
    async def scene(client: Client, clock: LoopClock) -> None:
        await client.create(Node, node("n", "2"))
        for name in ("a", "b", "c"):
            await client.create(Pod, pod(name))
        await clock.sleep(1)
        assert [(await client.get(Pod, name, "default")).spec.nodeName for name in "abc"] == ["n", "n", ""]
        await client.delete(Pod, "a", "default", grace_period=0)
        assert (await settled(client, clock, "c")).spec.nodeName == "n"

    play(scene)


def test_the_more_important_pod_goes_first() -> None:
    async def scene(client: Client, clock: LoopClock) -> None:
        await client.create(Pod, pod("low", priority=1))
        await client.create(Pod, pod("high", priority=9))
        await clock.sleep(20)
        await client.create(Node, node("n", "1"))
        await clock.sleep(1)
        assert (await client.get(Pod, "high", "default")).spec.nodeName == "n"
        assert (await client.get(Pod, "low", "default")).spec.nodeName == ""

    play(scene)


def test_it_waits_for_its_lease() -> None:
    async def scene(client: Client, clock: LoopClock) -> None:
        await client.create(Node, node("n"))
        await client.create(Pod, pod("web"))
        assert (await settled(client, clock, "web")).spec.nodeName == "n"

    play(scene, config=SchedulerConfig())
