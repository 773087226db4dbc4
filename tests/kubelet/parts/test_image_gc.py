"""Unused images are looked for every five minutes; that it fails is told the second time."""

from pathlib import Path

from kubelet.at_work import context
from kubelet.harness import FakeNode, run
from pilothouse.kubelet.cri.interface import Image
from pilothouse.kubelet.images.policy import ImagePolicy
from pilothouse.kubelet.machine import Disk
from pilothouse.kubelet.parts.image_gc import PERIOD, ImageCollection
from pilothouse.runtime.tasks import Tasks


def test_a_full_disk_is_seen_within_five_minutes(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.cri.present["old:1"] = Image("sha256:old", ("old:1",), (), 100)
        async with Tasks() as tasks:
            tasks.spawn(ImageCollection().run(context(node, tasks)), name="part")
            await node.clock.sleep(1)
            assert "old:1" in node.cri.present
            node.image_disk = Disk(1000, 100, 0, 0)
            await node.clock.sleep(PERIOD)
            assert "old:1" not in node.cri.present
            tasks.cancel_all()

    run(tmp_path, story)


def test_a_second_failure_is_told(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.image_disk = Disk(1000, 0, 0, 0)
        node.cri.present.clear()
        async with Tasks() as tasks:
            tasks.spawn(ImageCollection().run(context(node, tasks)), name="part")
            await node.clock.sleep(1)
            assert node.told.reasons() == ["FreeDiskSpaceFailed"]
            await node.clock.sleep(PERIOD)
            assert node.told.reasons()[1:] == ["FreeDiskSpaceFailed", "ImageGCFailed"]
            assert node.told.events[2][2].startswith("Failed to garbage collect required amount of images.")
            node.image_disk = Disk(1000, 900, 0, 0)
            await node.clock.sleep(PERIOD)
            node.image_disk = Disk(1000, 0, 0, 0)
            await node.clock.sleep(PERIOD)
            assert node.told.reasons()[3:] == ["FreeDiskSpaceFailed"]
            tasks.cancel_all()

    run(tmp_path, story)


def test_where_nothing_is_to_go_it_is_only_looked_at(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.image_policy = ImagePolicy(high_threshold=100)
        node.image_disk = Disk(1000, 0, 0, 0)
        async with Tasks() as tasks:
            tasks.spawn(ImageCollection().run(context(node, tasks, image_policy=node.image_policy)), name="part")
            await node.clock.sleep(2 * PERIOD)
            assert node.told.events == []
            assert "app:1" in node.cri.present
            # What came since is known not to be old.
            node.cri.present["new:1"] = Image("sha256:new", ("new:1",), (), 100)
            await node.services.image_gc.free(1000, [])
            assert [*node.cri.present] == ["new:1"]
            tasks.cancel_all()

    run(tmp_path, story)
