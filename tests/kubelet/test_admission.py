"""Which pods a node takes, and beside which others they are judged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kubelet.harness import FakeCgroups, FakeNode, pod, run
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Node, Pod
from pilothouse.client.client import Client
from pilothouse.kubelet import main
from pilothouse.kubelet.admit_handler import Refusal
from pilothouse.kubelet.allocation import AsAsked
from pilothouse.kubelet.config import KubeletConfig
from pilothouse.kubelet.cri.interface import CriError, Image, RuntimeStatus
from pilothouse.kubelet.security_policy import SecurityPolicy
from pilothouse.linux.cgroups import Cgroups
from pilothouse.net.pki import Authority, Usage
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing import loop
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.fake_cri import Behaviour, FakeCri


@dataclass
class Room:
    """Has room for so many pods, and takes its time."""

    places: int
    clock: Clock
    asked: list[tuple[str, list[str]]] = field(default_factory=list)

    async def admit(self, pod: Pod, others: Sequence[Pod], *, resized: bool = False) -> Refusal | None:
        await self.clock.sleep(1)
        self.asked.append((pod.metadata.name, [other.metadata.name for other in others]))
        return Refusal("OutOfpods", "no room") if len(others) >= self.places else None


def test_of_two_pods_at_once_one_has_the_last_place_and_nothing_is_made_of_the_other(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.admission = room = Room(1, node.clock)
        node.add(pod("first"))
        node.add(pod("second"))
        await node.until(lambda: node.pods["first"].status.phase == "Running")
        await node.until(lambda: node.pods["second"].status.phase == "Failed")
        assert room.asked == [("first", []), ("second", ["first"])]
        status = node.pods["second"].status
        assert (status.reason, status.message) == ("OutOfpods", "Pod was rejected: no room")
        assert ("Warning", "OutOfpods", "no room") in node.told.events
        assert node.cri.calls.count("run_sandbox") == 1
        assert isinstance(node.cgroups, FakeCgroups)
        assert node.cgroups.present == {"uid-first"}

    run(tmp_path, story)


def test_a_pod_is_asked_for_once_and_frees_its_place_when_it_has_ended(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.admission = room = Room(1, node.clock)
        node.cri.behaviour = lambda _: Behaviour(ends_after=5)
        node.add(pod("first", restartPolicy="Never"))
        await node.until(lambda: node.pods["first"].status.phase == "Succeeded")
        node.add(pod("second", restartPolicy="Always"))
        await node.until(lambda: node.state("second")["restartCount"] == 2)
        assert room.asked == [("first", []), ("second", [])]

    run(tmp_path, story)


def test_what_an_earlier_kubelet_began_has_its_place(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.add(pod("first"))
        await node.until(lambda: node.pods["first"].status.phase == "Running")
        async with Tasks() as tasks:
            second = FakeNode(tmp_path, node.clock, tasks, cri=node.cri)
            second.admission = room = Room(0, node.clock)
            second.add(pod("new"))
            second.add(node.pods["first"].literal())
            await second.until(lambda: second.pods["new"].status.phase == "Failed")
            await node.clock.sleep(5)
            assert room.asked == [("new", ["first"])]
            assert second.pods["first"].status.phase == "Running"

    run(tmp_path, story)


def asking(name: str, cpu: str, **spec: Any) -> JsonObject:
    container = {"name": "app", "image": "app:1", "resources": {"requests": {"cpu": cpu}}}
    return pod(name, containers=[container], **spec)


def failed(node: FakeNode, name: str) -> tuple[str, str] | None:
    status = node.pods[name].status
    return (status.reason, status.message) if status.phase == "Failed" else None


def test_a_pod_that_does_not_fit_fails_and_leaves_its_room_to_the_next(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.add(asking("first", "1500m"))
        await node.until(lambda: node.pods["first"].status.phase == "Running")
        node.add(asking("second", "600m"))
        node.add(asking("third", "500m"))
        await node.until(lambda: node.pods["third"].status.phase == "Running")
        text = "Node didn't have enough resource: cpu, requested: 600, used: 1500, capacity: 2000"
        assert failed(node, "second") == ("OutOfcpu", f"Pod was rejected: {text}")
        told = ["message", "observedGeneration", "phase", "qosClass", "reason", "startTime"]
        assert sorted(node.pods["second"].status.raw) == told
        async with Tasks() as tasks:
            restarted = FakeNode(tmp_path, node.clock, tasks, cri=node.cri)
            restarted.add(node.pods["second"].literal())
            await node.clock.sleep(5)
            assert sorted(restarted.pods["second"].status.raw) == told
        assert ("Warning", "OutOfcpu", text) in node.told.events

    run(tmp_path, story)


def test_the_granted_resources_count_not_those_asked_for(tmp_path: Path) -> None:
    class Half(AsAsked):
        """Grants pods called `big` one CPU."""

        def applied(self, pod: Pod) -> Pod:
            return Pod(asking("big", "1")) if pod.metadata.name == "big" else pod

    async def story(node: FakeNode) -> None:
        node.allocations = Half()
        node.add(asking("big", "8"))
        await node.until(lambda: node.pods["big"].status.phase == "Running")
        node.add(asking("other", "1"))
        await node.until(lambda: node.pods["other"].status.phase == "Running")

    run(tmp_path, story)


def test_pods_that_have_ended_or_are_gone_leave_their_room(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.cri.behaviour = lambda config: Behaviour(ends_after=5 if config["metadata"]["attempt"] == 0 else None)
        node.add(asking("done", "2", restartPolicy="Never"))
        await node.until(lambda: node.pods["done"].status.phase == "Succeeded")
        node.add(asking("next", "2"))
        await node.until(lambda: node.pods["next"].status.phase == "Running")
        node.delete_pod("next")
        await node.until(lambda: "next" not in node.pods)
        node.add(asking("last", "2"))
        await node.until(lambda: node.pods["last"].status.phase == "Running")

    run(tmp_path, story)


def test_what_was_deleted_by_force_leaves_its_room_while_it_is_still_ending(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.cri.behaviour = lambda _: Behaviour(ignores_signals=True)
        node.add(asking("old", "2"))
        await node.until(lambda: node.pods["old"].status.phase == "Running")
        node.vanish("old")
        node.add(asking("new", "2"))
        await node.until(lambda: node.pods["new"].status.phase != "Pending")
        assert node.pods["new"].status.phase == "Running"

    run(tmp_path, story)


def test_what_runs_is_never_failed_by_a_restarted_kubelet_for_which_it_is_too_much(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.add(asking("first", "1", nodeSelector={}))
        node.add(asking("second", "1"))
        await node.until(lambda: all(one.status.phase == "Running" for one in node.pods.values()))
        async with Tasks() as tasks:
            restarted = FakeNode(tmp_path, node.clock, tasks, cri=node.cri)
            restarted.own.change(allocatable={"cpu": "500m"}, taints=[{"key": "k", "effect": "NoExecute"}])
            restarted.add(node.pods["first"].literal())
            restarted.add(node.pods["second"].literal())
            await node.clock.sleep(120)
            assert [one.status.phase for one in restarted.pods.values()] == ["Running", "Running"]
            assert node.cri.calls.count("run_sandbox") == 2

    run(tmp_path, story)


def test_after_a_reboot_into_a_smaller_machine_as_many_as_fit_run_again(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        for name in ("first", "second", "third"):
            begun = {**asking(name, "1"), "status": {"phase": "Running", "startTime": "2030-01-01T00:00:00Z"}}
            node.add(begun)
        await node.until(lambda: failed(node, "first") is not None)
        await node.until(lambda: {"second", "third"} <= {one.metadata.name for one in running(node)})
        assert failed(node, "first") is not None

    run(tmp_path, story)


def running(node: FakeNode) -> list[Pod]:
    return [one for one in node.pods.values() if one.status.containerStatuses and one.status.containerStatuses[0].ready]


def test_labels_that_have_just_changed_are_looked_up_once_more(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.add(pod("early", nodeSelector={"zone": "a"}))
        await node.until(lambda: failed(node, "early") is not None)
        node.own.newer = Node({"metadata": {"name": "n1", "labels": {"zone": "a"}}})
        node.add(pod("late", nodeSelector={"zone": "a"}))
        await node.until(lambda: node.pods["late"].status.phase == "Running")
        text = "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"
        assert failed(node, "early") == ("NodeAffinity", text)

    run(tmp_path, story)


def critical(name: str, cpu: str, **spec: Any) -> JsonObject:
    return asking(name, cpu, priority=2_000_001_000, priorityClassName="system-node-critical", **spec)


def test_others_make_room_for_a_critical_pod_which_starts_when_they_have_ended(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.cri.behaviour = lambda _: Behaviour(ignores_signals=True)
        node.add(asking("small", "500m"))
        node.add(asking("large", "1500m", terminationGracePeriodSeconds=7))
        await node.until(lambda: len(running(node)) == 2)
        began = node.clock.now()
        node.add(critical("vital", "1"))
        await node.until(lambda: failed(node, "large") is not None)
        assert node.clock.now() >= began + 7
        await node.until(lambda: node.pods["vital"].status.phase == "Running")
        assert failed(node, "large") == ("Preempting", "Preempted in order to admit critical pod")
        told = next(one for one in node.pods["large"].status.conditions if one.type == "DisruptionTarget")
        assert (told.status, told.reason) == ("True", "TerminationByKubelet")
        assert told.message == "Pod was preempted by Kubelet to accommodate a critical pod."
        assert ("Warning", "Preempting", "Preempted in order to admit critical pod") in node.told.events
        assert node.pods["small"].status.phase == "Running"

    run(tmp_path, story)


def test_a_critical_pod_does_not_wait_for_the_volumes_of_those_that_made_room(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.add(asking("large", "1500m"))
        await node.until(lambda: len(running(node)) == 1)

        async def tear_down(uid: str) -> None:
            await node.clock.sleep(3600)

        node.services.volumes.tear_down_volumes = tear_down  # type: ignore[method-assign]
        node.add(critical("vital", "1"))
        await node.until(lambda: node.pods["vital"].status.phase == "Running", 5)

    run(tmp_path, story)


def test_a_critical_pod_fails_where_all_others_hold_too_little_or_something_else_is_the_matter(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.add(asking("small", "500m"))
        await node.until(lambda: node.pods["small"].status.phase == "Running")
        node.add(critical("huge", "3"))
        node.add(critical("elsewhere", "2", nodeSelector={"zone": "b"}))
        await node.until(lambda: failed(node, "huge") is not None and failed(node, "elsewhere") is not None)
        lacking = (
            "preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources"
        )
        begin = "Pod was rejected: Unexpected error while attempting to recover from admission failure"
        assert failed(node, "huge") == ("UnexpectedAdmissionError", f"{begin}: {lacking}: [(res: cpu, q: 1000), ]")
        assert (failed(node, "elsewhere") or ("",))[0] == "NodeAffinity"
        assert node.pods["small"].status.phase == "Running"

    run(tmp_path, story)


class Slow(FakeCri):
    """Takes an hour to stop a container, and does not say at first what it can do."""

    silent: int = 1

    async def stop_container(self, container_id: str, grace: float) -> None:
        await self.clock.sleep(3600)
        await super().stop_container(container_id, grace)

    async def status(self) -> RuntimeStatus:
        self.silent -= 1
        if self.silent >= 0:
            raise CriError("UNAVAILABLE", "nobody there")
        return await super().status()


def test_neither_a_pod_that_does_not_go_nor_a_silent_runtime_stops_others_for_ever(tmp_path: Path) -> None:
    async def story(clock: LoopClock, _chance: object) -> None:
        async with Tasks() as tasks:
            cri = Slow(clock, present={"app:1": Image("sha256:app", ("app:1",))}, strict_groups=True)
            node = FakeNode(tmp_path, clock, tasks, cri=cri)
            strict = {"supplementalGroupsPolicy": "Strict"}
            node.add(asking("stubborn", "2", terminationGracePeriodSeconds=2, securityContext=strict))
            await node.until(lambda: node.pods["stubborn"].status.phase == "Running")
            assert "FailedSync" in node.told.reasons()
            node.add(critical("vital", "1"))
            await node.until(lambda: node.pods["vital"].status.phase == "Running", 30)
            late = "Container runtime did not kill the pod within specified grace period."
            assert node.told.events.count(("Warning", "ExceededGracePeriod", late)) == 1
            tasks.cancel_all()

    loop.run(story)


def test_a_whole_kubelet_judges_by_its_node_object_and_by_what_its_owner_allows(tmp_path: Path) -> None:
    """Refused pods alone: they need nothing of the machine."""

    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster, Tasks() as tasks:
            client, ready = cluster.client(), list[bool]()
            cri = FakeCri(clock, present={"app:1": Image("sha256:app", ("app:1",))})
            kubelet = main.run(config(tmp_path, clock.now()), client, cri, clock, chance, lambda: ready.append(True))
            tasks.spawn(kubelet, name="kubelet")
            async with clock.timeout(60):
                while not ready:
                    await clock.sleep(0.1)
            extended = {"status": {kind: {"example.com/gpu": "1"} for kind in ("capacity", "allocatable")}}
            await client.patch(Node, "n1", "", extended, subresource="status")
            await clock.sleep(1)
            sysctls = {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}
            assert await refused(client, clock, securityContext=sysctls, nodeSelector={"no": "where"}) == "NodeAffinity"
            sysctls = {"sysctls": [{"name": "kernel.sem", "value": "1"}]}
            assert await refused(client, clock, securityContext=sysctls) == "SysctlForbidden"
            limits = {"limits": {"example.com/gpu": "2"}}
            container = {"name": "app", "image": "app:1", "resources": limits}
            assert await refused(client, clock, containers=[container]) == "OutOfexample.com/gpu"
            tasks.cancel_all()

    loop.run(story)


async def refused(client: Client, clock: Clock, **spec: Any) -> str:
    """Why the node does not take a pod."""
    spec.setdefault("containers", [{"name": "app", "image": "app:1"}])
    made = await client.create(
        Pod, {"metadata": {"generateName": "p-", "namespace": "default"}, "spec": {"nodeName": "n1", **spec}}
    )
    async with clock.timeout(30):
        while (pod := await client.get(Pod, made.metadata.name, "default")).status.phase != "Failed":
            await clock.sleep(0.5)
    return pod.status.reason


def config(root: Path, now: float) -> KubeletConfig:
    authority = Authority.create("test", now)
    pair = authority.issue("system:node:n1", (), addresses=("127.0.0.1",), usage=Usage.SERVER, now=now)
    return KubeletConfig(
        node_name="n1", address="127.0.0.1", root=root, logs=root / "logs", images=root, serving=pair,
        client_authority=authority.certificate, host="127.0.0.1", port=0, cgroup_root="/pilothouse-no-such-group",
        security=SecurityPolicy(allowed_unsafe_sysctls=("kernel.msg*",)),
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _no_group_stays() -> Iterator[None]:
    """As root the kubelet makes its control group."""
    yield
    Cgroups.detect().remove("/pilothouse-no-such-group")
