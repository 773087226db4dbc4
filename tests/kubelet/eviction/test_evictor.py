"""A node that runs out of something, in virtual time. Upstream: pkg/kubelet/eviction/eviction_manager_test.go."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kubelet.harness import FakeNode, pod, run
from kubelet.starving import GI, MI, full, levels, share, used
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.admission import NodeAdmission
from pilothouse.kubelet.counts.eviction_counts import EvictionCounts
from pilothouse.kubelet.cri.interface import CriUnavailable
from pilothouse.kubelet.eviction.evictor import Evictor, Surroundings
from pilothouse.kubelet.eviction.policy import EvictionPolicy
from pilothouse.kubelet.eviction.reclaimer import Reclaimer
from pilothouse.kubelet.eviction.signals import Levels
from pilothouse.kubelet.stats import PodUse
from pilothouse.runtime.metrics import Metrics
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.fake_cri import Behaviour, FakeCri

HARD = EvictionPolicy(hard={"memory.available": "1Gi", "nodefs.available": "10%"})


class Broom(Reclaimer):
    """Does what the test says."""

    rank = 1

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act
        self.swept = 0

    async def reclaim(self) -> None:
        self.swept += 1
        self._act()


@dataclass
class Stage:
    """A node whose levels the test sets, and what its pods use."""

    node: FakeNode
    tasks: Tasks
    metrics: Metrics = field(default_factory=Metrics)
    levels: Levels = field(default_factory=lambda: levels(memory=2 * GI))
    memory: dict[str, int] = field(default_factory=dict)
    """By pod, what it uses."""
    disks: dict[str, dict[str, Any]] = field(default_factory=dict)
    pressure: tuple[str, ...] = ()
    looks: list[float] = field(default_factory=list)
    trouble: Exception | None = None
    """Why nothing can be told of pods."""

    async def pods(self) -> Sequence[PodUse]:
        if self.trouble is not None:
            raise self.trouble
        known = {*self.memory, *self.disks}
        return [
            used(one, self.memory.get(name, 0), **self.disks.get(name, {}))
            for name, one in self.node.pods.items()
            if name in known
        ]

    def start(self, policy: EvictionPolicy = HARD, *reclaimers: Reclaimer, images_apart: bool = False) -> Evictor:
        """Evict from now on, and take no pods under pressure."""
        node = self.node
        node.admission = NodeAdmission(
            node.own, node.runtime, lambda: node.workers, node.told, node.clock, node.traits,
            pressure=lambda: self.pressure,
        )  # fmt: skip

        async def look() -> Levels:
            self.looks.append(node.clock.monotonic())
            return self.levels

        evictor = Evictor(policy, policy.thresholds(), Surroundings(
            node=node.workers, figures=self, levels=look, recorder=node.told, clock=node.clock, press=self.press,
            reclaimers=reclaimers, counts=EvictionCounts(self.metrics),
            name="n1", images_apart=images_apart,
        ))  # fmt: skip
        self.tasks.spawn(evictor.run(), name="evictor")
        return evictor

    def press(self, conditions: tuple[str, ...]) -> None:
        self.pressure = conditions

    async def running(self, *manifests: JsonObject) -> None:
        """Have these pods."""
        names = [manifest["metadata"]["name"] for manifest in manifests]
        for manifest in manifests:
            self.node.add(manifest)
        await self.node.until(lambda: all(self.node.pods[name].status.phase == "Running" for name in names))

    def failed(self) -> list[str]:
        return [name for name, one in self.node.pods.items() if one.status.phase == "Failed"]

    def count(self, signal: str) -> float:
        return self.metrics.registry.get_sample_value("kubelet_evictions_total", {"eviction_signal": signal}) or 0


def play(root: Path, story: Callable[[Stage], Coroutine[Any, Any, None]]) -> None:
    async def within(node: FakeNode) -> None:
        async with Tasks() as tasks:
            await story(Stage(node, tasks))
            tasks.cancel_all()

    run(root, within)


def _pod(name: str, memory: str = "", **spec: Any) -> JsonObject:
    resources = {"requests": {"memory": memory}} if memory else {}
    return pod(name, **{"containers": [{"name": "app", "image": "app:1", "resources": resources}], **spec})


def test_one_pod_goes_at_a_time_until_there_is_enough(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.running(_pod("guest", "1Gi"), _pod("hog"), _pod("pig"))
        stage.memory = {"guest": MI, "hog": 3 * GI, "pig": 2 * GI}
        stage.start()
        await stage.node.clock.sleep(25)
        assert stage.failed() == []
        stage.levels = levels(memory=GI - MI)
        await stage.node.until(lambda: stage.failed() == ["hog"], 11)
        stage.levels = levels(memory=2 * GI)
        await stage.node.clock.sleep(60)
        assert stage.failed() == ["hog"]
        stage.levels = levels(memory=5)
        await stage.node.until(lambda: len(stage.failed()) == 3, 60)
        assert stage.count("memory.available") == 3

        status = stage.node.pods["hog"].status
        message = (
            "The node was low on resource: memory. Threshold quantity: 1Gi, available: 1023Mi. "
            "Container app was using 3Gi, request is 0, has larger consumption of memory. "
        )
        assert (status.reason, status.message) == ("Evicted", message)
        told = {one.type: one for one in status.conditions}["DisruptionTarget"]
        assert (told.status, told.reason, told.message) == ("True", "TerminationByKubelet", message)
        events = stage.node.told.events
        assert ("Warning", "Evicted", message) in events
        assert ("Warning", "EvictionThresholdMet", "Attempting to reclaim memory") in events
        assert stage.node.told.annotations[0] == {
            "offending_containers": "app", "offending_containers_usage": "3Gi", "starved_resource": "memory",
        }  # fmt: skip

    play(tmp_path, story)


def test_it_looks_every_ten_seconds_and_at_once_when_it_is_called(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        began = stage.node.clock.monotonic()
        evictor = stage.start()
        await stage.node.clock.sleep(24)
        evictor.alarm.set()
        await stage.node.clock.sleep(15)
        assert [round(at - began) for at in stage.looks] == [0, 10, 20, 24, 34]

    play(tmp_path, story)


def test_the_next_look_waits_for_the_volumes_of_the_pod_to_be_gone(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        node = stage.node
        evictor = stage.start()
        await stage.running(_pod("hog"), _pod("other"))
        stage.memory = {"hog": 2 * GI, "other": GI}

        async def tear_down(uid: str) -> None:
            await node.clock.sleep(20)

        node.services.volumes.tear_down_volumes = tear_down  # type: ignore[method-assign]
        stage.levels = levels(memory=1)
        evictor.alarm.set()
        await node.until(lambda: stage.failed() == ["hog"], 5)
        count = len(stage.looks)
        await node.clock.sleep(18)
        assert (len(stage.looks), stage.failed()) == (count, ["hog"])

    play(tmp_path, story)


def test_the_next_look_waits_for_the_pod_to_be_gone(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        node = stage.node
        node.cri.behaviour = lambda _: Behaviour(ignores_signals=True)
        await stage.running(_pod("slow"), _pod("other"))
        stage.memory = {"slow": 2 * GI, "other": GI}
        stage.levels = levels(memory=1)
        stage.start(EvictionPolicy(
            soft={"memory.available": "1Gi"}, soft_grace={"memory.available": 0.001}, max_pod_grace=300, hard={},
        ))  # fmt: skip
        await node.until(lambda: stage.failed() == ["slow"], 60)
        assert len(stage.looks) == 2
        stage.levels = levels()
        await node.clock.sleep(2)
        assert len(stage.looks) == 3

    play(tmp_path, story)


class Deaf(FakeCri):
    """Ends nothing."""

    async def stop_container(self, container_id: str, timeout: float) -> None:
        raise CriUnavailable("UNAVAILABLE", "deaf")

    async def stop_sandbox(self, sandbox_id: str) -> None:
        raise CriUnavailable("UNAVAILABLE", "deaf")


def test_a_pod_that_does_not_go_is_told_of_and_waited_for_no_longer_than_upstream_does(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        node = stage.node
        node.cri = node.runtime = Deaf(node.clock, present=node.cri.present)
        await stage.running(_pod("stuck"))
        stage.memory, stage.levels = {"stuck": 2 * GI}, levels(memory=1)
        stage.start()
        await node.until(lambda: "ExceededGracePeriod" in node.told.reasons(), 60)
        late = "Container runtime did not kill the pod within specified grace period."
        assert ("Warning", "ExceededGracePeriod", late) in node.told.events
        assert "FailedKillPod" in node.told.reasons()
        count = len(stage.looks)
        await node.until(lambda: len(stage.looks) > count, 45)

    play(tmp_path, story)


def test_a_hard_threshold_gives_a_second_and_a_soft_one_no_more_than_the_pod_asks_for(tmp_path: Path) -> None:
    """No container has less than two seconds. *Assumed*: the lesser of the two, as the documentation has it; upstream's
    code used to take the node's.
    """
    soft: dict[str, Any] = {"soft": {"memory.available": "1Gi"}, "soft_grace": {"memory.available": 30}}
    policies = [
        (EvictionPolicy(hard={"memory.available": "1Gi"}), 2.0),
        (EvictionPolicy(hard={}, **soft), 2.0),
        (EvictionPolicy(hard={}, **soft, max_pod_grace=5), 5.0),
        (EvictionPolicy(hard={}, **soft, max_pod_grace=50), 20.0),
        (EvictionPolicy(hard={}, **soft, max_pod_grace=-1), 20.0),
    ]

    async def story(stage: Stage) -> None:
        node, given = stage.node, []
        for number, (policy, _) in enumerate(policies):
            name = f"web-{number}"
            stage.levels = levels()
            await stage.running(_pod(name, terminationGracePeriodSeconds=20))
            stage.levels = levels(memory=1)
            async with Tasks() as tasks:
                one = Stage(node, tasks, levels=levels(memory=1), memory={name: GI})
                one.start(policy)
                await node.until(lambda name=name: node.pods[name].status.phase == "Failed")  # type: ignore[misc]
                tasks.cancel_all()
            given.append(next(float(call.split()[-1]) for call in reversed(node.cri.calls) if "stop_container" in call))
        assert given == [expected for _, expected in policies]

    play(tmp_path, story)


def test_critical_pods_stay(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.running(
            _pod("critical", priority=2_000_000_000),
            _pod("static", metadata={"annotations": {"kubernetes.io/config.source": "file"}}),
        )
        stage.memory = {"critical": 3 * GI, "static": 2 * GI}
        stage.levels = levels(memory=1)
        stage.start()
        await stage.node.clock.sleep(30)
        assert stage.failed() == []
        assert "Evicted" not in stage.node.told.reasons()
        assert stage.pressure == ("MemoryPressure",)

    play(tmp_path, story)


def test_a_node_under_pressure_takes_no_pods_and_does_again_five_minutes_after(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.levels = levels(memory=1)
        stage.start()
        await stage.node.clock.sleep(1)
        stage.node.add(_pod("early"))
        await stage.node.until(lambda: stage.failed() == ["early"])
        status = stage.node.pods["early"].status
        assert (status.reason, status.message) == (
            "Evicted", "Pod was rejected: The node had condition: [MemoryPressure]. ",
        )  # fmt: skip
        stage.levels = levels(memory=2 * GI)
        await stage.node.clock.sleep(280)
        assert stage.pressure == ("MemoryPressure",)
        await stage.node.clock.sleep(30)
        await stage.running(_pod("late"))

    play(tmp_path, story)


def test_what_nobody_uses_is_thrown_away_before_a_pod_goes(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        def free() -> None:
            stage.levels = levels()

        idle, useful = Broom(lambda: None), Broom(free)
        await stage.running(_pod("writer"))
        stage.disks = {"writer": {"writable": {"app": share(9 * GI)}}}
        stage.start(HARD, idle, useful)
        stage.levels = levels(disk=full())
        await stage.node.clock.sleep(25)
        assert (idle.swept, useful.swept) == (1, 1)
        assert stage.failed() == []
        assert ("Warning", "EvictionThresholdMet", "Attempting to reclaim ephemeral-storage") in stage.node.told.events
        stage.levels = levels(memory=1)
        await stage.node.until(lambda: stage.failed() == ["writer"], 11)
        assert idle.swept == 1

    play(tmp_path, story)


def test_if_that_is_not_enough_a_pod_goes(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        broom = Broom(lambda: None)
        await stage.running(_pod("writer"))
        stage.disks = {"writer": {"writable": {"app": share(9 * GI)}}}
        stage.levels = levels(disk=full())
        stage.start(HARD, broom)
        await stage.node.until(lambda: stage.failed() == ["writer"], 11)
        assert broom.swept == 1
        assert stage.pressure == ("DiskPressure",)

    play(tmp_path, story)


def test_with_images_on_their_own_disk_nothing_is_thrown_away_for_the_nodes(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        broom = Broom(lambda: None)
        await stage.running(_pod("a"))
        stage.levels = levels(disk=full())
        stage.start(HARD, broom, images_apart=True)
        await stage.node.until(lambda: stage.failed() == ["a"], 11)
        assert broom.swept == 0

    play(tmp_path, story)


def test_all_pods_that_write_more_than_they_may_go_and_pressure_has_no_part_in_it(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        volumes = [{"name": "v", "emptyDir": {"sizeLimit": "1Mi"}}]
        await stage.running(_pod("one", volumes=volumes), _pod("two", volumes=volumes), _pod("good", volumes=volumes),
                            _pod("free"))  # fmt: skip
        over = {"volumes": {"v": share(2 * MI)}}
        stage.disks = {"one": over, "two": over, "good": {"volumes": {"v": share(MI)}}, "free": over}
        stage.start()
        await stage.node.until(lambda: len(stage.failed()) == 2)
        assert stage.failed() == ["one", "two"]
        status = stage.node.pods["one"].status
        assert status.message == 'Usage of EmptyDir volume "v" exceeds the limit "1Mi". '
        assert status.reason == "Evicted"
        assert "DisruptionTarget" not in [one.type for one in status.conditions]
        assert stage.count("emptydirfs.limit") == 2
        assert stage.pressure == ()

    play(tmp_path, story)


def test_limits_may_be_none_of_the_nodes_business(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.running(_pod("one", volumes=[{"name": "v", "emptyDir": {"sizeLimit": "1Mi"}}]))
        stage.disks = {"one": {"volumes": {"v": share(2 * MI)}}}
        stage.start(EvictionPolicy(local_storage=False))
        await stage.node.clock.sleep(30)
        assert stage.failed() == []

    play(tmp_path, story)


@pytest.mark.parametrize("trouble", [CriUnavailable("UNAVAILABLE", "no socket"), OSError("no such group")])
def test_figures_that_cannot_be_had_are_waited_for(tmp_path: Path, trouble: Exception) -> None:
    async def story(stage: Stage) -> None:
        await stage.running(_pod("web"))
        stage.trouble, stage.levels = trouble, levels(memory=1)
        stage.start()
        await stage.node.clock.sleep(15)
        assert (stage.failed(), stage.pressure) == ([], ("MemoryPressure",))
        stage.trouble = None
        await stage.node.until(lambda: stage.failed() == ["web"], 11)

    play(tmp_path, story)
