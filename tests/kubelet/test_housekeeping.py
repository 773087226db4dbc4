"""What is left of pods that nobody knows is removed; what belongs to known ones stays."""

from pathlib import Path

from kubelet.harness import FakeCgroups, FakeMounter, FakeNode, FakeObjects, pod, run
from pilothouse.kubelet.cri.interface import CriUnavailable, Sandbox
from pilothouse.kubelet.housekeeping import Housekeeping
from pilothouse.kubelet.volume import Volumes
from pilothouse.testing.fake_cri import FakeCri


def housekeeping(node: FakeNode, cri: FakeCri, cgroups: FakeCgroups) -> Housekeeping:
    mounter = FakeMounter()
    volumes = Volumes([], node.layout, FakeObjects(), mounter, node.clock)
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
