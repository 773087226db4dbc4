"""The kubelet is killed at each step of a pod with a claim: no claim stays ready, none is lost by a pod that runs."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from fakes.fault_points import FaultPoints
from kubelet.dra.claiming import FakeClaims, claim, uses
from kubelet.harness import FakeNode, pod
from kubelet.test_crash_points import FEW, MortalNode, Story, World, is_ready
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri.interface import ContainerState, Image
from pilothouse.kubelet.dra.claim_info import ClaimInfo, Device
from pilothouse.kubelet.dra.contribution import WithClaimed
from pilothouse.kubelet.dra.dynamic_resources import DynamicResources
from pilothouse.kubelet.dra.plugin import Outcome
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing import loop
from pilothouse.testing.fake_cri import FakeCri


class Driver:
    """Outlives kubelets. It minds being told to take back what somebody uses."""

    def __init__(self, cri: FakeCri) -> None:
        self.ready: dict[str, None] = {}
        self.asked = 0
        self.minded: list[str] = []
        self._cri = cri

    def plugin(self, driver: str) -> "Driver":
        return self

    async def prepare(self, infos: Iterable[ClaimInfo]) -> Mapping[str, Outcome]:
        self.asked += 1
        self.ready |= {info.uid: None for info in infos}
        return {
            info.uid: Outcome("", (Device("n1", info.name, (), (f"example.com/gpu={info.name}",)),)) for info in infos
        }

    async def unprepare(self, infos: Iterable[ClaimInfo]) -> Mapping[str, Outcome]:
        self.asked += 1
        running = [one.name for one in await self._cri.containers() if one.state is ContainerState.RUNNING]
        self.minded += running
        for info in infos:
            self.ready.pop(info.uid, None)
        return {info.uid: Outcome() for info in infos}


class ClaimingWorld(World):
    """Whose pods have a claim."""

    driver: Driver
    noted: list[str]
    """The pods that the last kubelet knew to have claims."""

    async def _life(self, points: FaultPoints, story: Story) -> None:
        async with Tasks() as tasks:
            node = MortalNode(
                self.root, self.clock, tasks, cri=points.around(self.cri), mounter=points.around(self.mounter),
                cgroups=points.around(self.cgroups),
            )  # fmt: skip
            claims = FakeClaims()
            claims.put(claim("a", "web"))
            resources = DynamicResources(self.root / "kubelet", claims, self.clock, tasks)
            plugins: Any = points.around(self.driver)
            resources.plugins = plugins
            node.points, node.pods, node.dynamic_resources = points, self.pods, resources
            node.contributor = WithClaimed(resources, node.contributor)
            for known in list(self.pods.values()):
                node.workers.on_change(None, known)
            tasks.spawn(self._give_back(node, resources), name="give back")
            await story(node)
            self.noted = resources.cache.pods()

    async def _give_back(self, node: FakeNode, resources: DynamicResources) -> None:
        async def ended(uid: str) -> bool:
            for one in await self.cri.containers(uid):
                await self.cri.stop_container(one.id, 0)
            return True

        while True:
            await self.clock.sleep(1.0)
            await resources.give_back(node.workers.pods(), ended)

    def look(self) -> object:
        return super().look(), self.driver.asked


def manifest() -> JsonObject:
    return pod(containers=[uses("gpu")], resourceClaims=[{"name": "gpu", "resourceClaimName": "a"}])


async def start(node: FakeNode) -> None:
    if not node.pods:
        node.add(manifest())
    await node.until(lambda: is_ready(node))


async def stop(node: FakeNode) -> None:
    if node.pods and node.pods["web"].metadata.deletionTimestamp is None:
        node.delete_pod("web")
    await node.until(lambda: not node.pods)


async def rest(node: FakeNode) -> None:
    await node.clock.sleep(5)


def tell(root: Path, story: Callable[[ClaimingWorld], Awaitable[None]]) -> None:
    root.mkdir()

    async def main(clock: LoopClock, _chance: object) -> None:
        fake = FakeCri(clock, present={"app:1": Image("sha256:app", ("app:1",))})
        world = ClaimingWorld(root, clock, fake)
        world.driver = Driver(fake)
        await story(world)

    loop.run(main)


def check(world: ClaimingWorld, expected: list[str], when: str) -> list[str]:
    """What is wrong."""
    wrong = [] if list(world.driver.ready) == expected else [f"{when}: ready is {list(world.driver.ready)}"]
    if bool(world.noted) != bool(expected):
        wrong.append(f"{when}: noted is {world.noted}")
    return [*wrong, *(f"{when}: taken from {name}" for name in world.driver.minded)]


def test_killed_at_any_step(tmp_path: Path) -> None:
    points: list[list[int]] = []

    async def undisturbed(world: ClaimingWorld) -> None:
        points.append((await world.live(start, looking=True)).changes())
        assert check(world, ["uid-a"], "it runs") == []
        points.append((await world.live(stop, looking=True)).changes())
        assert check(world, [], "it is gone") == []

    tell(tmp_path / "undisturbed", undisturbed)
    assert min(len(found) for found in points) > FEW, "the steps are no longer found"
    wrong: list[str] = []

    def story(number: int, *, starting: bool, gone: bool) -> Callable[[ClaimingWorld], Awaitable[None]]:
        async def told(world: ClaimingWorld) -> None:
            if starting:
                died = (await world.live(start, number)).touched[-1][0]
            else:
                await world.live(start)
                died = (await world.live(stop, number)).touched[-1][0]
            if gone:
                world.pods.clear()
                await world.live(rest)
                wrong.extend(check(world, [], f"{number}, after {died}, and nobody knows it"))
                return
            if starting:
                await world.live(start)
                wrong.extend(check(world, ["uid-a"], f"{number}, after {died}"))
            await world.live(stop)
            wrong.extend(check(world, [], f"{number}, after {died}, and left"))

        return told

    for starting, found in zip((True, False), points, strict=True):
        for number in found[1:]:
            for gone in (True, False):
                told = story(number, starting=starting, gone=gone)
                tell(tmp_path / f"{starting}-{number}-{gone}", told)
    assert wrong == []
