"""The kubelet is killed at each step of a pod's life; the next one brings the pod to the same end, and nothing leaks.

The steps are found by `fakes.fault_points`. Runtime, mounts, control groups, files and the API server live on.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fakes.fault_points import FaultPoints
from kubelet.at_work import context
from kubelet.harness import FakeCgroups, FakeMounter, FakeNode, pod
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.cri.interface import ContainerState, Image
from pilothouse.kubelet.parts.housekeeping import Sweeps
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing import loop
from pilothouse.testing.fake_cri import Behaviour, FakeCri

Story = Callable[[FakeNode], Awaitable[None]]
Undisturbed = list[tuple[list[int], dict[str, Any]]]
QUIET = 5.0
SWEPT = 65.0
"""Seconds in which the node is swept once more."""
FEW = 5


class MortalNode(FakeNode):
    """A kubelet whose calls of the API server are touches as well; what they do there stays done."""

    points: FaultPoints

    async def patch_status(self, pod: Pod, patch: JsonObject) -> Pod:
        self.points.touch("patch_status")
        answer = await super().patch_status(pod, patch)
        self.points.touch("patch_status answers")
        return answer

    async def delete(self, pod: Pod) -> None:
        self.points.touch("delete")
        self.pods.pop(pod.metadata.name)
        self.points.touch("delete answers")
        self.workers.on_change(pod, None)


@dataclass
class World:
    """What outlives a kubelet."""

    root: Path
    clock: LoopClock
    cri: FakeCri
    mounter: FakeMounter = field(default_factory=FakeMounter)
    cgroups: FakeCgroups = field(default_factory=FakeCgroups)
    pods: dict[str, Pod] = field(default_factory=dict)

    async def live(self, story: Story, last: int | None = None, *, looking: bool = False) -> FaultPoints:
        """One kubelet, to the end of the story or to that touch."""
        points = FaultPoints(self.root, last, self.look if looking else lambda: None)
        with points:
            life = asyncio.create_task(self._life(points, story))  # noqa: TID251 - it is killed from outside
            end = asyncio.create_task(points.ended.wait())  # noqa: TID251
            await asyncio.wait((life, end), return_when=asyncio.FIRST_COMPLETED)
            life.cancel()
            end.cancel()
            (outcome,) = await asyncio.gather(life, return_exceptions=True)
        if isinstance(outcome, BaseException) and not points.ended.is_set():
            raise outcome
        return points

    async def _life(self, points: FaultPoints, story: Story) -> None:
        async with Tasks() as tasks:
            node = MortalNode(
                self.root, self.clock, tasks, cri=points.around(self.cri), mounter=points.around(self.mounter),
                cgroups=points.around(self.cgroups),
            )  # fmt: skip
            node.points, node.pods = points, self.pods
            node.objects.config_maps["settings"] = {"data": {"deep": "1", "a": "b"}}
            node.objects.secrets["key"] = {"data": {"token": "c2VjcmV0"}}
            for known in list(self.pods.values()):
                node.workers.on_change(None, known)
            tasks.spawn(Sweeps().run(context(node, tasks)), name="sweeps")
            await story(node)

    def look(self) -> object:
        """Differs whenever the world does."""
        files = [(str(path), path.lstat().st_mtime_ns, path.lstat().st_mode) for path in sorted(self.root.rglob("*"))]
        versions = [found.metadata.resourceVersion for found in self.pods.values()]
        return len(self.cri.calls), sorted(self.mounter.mounted), sorted(self.cgroups.present), versions, files

    async def state(self) -> dict[str, Any]:
        """What there is, without what may differ: how often it was tried, and names after the time."""
        running = [one for one in await self.cri.containers() if one.state is ContainerState.RUNNING]
        ready = [one for one in await self.cri.sandboxes() if one.ready]
        files = sorted(
            str(path.relative_to(self.root))
            for path in self.root.rglob("*")
            if not any(part.startswith("..2") for part in path.parts) and "containers" not in path.parts
        )
        made_once = {"kubelet", "kubelet/pods", "logs"}
        return {
            "running": sorted(one.name for one in running),
            "sandboxes": len(ready),
            "mounts": sorted(str(path.relative_to(self.root)) for path in self.mounter.mounted),
            "groups": sorted(self.cgroups.present),
            "files": [path for path in files if path not in made_once],
            "pods": {name: found.status.phase for name, found in self.pods.items()},
        }


def manifest() -> JsonObject:
    """A pod with something of everything that leaves traces."""
    mounts = [
        {"name": "settings", "mountPath": "/settings"},
        {"name": "settings", "mountPath": "/one", "subPath": "deep"},
        {"name": "key", "mountPath": "/key"},
        {"name": "all", "mountPath": "/all"},
        {"name": "scratch", "mountPath": "/scratch"},
    ]
    hooks = {"postStart": {"exec": {"command": ["hello"]}}, "preStop": {"exec": {"command": ["bye"]}}}
    image = {"image": "app:1", "terminationMessagePath": "/dev/termination-log"}
    projected = {"sources": [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}}, {"configMap": {"name": "settings"}},
    ]}  # fmt: skip
    return pod(
        initContainers=[{"name": "first", **image}],
        containers=[
            {"name": "app", "volumeMounts": mounts, "lifecycle": hooks, **image}, {"name": "beside", **image},
        ],
        volumes=[
            {"name": "settings", "configMap": {"name": "settings"}},
            {"name": "key", "secret": {"secretName": "key"}},
            {"name": "all", "projected": projected},
            {"name": "scratch", "emptyDir": {"medium": "Memory"}},
        ],
    )  # fmt: skip


def is_ready(node: FakeNode) -> bool:
    conditions = node.pods["web"].status.conditions
    return any(each.type == "Ready" and each.status == "True" for each in conditions)


async def start(node: FakeNode) -> None:
    """The pod runs, and all is quiet."""
    if not node.pods:
        node.add(manifest())
    await node.until(lambda: is_ready(node))
    await node.clock.sleep(QUIET)


async def restart(node: FakeNode) -> None:
    """A container has ended, and runs again."""
    if node.state()["restartCount"] == 0 and all(one.attempt == 0 for one in await node.runtime.containers()):
        node.runtime.end("app", 1)  # type: ignore[attr-defined]
    await node.until(lambda: node.state()["restartCount"] > 0 and is_ready(node))
    await node.clock.sleep(QUIET)


async def stop(node: FakeNode) -> None:
    """The pod is gone, and all is quiet."""
    if node.pods and node.pods["web"].metadata.deletionTimestamp is None:
        node.delete_pod("web")
    await node.until(lambda: not node.pods)
    await node.clock.sleep(QUIET)


async def rest(node: FakeNode) -> None:
    """Nothing is asked of the node."""
    await node.clock.sleep(SWEPT)


STORIES = (start, restart, stop)


def _behaviour(config: JsonObject) -> Behaviour:
    return Behaviour(ends_after=1.0 if config["metadata"]["name"] == "first" else None)


def tell(root: Path, story: Callable[[World], Awaitable[None]]) -> None:
    root.mkdir()

    async def main(clock: LoopClock, _chance: object) -> None:
        fake = FakeCri(clock, present={"app:1": Image("sha256:app", ("app:1",))}, behaviour=_behaviour)
        await story(World(root, clock, fake))

    loop.run(main)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """A life without a death: of each story, where it could have ended, and what there is after it."""
    found: Undisturbed = []

    async def whole(world: World) -> None:
        for story in STORIES:
            points = (await world.live(story, looking=True)).changes()
            found.append((points, await world.state()))

    tell(tmp_path_factory.mktemp("undisturbed") / "node", whole)
    return found


@pytest.mark.parametrize("which", range(len(STORIES)), ids=[story.__name__ for story in STORIES])
def test_killed_at_any_step(tmp_path: Path, undisturbed: Undisturbed, which: int) -> None:
    points, after = undisturbed[which]
    assert len(points) > FEW, "the steps are no longer found"
    wrong: dict[str, Any] = {}

    async def whole(world: World) -> None:
        for story in STORIES[:which]:
            await world.live(story)
        died = (await world.live(STORIES[which], number)).touched[-1][0]
        await world.live(STORIES[which])
        if (found := await world.state()) != after:
            wrong[f"{number}, after {died}"] = {name: found[name] for name in found if found[name] != after[name]}
        await world.live(stop)
        if (found := await world.state()) != undisturbed[-1][1]:
            wrong[f"{number}, after {died}, and left"] = found

    for number in points[1:]:
        tell(tmp_path / str(number), whole)
    assert wrong == {}


def test_killed_at_any_step_of_a_start_and_the_pod_is_gone_when_the_next_one_comes(
    tmp_path: Path, undisturbed: Undisturbed
) -> None:
    wrong: dict[int, Any] = {}

    async def whole(world: World) -> None:
        await world.live(start, number)
        world.pods.clear()
        await world.live(rest)
        if (found := await world.state()) != undisturbed[-1][1]:
            wrong[number] = found

    for number in undisturbed[0][0][1:]:
        tell(tmp_path / str(number), whole)
    assert wrong == {}
