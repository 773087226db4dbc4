"""What is left of pods that nobody knows is removed; what belongs to known ones stays."""

from pathlib import Path
from typing import ClassVar

from kubelet.harness import FakeCgroups, FakeMounter, FakeNode, FakeObjects, pod, run
from pilothouse.api.types.core_v1 import Volume
from pilothouse.kubelet.cri.interface import CriUnavailable, Sandbox
from pilothouse.kubelet.housekeeping import Housekeeping
from pilothouse.kubelet.pod_volumes import Volumes
from pilothouse.kubelet.volume import Ground, Surroundings, VolumeError, VolumeType
from pilothouse.kubelet.volume_record import VolumeRecord
from pilothouse.testing.fake_cri import FakeCri


def housekeeping(node: FakeNode, cri: FakeCri, cgroups: FakeCgroups, *types: type[VolumeType]) -> Housekeeping:
    mounter = FakeMounter()
    volumes = Volumes(types, node.layout, FakeObjects(), mounter, node.clock)
    return Housekeeping(cri, volumes, cgroups, mounter, node.layout, node.clock)


def test_strangers_go_and_known_pods_stay(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        for name in ("web", "gone"):
            node.add(pod(name))
        await node.until(lambda: all(node.state(name).get("ready") for name in ("web", "gone")))
        cgroups = FakeCgroups({"uid-web", "uid-gone"})
        await housekeeping(node, node.cri, cgroups).clean({"uid-web"})
        assert [sandbox.uid for sandbox in await node.cri.sandboxes()] == ["uid-web"]
        assert cgroups.present == {"uid-web"}
        assert [place.name for place in node.layout.pods.iterdir()] == ["uid-web"]
        assert [place.name for place in node.layout.logs.iterdir()] == ["default_web_uid-web"]

    run(tmp_path, story)


class BusyCri(FakeCri):
    """A runtime that does not answer the first time."""

    asked = 0

    async def sandboxes(self, uid: str = "") -> list[Sandbox]:
        self.asked += 1
        if self.asked == 1:
            raise CriUnavailable("UNAVAILABLE", "starting")
        return await super().sandboxes(uid)


def test_what_fails_is_tried_again(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        cri = BusyCri(node.clock)
        await housekeeping(node, cri, FakeCgroups()).clean(frozenset())
        assert cri.asked == 2

    run(tmp_path, story)


class Stuck(VolumeType):
    """A volume whose driver has not come yet."""

    field: ClassVar[str] = "csi"
    plugin: ClassVar[str] = "csi"

    async def set_up(self, _volume: Volume, _around: Surroundings, /) -> Path:
        return Path("/")

    async def tear_down(self, _record: VolumeRecord, _ground: Ground, /) -> None:
        raise VolumeError("driver not found")


def test_a_volume_that_cannot_go_keeps_nobody_waiting(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        stuck = node.layout.volume("uid-a", "csi", "v")
        stuck.mkdir(parents=True)
        node.layout.volume("uid-b", "empty-dir", "v").mkdir(parents=True)
        await housekeeping(node, node.cri, FakeCgroups(), Stuck).clean(frozenset())
        assert [place.name for place in node.layout.pods.iterdir()] == ["uid-a"]
        assert stuck.exists()

    run(tmp_path, story)
