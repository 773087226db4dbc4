"""Images: nothing is to be set up, and whatever an earlier kubelet mounted is taken away."""

import asyncio
from pathlib import Path

from kubelet.harness import FakeMounter, FakeObjects, pod
from kubelet.images.test_image_volumes import DIGEST, FakeImageMounts
from kubelet.volumes.setting_up import Place
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.volume import Ground, image_key
from pilothouse.kubelet.volume_record import VolumeRecord
from pilothouse.kubelet.volumes.image import ImageVolume
from pilothouse.runtime.clock import SystemClock


def test_there_is_nothing_to_set_up(tmp_path: Path) -> None:
    place = Place(tmp_path)
    made = place.set_up(Pod(pod(volumes=[{"name": "v", "image": {"reference": "pictures:1"}}])))
    assert made == {"v": place.layout.volume("uid-web", "image", "v")}
    assert not made["v"].exists()


def test_what_was_mounted_is_taken_away_again_and_again(tmp_path: Path) -> None:
    layout, mounter = Layout(tmp_path / "kubelet", tmp_path / "logs"), FakeMounter()
    contents = (DIGEST, "b" * 64)
    shown = FakeImageMounts({image_key("u", "v", content): content for content in contents})
    directory = layout.volume("u", "image", "v")
    for content in contents:
        (directory / content).mkdir(parents=True)
    mounter.bind(tmp_path, directory / DIGEST)
    ground = Ground(layout, FakeObjects(), mounter, SystemClock(), image_mounts=shown)
    for _ in range(2):
        asyncio.run(ImageVolume().tear_down(VolumeRecord("u", "image", "v"), ground))
        assert (mounter.mounted, shown.shown, directory.exists()) == ({}, {}, False)
