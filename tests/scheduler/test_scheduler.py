"""The scheduler in a cluster with access control, admission, controllers and simulated nodes, under virtual time."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from pilothouse.api.types.core_v1 import Event, Node, Pod
from pilothouse.api.types.policy_v1 import PodDisruptionBudget
from pilothouse.api.types.scheduling_v1 import PriorityClass
from pilothouse.client.client import Client
from pilothouse.controllers.main import ControllersConfig
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.scheduler.main import SchedulerConfig
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run
from pilothouse.testing.simulated_node import SimulatedNodesConfig

Scene = Callable[["World"], Awaitable[None]]
USELESS = "Preemption is not helpful for scheduling"
NOBODY = "No preemption victims found for incoming pod"
TAINT = [{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}]


class World:
    """A cluster of some nodes with two CPUs each."""

    def __init__(self, client: Client, clock: LoopClock) -> None:
        self.client = client
        self.clock = clock

    async def pod(self, name: str, cpu: str = "1", **more: Any) -> None:
        """Make a pod."""
        ports = more.pop("ports", [])
        container = {"name": "c", "image": "example:1", "ports": ports, "resources": {"requests": {"cpu": cpu}}}
        spec = {"containers": [container], "terminationGracePeriodSeconds": 5, **more}
        labels = {"app": name}
        await self.client.create(
            Pod, {"metadata": {"name": name, "namespace": "default", "labels": labels}, "spec": spec}
        )

    async def get(self, name: str) -> Pod:
        return await self.client.get(Pod, name, "default")

    async def node_of(self, name: str, within: float = 10) -> str:
        """The node that a pod gets in so many seconds; empty if none."""
        for _ in range(int(within * 10)):
            found = (await self.get(name)).spec.nodeName
            if found:
                return found
            await self.clock.sleep(0.1)
        return ""

    async def condition(self, name: str) -> tuple[str, str, str]:
        """Status, reason and message of PodScheduled."""
        for _ in range(50):
            for one in (await self.get(name)).status.conditions:
                if one.type == "PodScheduled":
                    return str(one.status), one.reason, one.message
            await self.clock.sleep(0.1)
        raise AssertionError("nothing is said")

    async def told(self, name: str) -> list[tuple[str, str]]:
        """Reasons and messages of the scheduler's events."""
        await self.clock.sleep(1)
        events = (await self.client.list(Event, "default")).items
        return [(one.reason, one.message) for one in events if one.involvedObject.name == name and _ours(one)]

    async def change_node(self, name: str, **spec: Any) -> None:
        await self.client.patch(Node, name, "", {"spec": spec})


def _ours(event: Event) -> bool:
    return event.source.component == "default-scheduler"


def play(scene: Scene, nodes: int = 1) -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        capacity = {"cpu": "2", "memory": "8Gi", "ephemeral-storage": "10Gi", "pods": "4"}
        async with Cluster(
            clock, chance, manager=ControllersConfig(), scheduler=SchedulerConfig(),
            nodes=SimulatedNodesConfig(count=nodes, capacity=capacity),
        ) as cluster:  # fmt: skip
            world = World(cluster.client(), clock)
            await clock.sleep(20)
            await scene(world)

    run(story)


@pytest.mark.parametrize(
    ("spec", "reasons", "suffix"),
    [
        ({"cpu": "3"}, "2 Insufficient cpu", f"2 {USELESS}"),
        ({"nodeSelector": {"disk": "ssd"}}, "2 node(s) didn't match Pod's node affinity/selector", f"2 {USELESS}"),
        ({"cpu": "1500m", "ports": [{"containerPort": 80, "hostPort": 80}]},
         "1 Insufficient cpu, 1 node(s) didn't have free ports for the requested pod ports", f"2 {NOBODY}"),
    ],
)  # fmt: skip
def test_why_a_pod_is_pending(spec: dict[str, Any], reasons: str, suffix: str) -> None:
    async def scene(world: World) -> None:
        await world.pod("port", "100m", ports=[{"containerPort": 80, "hostPort": 80}], nodeSelector=_host("node-0"))
        await world.pod("cpu", "1", nodeSelector=_host("node-1"))
        assert (await world.node_of("port"), await world.node_of("cpu")) == ("node-0", "node-1")
        await world.pod("p", **spec)
        message = f"0/2 nodes are available: {reasons}. preemption: 0/2 nodes are available: {suffix}."
        assert await world.told("p") == [("FailedScheduling", message)]
        assert await world.condition("p") == ("False", "Unschedulable", message)
        assert (await world.get("p")).status.phase == "Pending"

    play(scene, nodes=2)


def _host(name: str) -> dict[str, str]:
    return {"kubernetes.io/hostname": name}


def test_a_taint_goes_and_the_pod_runs() -> None:
    async def scene(world: World) -> None:
        await world.change_node("node-0", taints=TAINT)
        await world.change_node("node-1", unschedulable=True)
        await world.pod("p")
        refused = "1 node(s) had untolerated taint(s), 1 node(s) were unschedulable"
        _, _, message = await world.condition("p")
        assert message.startswith(f"0/2 nodes are available: {refused}. preemption:")
        await world.change_node("node-0", taints=None)
        assert await world.node_of("p") == "node-0"
        assert await world.condition("p") == ("True", "", "")
        assert (await world.told("p"))[-1] == ("Scheduled", "Successfully assigned default/p to node-0")

    play(scene, nodes=2)


def test_two_pods_want_the_last_place() -> None:
    async def scene(world: World) -> None:
        for name in ("a", "b"):
            await world.pod(name, "2")
        got = [name for name in ("a", "b") if await world.node_of(name)]
        assert len(got) == 1
        waiting = "b" if got == ["a"] else "a"
        await world.client.delete(Pod, got[0], "default")
        assert await world.node_of(waiting) == "node-0"

    play(scene)


