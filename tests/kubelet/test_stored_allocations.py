"""What is granted outlives the kubelet, wherever it dies."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubelet.harness import FakeCgroups, FakeNode, run
from kubelet.resizing import conditions, events, in_force, resize, resources, settled, sized, started, status_of
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.admission import Admission
from pilothouse.kubelet.admit_handler import Refusal
from pilothouse.kubelet.allocation_store import FILE, Allocation, AllocationStore
from pilothouse.kubelet.stored_allocations import StoredAllocations
from pilothouse.runtime.clock import Clock, LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing import loop
from pilothouse.testing.fake_cri import FakeCri

SMALL, LARGE = resources("20m", "35Mi", "30m", "45Mi"), resources("25m", "40Mi", "35m", "50Mi")
_STEPS = frozenset({"save", "resize", "update_resources", "stop_container", "create_container", "start_container",
                    "patch_status", "update_sandbox_resources", "remove_container"})  # fmt: skip


class Killer:
    """Kills the kubelet at the `at`th of its steps: before it is taken, or right after."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.at = at
        self.after = after
        self.armed = False
        self.taken: list[str] = []
        self.dead = asyncio.Event()

    def _may(self) -> None:
        if self.dead.is_set():
            raise asyncio.CancelledError

    def _count(self, name: str) -> bool:
        """Whether this is the step."""
        self.taken.append(name)
        return len(self.taken) == self.at

    def watch(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same call, which a dead kubelet does not make."""

        def step(*given: Any, **named: Any) -> Any:
            self._may()
            last = self.armed and name in _STEPS and self._count(name)
            if last and not self.after:
                self.dead.set()
                self._may()
            result = call(*given, **named)
            if asyncio.iscoroutine(result):
                return finished(result, last=last)
            if last:
                self.dead.set()
                self._may()
            return result

        async def finished(result: Any, *, last: bool) -> Any:
            found = await result
            if last:
                self.dead.set()
            self._may()
            return found

        return step


class Mortal:
    """Something that the kubelet acts on, as long as it lives."""

    def __init__(self, real: Any, killer: Killer) -> None:
        self._real = real
        self._killer = killer

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._real, name)
        return self._killer.watch(name, value) if callable(value) and name != "events" else value


def pods() -> JsonObject:
    manifest = sized(spec={"restartPolicy": "OnFailure"}, app=SMALL, other=SMALL)
    policy = [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]
    manifest["spec"]["containers"][1]["resizePolicy"] = policy
    return manifest


def live_and_die(root: Path, at: int, *, after: bool) -> list[str]:
    """Resize a pod, by a kubelet that dies at one step and another that finds what it left; the steps of the first."""

    async def main(clock: LoopClock, _: object) -> list[str]:
        killer, groups = Killer(at, after=after), FakeCgroups()
        async with Tasks() as tasks:
            first = FakeNode(root, clock, tasks)
            world = first.cri
            first.runtime, first.cgroups = Mortal(world, killer), Mortal(groups, killer)
            first.patch_status = killer.watch("patch_status", first.patch_status)  # type: ignore[method-assign]
            first.pleg._cri = first.runtime
            await started(first, pods())
            allocations = first.services.allocations
            assert isinstance(allocations, StoredAllocations)
            allocations.store = Mortal(allocations.store, killer)  # type: ignore[assignment]
            killer.armed = True
            resize(first, app=LARGE, other=LARGE)
            try:
                async with clock.timeout(60):
                    await killer.dead.wait()
            except TimeoutError:
                killer.dead.set()
            left = first.pods
        async with Tasks() as tasks:
            second = FakeNode(root, clock, tasks, cri=world, cgroups=groups)
            second._version = 1000
            for pod in left.values():
                second.add(pod.literal())
            await settled(second)
            await second.until(lambda: status_of(second, "other")["resources"] == LARGE)
            # A container that was made and not started is made anew.
            half_made = killer.taken[-1] in ("create_container", "start_container")
            for name, restarts in (("app", (0,)), ("other", (1, 2) if half_made else (1,))):
                told = await in_force(second, name)
                assert (told.cpu_shares, told.cpu_quota, told.memory_limit_in_bytes) == (25, 3500, 50 << 20)
                assert status_of(second, name) == {"resources": LARGE, "allocatedResources": LARGE["requests"]}
                assert second.state(container=name)["restartCount"] in restarts
            assert set(second.phases.get("web", [])) <= {"Running"}
            granted = AllocationStore(second.layout).load("uid-web")
            assert granted is not None
            assert (granted.settled, granted.generation, granted.restarting) == (True, 2, ())
            assert groups.resized[-1] == ("web", "fit")
        return killer.taken

    return loop.run(main)


def test_a_resize_is_brought_to_its_end_wherever_the_kubelet_dies(tmp_path: Path) -> None:
    """At each step, before it and after it, until one kubelet has come to the end by itself."""
    for after in (False, True):
        for at in range(1, 50):
            taken = live_and_die(tmp_path / f"{after}-{at}", at, after=after)
            if len(taken) < at:
                break
        assert {"save", "resize", "update_resources", "stop_container", "start_container", "patch_status"} <= set(taken)
        assert len(taken) < at < 50


def test_what_was_asked_for_while_no_kubelet_ran_is_decided_on(tmp_path: Path) -> None:
    async def main(clock: LoopClock, _: object) -> None:
        async with Tasks() as tasks:
            first = FakeNode(tmp_path, clock, tasks)
            await started(first, sized(app=SMALL))
            world, web = first.cri, first.pods["web"].literal()
        web["spec"]["containers"][0]["resources"] = resources("3", "35Mi", "3", "45Mi")
        web["metadata"]["generation"] = 2
        async with Tasks() as tasks:
            second = FakeNode(tmp_path, clock, tasks, cri=world)
            second._version = 1000
            second.add(web)
            await second.until(lambda: "PodResizePending" in conditions(second), 5)
            assert conditions(second)["PodResizePending"][0] == "Infeasible"
            assert status_of(second)["allocatedResources"] == SMALL["requests"]
            resize(second, app=LARGE)
            await settled(second)
            assert (await in_force(second)).memory_limit_in_bytes == 50 << 20

    loop.run(main)


def test_a_pod_of_which_nothing_is_written_down_gets_what_it_asks_for(tmp_path: Path) -> None:
    """The record is lost, and meanwhile somebody has asked for more: as upstream without its checkpoint."""

    async def main(clock: LoopClock, _: object) -> None:
        async with Tasks() as tasks:
            first = FakeNode(tmp_path, clock, tasks)
            await started(first, sized("web", app=SMALL))
            await started(first, sized("same", app=SMALL))
            world, left = first.cri, [pod.literal() for pod in first.pods.values()]
            for pod in left:
                (first.layout.pod(pod["metadata"]["uid"]) / FILE).unlink()
        async with Tasks() as tasks:
            second = FakeNode(tmp_path, clock, tasks, cri=world)
            second._version = 1000
            left[0]["spec"]["containers"][0]["resources"] = LARGE
            left[0]["metadata"]["generation"] = 2
            for pod in left:
                second.add(pod)
            await settled(second)
            await second.until(lambda: status_of(second)["resources"] == LARGE)
            assert (await in_force(second)).memory_limit_in_bytes == 50 << 20
            assert events(second) == ["ResizeCompleted"]
            assert world.calls.count("update_resources app") == 1

    loop.run(main)


class Forgetful(FakeCri):
    """Takes new limits, and goes on telling of the old ones."""

    async def update_resources(self, container_id: str, linux: JsonObject) -> None:
        self.calls.append("update_resources")


def test_a_runtime_that_never_tells_of_what_it_took_is_asked_less_and_less_often(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.cri = node.runtime = Forgetful(node.clock, present=node.cri.present)
        node.pleg._cri = node.runtime
        await started(node, sized(app=SMALL))
        resize(node, app=LARGE)
        await node.clock.sleep(3600)
        assert 10 < node.cri.calls.count("update_resources") < 40
        assert "PodResizeInProgress" in conditions(node)

    run(tmp_path, story)


class FullDisk(AllocationStore):
    """Takes nothing while it is full."""

    full = True

    def save(self, uid: str, allocation: Allocation) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        super().save(uid, allocation)


def test_nothing_is_granted_that_could_be_forgotten(tmp_path: Path) -> None:
    """Others count on it. That a pod was taken is known without a record, too: by its containers."""

    async def story(node: FakeNode) -> None:
        allocations = node.services.allocations
        assert isinstance(allocations, StoredAllocations)
        disk = allocations.store = FullDisk(node.layout)
        await started(node, sized(app=SMALL))
        resize(node, app=LARGE)
        await node.clock.sleep(300)
        assert events(node) == []
        assert (await in_force(node)).memory_limit_in_bytes == 45 << 20
        disk.full = False
        await settled(node)
        await node.until(lambda: events(node) == ["ResizeStarted", "ResizeCompleted"])
        assert (await in_force(node)).memory_limit_in_bytes == 50 << 20

    run(tmp_path, story)


class Unreadable:
    """An admission that cannot read what it must."""

    def __init__(self, real: Admission) -> None:
        self._real = real
        self.broken = False

    async def admit(self, pod: Pod, others: Sequence[Pod], *, resized: bool = False) -> Refusal | None:
        if self.broken:
            raise OSError(5, "Input/output error")
        return await self._real.admit(pod, others, resized=resized)


def test_a_machine_that_cannot_be_read_is_looked_at_again(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        admission = node.admission = Unreadable(node.admission)
        await started(node, sized(app=SMALL))
        admission.broken = True
        resize(node, app=LARGE)
        await node.clock.sleep(300)
        assert events(node) == []
        admission.broken = False
        await settled(node)
        assert (await in_force(node)).memory_limit_in_bytes == 50 << 20

    run(tmp_path, story)


def test_a_pod_that_is_gone_leaves_nothing(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        await started(node, sized(app=SMALL))
        node.cri.refused_updates["app"] = "not now"
        resize(node, app=LARGE)
        await node.until(lambda: "PodResizeInProgress" in conditions(node))
        resize(node, app=resources("3", "35Mi", "3", "45Mi"))
        await node.until(lambda: "PodResizePending" in conditions(node))
        node.delete_pod("web", 0)
        await node.until(lambda: not node.pods)
        allocations = node.services.allocations
        assert isinstance(allocations, StoredAllocations)
        assert (allocations._known, allocations._requests, allocations._progress) == ({}, {}, {})
        assert not node.layout.pod("uid-web").exists()

    run(tmp_path, story)


@dataclass
class Ponderous:
    """Judges changes for five seconds."""

    clock: Clock
    refusing: bool = True
    changes: list[str] = field(default_factory=list)

    async def admit(self, pod: Pod, others: Sequence[Pod], *, resized: bool = False) -> Refusal | None:
        if not resized:
            return None
        self.changes.append(str(pod.spec.containers[0].resources.requests["memory"]))
        await self.clock.sleep(5)
        return Refusal("OutOfmemory", "not now") if self.refusing else None


async def judged_again(node: FakeNode) -> Ponderous:
    """A pod is asked for more, has to wait, and is being looked at again."""
    node.admission = judge = Ponderous(node.clock)
    await started(node, sized(app=SMALL))
    resize(node, app=LARGE)
    await node.until(lambda: "PodResizePending" in conditions(node))
    judge.refusing = False
    await node.until(lambda: len(judge.changes) == 2)
    return judge


def test_a_pod_that_ends_while_it_is_judged_is_granted_nothing(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        await judged_again(node)
        node.delete_pod("web", 0)
        await node.until(lambda: not node.pods, 3)
        await node.clock.sleep(10)
        assert not node.layout.pod("uid-web").exists()
        assert events(node) == ["ResizeDeferred"]

    run(tmp_path, story)


def test_what_is_not_asked_for_any_more_when_it_has_been_judged_is_not_granted(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        judge = await judged_again(node)
        resize(node, app=resources("30m", "45Mi", "35m", "55Mi"))
        await settled(node)
        assert judge.changes == ["40Mi", "40Mi", "45Mi"]
        await node.until(lambda: events(node) == ["ResizeDeferred", "ResizeStarted", "ResizeCompleted"])
        assert (await in_force(node)).memory_limit_in_bytes == 55 << 20

    run(tmp_path, story)
