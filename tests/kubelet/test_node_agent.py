"""The node's voice, on a real API server in virtual time, with a runtime that can be made ill."""

import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from kubelet.harness import Told
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.coordination_v1 import Lease
from pilothouse.api.types.core_v1 import Node
from pilothouse.client.client import Client
from pilothouse.kubelet import node_lease, node_status
from pilothouse.kubelet.cri.interface import CriUnavailable, Image, RuntimeCondition, RuntimeStatus, Version
from pilothouse.kubelet.eviction.policy import EvictionPolicy
from pilothouse.kubelet.machine import Disk, Machine
from pilothouse.kubelet.node_agent import NodeAgent
from pilothouse.kubelet.node_report import NodeReport, ReportFacts, all_reports
from pilothouse.kubelet.node_status import NodeIdentity
from pilothouse.kubelet.reporting import USUAL, NodeReporting
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.fake_cri import FakeCri
from pilothouse.testing.loop import run

MACHINE = Machine(2, 4 << 30, {}, "m", "u", "boot-1", "6.1", "Debian", "amd64")
DISK = Disk(100 << 30, 60 << 30, 1000, 900)


class MoodyCri(FakeCri):
    """A runtime whose health the test decides."""

    network = True
    gone = False
    asked = 0

    async def version(self) -> Version:
        return Version("other", "1", "v1")

    async def status(self) -> RuntimeStatus:
        self.asked += 1
        if self.gone:
            raise CriUnavailable("UNAVAILABLE", "no socket")
        return RuntimeStatus((RuntimeCondition("RuntimeReady", True), RuntimeCondition("NetworkReady", self.network)))


class Nicknamed(NodeReport):
    """Calls the node by a second name."""

    async def amend(self, status: JsonObject, facts: ReportFacts) -> None:
        status["addresses"].append({"type": "ExternalDNS", "address": f"{facts.identity.name}.example.com"})


@dataclass
class Stage:
    clock: LoopClock
    client: Client
    cri: MoodyCri
    told: Told
    agent: NodeAgent

    async def node(self) -> Node:
        return await self.client.get(Node, "n1")

    async def condition(self, kind: str) -> str:
        return next(one.status for one in (await self.node()).status.conditions if one.type == kind)

    async def until(self, kind: str, status: str) -> None:
        async with self.clock.timeout(30):
            while await self.condition(kind) != status:
                await self.clock.sleep(0.1)


def play(
    story: Callable[[Stage], Coroutine[Any, Any, None]], *, network: bool = True, reporting: NodeReporting = USUAL
) -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster, Tasks() as tasks:
            client, told = cluster.client(), Told()
            cri = MoodyCri(clock, present={"app:1": Image("sha256:app", ("app:1",), (), 7)})
            cri.network = network
            identity = NodeIdentity(name="n1", address="10.0.0.1", kubelet_port=10250, reporting=reporting)
            agent = NodeAgent(
                identity, MACHINE, EvictionPolicy(), lambda: DISK, client, cri, told, clock, chance,
                (*all_reports(), Nicknamed()),
            )  # fmt: skip
            await agent.begin(tasks)
            await agent.start(tasks)
            await story(Stage(clock, client, cri, told, agent))
            tasks.cancel_all()

    run(main)


def test_what_pods_may_have_is_reckoned_once_for_each_size_of_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    reckon, sizes = node_status.allocatable, list[int]()

    def counted(machine: Machine, disk: Disk, *more: Any) -> dict[str, str]:
        sizes.append(disk.size)
        return reckon(machine, disk, *more)

    async def story(stage: Stage) -> None:
        before = dict(stage.agent.allocatable)
        monkeypatch.setattr(node_status, "allocatable", counted)
        assert [stage.agent.allocatable for _ in range(10)] == [before] * 10
        assert sizes == []
        monkeypatch.setattr(sys.modules[__name__], "DISK", replace(DISK, size=DISK.size * 2))
        assert stage.agent.allocatable["ephemeral-storage"] != before["ephemeral-storage"]
        assert stage.agent.allocatable["memory"] == before["memory"]
        assert sizes == [DISK.size]

    play(story)