def test_the_number_of_pods_is_limited() -> None:
    async def scene(world: World) -> None:
        for number in range(5):
            await world.pod(f"p{number}", "10m")
        assert [bool(await world.node_of(f"p{number}", 2)) for number in range(5)] == [True] * 4 + [False]
        suffix = f"preemption: 0/1 nodes are available: 1 {NOBODY}."
        assert (await world.condition("p4"))[2] == f"0/1 nodes are available: 1 Too many pods. {suffix}"

    play(scene)


def test_gates_hold_a_pod_without_an_event() -> None:
    async def scene(world: World) -> None:
        await world.pod("p", schedulingGates=[{"name": "example.org/a"}, {"name": "example.org/b"}])
        await world.clock.sleep(60)
        status, reason, _ = await world.condition("p")
        assert (status, reason) == ("False", "SchedulingGated")
        assert await world.told("p") == []
        await world.client.patch(Pod, "p", "default", {"spec": {"schedulingGates": [{"name": "example.org/b"}]}})
        assert await world.node_of("p", 5) == ""
        await world.client.patch(Pod, "p", "default", {"spec": {"schedulingGates": None}})
        assert await world.node_of("p") == "node-0"

    play(scene)


def test_a_pod_that_goes_while_it_waits_is_forgotten() -> None:
    async def scene(world: World) -> None:
        await world.pod("p", "3")
        await world.condition("p")
        await world.client.delete(Pod, "p", "default")
        await world.clock.sleep(10)
        assert len(await world.told("p")) == 1
        await world.pod("p")
        assert await world.node_of("p") == "node-0"

    play(scene)


def test_a_node_that_goes_takes_no_pods() -> None:
    async def scene(world: World) -> None:
        await world.client.delete(Node, "node-0")
        await world.client.delete(Node, "node-1")
        await world.pod("p")
        assert await world.condition("p") == ("False", "Unschedulable", "no nodes available to schedule pods")
        assert await world.told("p") == [("FailedScheduling", "no nodes available to schedule pods")]

    play(scene, nodes=2)


async def _classes(world: World) -> None:
    for name, value in (("low", 1), ("high", 1000)):
        await world.client.create(PriorityClass, {"metadata": {"name": name}, "value": value})
    never = {"metadata": {"name": "patient"}, "value": 1000, "preemptionPolicy": "Never"}
    await world.client.create(PriorityClass, never)


def test_an_important_pod_takes_the_place_of_others() -> None:
    async def scene(world: World) -> None:
        await _classes(world)
        for name in ("a", "b"):
            await world.pod(name, priorityClassName="low")
            assert await world.node_of(name) == "node-0"
        await world.clock.sleep(3)
        await world.pod("urgent", "1", priorityClassName="high")
        await world.clock.sleep(0.5)
        urgent = await world.get("urgent")
        assert urgent.status.nominatedNodeName == "node-0"
        assert await world.condition("urgent") == (
            "False", "Unschedulable", "0/1 nodes are available: 1 Insufficient cpu.",
        )  # fmt: skip
        victims = [one for one in ("a", "b") if (await world.get(one)).metadata.deletionTimestamp]
        assert len(victims) == 1
        gone = await world.get(victims[0])
        told = next(one for one in gone.status.conditions if one.type == "DisruptionTarget")
        assert (told.status, told.reason) == ("True", "PreemptionByScheduler")
        assert told.message == "default-scheduler: preempting to accommodate a higher priority pod"
        note = f"Preempted by pod {urgent.metadata.uid} on node node-0"
        assert ("Preempted", note) in await world.told(victims[0])
        await world.pod("thief", "1", priorityClassName="low")
        assert await world.node_of("urgent", 20) == "node-0"
        assert (await world.get("urgent")).status.nominatedNodeName == ""
        assert await world.node_of("thief", 5) == ""

    play(scene)


def test_a_patient_pod_waits() -> None:
    async def scene(world: World) -> None:
        await _classes(world)
        await world.pod("a", "2", priorityClassName="low")
        await world.node_of("a")
        await world.pod("p", "1", priorityClassName="patient")
        message = "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never."
        assert await world.condition("p") == ("False", "Unschedulable", message)
        assert await world.node_of("p", 30) == ""
        assert (await world.get("a")).metadata.deletionTimestamp is None

    play(scene)


def test_a_budget_steers_preemption() -> None:
    async def scene(world: World) -> None:
        await _classes(world)
        for name, node in (("a", "node-0"), ("b", "node-1")):
            await world.pod(name, "2", priorityClassName="low", nodeSelector=_host(node))
            assert await world.node_of(name) == node
        await world.clock.sleep(3)
        spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "a"}}}
        budget = {"metadata": {"name": "a", "namespace": "default"}, "spec": spec}
        await world.client.create(PodDisruptionBudget, budget)
        await world.clock.sleep(3)
        await world.pod("urgent", "1", priorityClassName="high")
        assert await world.node_of("urgent", 20) == "node-1"
        assert (await world.get("a")).metadata.deletionTimestamp is None

    play(scene, nodes=2)


def test_a_claim_ends_with_its_pod() -> None:
    async def scene(world: World) -> None:
        await _classes(world)
        await world.pod("a", "2", priorityClassName="low")
        await world.node_of("a")
        await world.clock.sleep(3)
        await world.pod("urgent", "2", priorityClassName="high")
        await world.clock.sleep(0.5)
        assert (await world.get("urgent")).status.nominatedNodeName == "node-0"
        await world.pod("next", "2", priorityClassName="low")
        await world.client.delete(Pod, "urgent", "default", grace_period=0)
        assert await world.node_of("next", 20) == "node-0"

    play(scene)
