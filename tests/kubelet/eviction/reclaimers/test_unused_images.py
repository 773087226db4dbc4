"""Images that nobody uses go, the others stay."""

from pathlib import Path

from kubelet.harness import FakeNode, pod, run
from pilothouse.kubelet.cri.interface import CriUnavailable, Image
from pilothouse.kubelet.eviction.reclaimers.unused_images import UnusedImages
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing import loop
from pilothouse.testing.fake_cri import FakeCri


def test_only_what_a_container_is_made_from_stays(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.cri.present["old:1"] = Image("sha256:old", ("old:1",))
        node.add(pod())
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        await UnusedImages(node.services, node.workers).reclaim()
        assert [image.id for image in await node.cri.images()] == ["sha256:app"]

    run(tmp_path, story)


class Stubborn(FakeCri):
    """Lets no image go."""

    async def remove_image(self, image: str) -> None:
        self.calls.append(f"remove_image {image}")
        raise CriUnavailable("UNAVAILABLE", "no socket")


def test_what_cannot_be_removed_is_no_reason_to_stop(tmp_path: Path) -> None:
    async def main(clock: LoopClock, _chance: object) -> None:
        async with Tasks() as tasks:
            cri = Stubborn(clock, present={"app:1": Image("sha256:app", ("app:1",))})
            node = FakeNode(tmp_path, clock, tasks, cri=cri)
            await UnusedImages(node.services, node.workers).reclaim()
            assert "remove_image sha256:app" in cri.calls
            tasks.cancel_all()

    loop.run(main)