def test_it_registers_with_what_the_machine_has() -> None:
    async def story(stage: Stage) -> None:
        node = await stage.node()
        assert node.metadata.labels["kubernetes.io/hostname"] == "n1"
        assert node.status.capacity["cpu"] == "2"
        assert node.status.allocatable["memory"] == "3996Mi"
        assert node.status.addresses[0].address == "10.0.0.1"
        assert [*node.status.images[0].names] == ["app:1"]
        assert [one.address for one in node.status.addresses] == ["10.0.0.1", "n1", "n1.example.com"]
        assert await stage.condition("Ready") == "True"
        await stage.clock.sleep(1)
        assert stage.told.reasons() == [
            "Starting", "NodeHasSufficientMemory", "NodeHasNoDiskPressure", "NodeHasSufficientPID", "NodeReady",
        ]  # fmt: skip

    play(story)


def test_a_node_that_is_known_keeps_what_others_have_said_of_it() -> None:
    async def story(stage: Stage) -> None:
        await stage.client.patch(Node, "n1", "", {"metadata": {"labels": {"mine": "x", "kubernetes.io/os": "plan9"}}})
        async with Tasks() as tasks:
            again = NodeAgent(
                NodeIdentity(name="n1", address="10.0.0.2", kubelet_port=10250), MACHINE, EvictionPolicy(),
                lambda: DISK, stage.client, stage.cri, Told(), stage.clock, Chance(2), (),
            )  # fmt: skip
            await again.begin(tasks)
            await again.start(tasks)
            await stage.clock.sleep(1)
            tasks.cancel_all()
        node = await stage.node()
        assert node.metadata.labels["mine"] == "x"
        assert node.metadata.labels["kubernetes.io/os"] == "linux"
        assert [one.address for one in node.status.addresses] == ["10.0.0.2", "n1"]

    play(story)


def test_it_becomes_ready_soon_after_the_network_does() -> None:
    async def story(stage: Stage) -> None:
        assert await stage.condition("Ready") == "False"
        assert stage.agent.problems[0].startswith("container runtime network not ready: NetworkReady=false")
        changes: list[Sequence[str]] = []
        stage.agent.on_health(lambda: changes.append(stage.agent.problems))
        stage.cri.network = True
        await stage.clock.sleep(0.5)
        assert await stage.condition("Ready") == "True"
        assert changes == [[]]
        assert stage.told.reasons()[-1] == "NodeReady"

    play(story, network=False)


def test_a_runtime_that_is_gone_makes_it_not_ready() -> None:
    async def story(stage: Stage) -> None:
        stage.cri.gone = True
        await stage.until("Ready", "False")
        ready = (await stage.node()).status.conditions[-1]
        assert ready.reason == "KubeletNotReady"
        assert stage.agent.runtime_name == "other"
        assert "container runtime is down: rpc error: code = Unavailable desc = no socket" in ready.message
        stage.cri.gone = False
        await stage.until("Ready", "True")

    play(story)


def test_whoever_is_heeded_makes_it_not_ready_and_pods_hear_of_it_once() -> None:
    async def story(stage: Stage) -> None:
        complaint, heard = [""], list[str]()
        stage.agent.heed(lambda: complaint[0])
        stage.agent.on_health(lambda: heard.append(complaint[0]))
        await stage.clock.sleep(10)
        assert heard == []
        complaint[0] = "PLEG is not healthy: 1"
        await stage.until("Ready", "False")
        complaint[0] = "PLEG is not healthy: 2"
        await stage.clock.sleep(30)
        ready = (await stage.node()).status.conditions[-1]
        assert (ready.reason, ready.message) == ("KubeletNotReady", "PLEG is not healthy: 2")
        complaint[0] = ""
        await stage.until("Ready", "True")
        assert heard == ["PLEG is not healthy: 1", ""]

    play(story)


def test_pressure_is_reported_at_once() -> None:
    async def story(stage: Stage) -> None:
        await stage.clock.sleep(2)
        stage.agent.press(("MemoryPressure", "PIDPressure"))
        await stage.clock.sleep(1)
        kinds = ("MemoryPressure", "DiskPressure", "PIDPressure")
        assert [await stage.condition(kind) for kind in kinds] == ["True", "False", "True"]
        assert {"NodeHasInsufficientMemory", "NodeHasInsufficientPID"} < {*stage.told.reasons()}
        stage.agent.press(())
        await stage.clock.sleep(1)
        assert await stage.condition("MemoryPressure") == "False"

    play(story)


def test_a_shutdown_is_reported_at_once_and_pods_may_still_have_a_network() -> None:
    async def story(stage: Stage) -> None:
        await stage.clock.sleep(2)
        stage.agent.shut_down(True)
        await stage.clock.sleep(1)
        ready = next(one for one in (await stage.node()).status.conditions if one.type == "Ready")
        assert (ready.status, ready.reason, ready.message) == ("False", "KubeletNotReady", "node is shutting down")
        assert stage.agent.problems == []
        stage.cri.network = False
        await stage.clock.sleep(20)
        ready = next(one for one in (await stage.node()).status.conditions if one.type == "Ready")
        assert ready.message.endswith(", node is shutting down]")
        stage.cri.network = True
        stage.agent.shut_down(False)
        await stage.clock.sleep(20)
        assert await stage.condition("Ready") == "True"

    play(story)


def test_a_status_without_news_is_written_every_five_minutes_and_the_lease_every_ten_seconds() -> None:
    async def story(stage: Stage) -> None:
        await stage.clock.sleep(5)
        first, lease = await stage.node(), await stage.client.get(Lease, "n1", node_lease.NAMESPACE)
        assert lease.metadata.ownerReferences[0].uid == first.metadata.uid
        asked = stage.cri.asked
        await stage.clock.sleep(100)
        assert stage.cri.asked - asked <= 32
        assert (await stage.node()).metadata.resourceVersion == first.metadata.resourceVersion
        renewed = await stage.client.get(Lease, "n1", node_lease.NAMESPACE)
        times = renewed.spec.renewTime, lease.spec.renewTime
        assert times[0] is not None
        assert times[1] is not None
        assert 80 < times[0] - times[1] <= 105
        await stage.clock.sleep(210)
        assert (await stage.node()).metadata.resourceVersion != first.metadata.resourceVersion

    play(story)


def test_how_often_it_is_told_is_as_somebody_wants_it() -> None:
    async def story(stage: Stage) -> None:
        await stage.clock.sleep(5)
        first, lease = await stage.node(), await stage.client.get(Lease, "n1", node_lease.NAMESPACE)
        assert (lease.spec.leaseDurationSeconds, [*first.status.images]) == (120, [])
        await stage.clock.sleep(20)
        renewed = await stage.client.get(Lease, "n1", node_lease.NAMESPACE)
        assert renewed.metadata.resourceVersion == lease.metadata.resourceVersion, "every thirty seconds"
        await stage.clock.sleep(15)
        renewed = await stage.client.get(Lease, "n1", node_lease.NAMESPACE)
        assert renewed.metadata.resourceVersion != lease.metadata.resourceVersion
        asked = stage.cri.asked
        await stage.clock.sleep(30)
        assert (await stage.node()).metadata.resourceVersion != first.metadata.resourceVersion
        assert stage.cri.asked - asked >= 12, "every four seconds, beside the runtime's health"

    reporting = NodeReporting(update_period=4, report_period=60, lease_seconds=120, max_images=0)
    play(story, reporting=reporting)


def test_a_reboot_is_told() -> None:
    async def story(stage: Stage) -> None:
        await stage.clock.sleep(1)
        booted = Machine(2, 4 << 30, {}, "m", "u", "boot-2", "6.1", "Debian", "amd64")
        told = Told()
        async with Tasks() as tasks:
            again = NodeAgent(
                NodeIdentity(name="n1", address="10.0.0.1", kubelet_port=10250), booted, EvictionPolicy(),
                lambda: DISK, stage.client, stage.cri, told, stage.clock, Chance(2), (),
            )  # fmt: skip
            await again.begin(tasks)
            await again.start(tasks)
            await stage.clock.sleep(1)
            tasks.cancel_all()
        assert ("Warning", "Rebooted", "Node n1 has been rebooted, boot id: boot-2") in told.events

    play(story)


def test_who_joins_later_has_its_say_at_once_when_there_is_news() -> None:
    class Late(NodeReport):
        async def amend(self, status: JsonObject, facts: ReportFacts) -> None:
            status["capacity"]["example.com/foo"] = "3"

    async def story(stage: Stage) -> None:
        assert "example.com/foo" not in (await stage.node()).status.capacity
        stage.agent.join(Late())
        stage.agent.refresh()
        await stage.clock.sleep(1)
        assert (await stage.node()).status.capacity["example.com/foo"] == "3"

    play(story)
