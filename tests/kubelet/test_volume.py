"""All volumes of a pod: made in order, and taken away."""

from pathlib import Path

import pytest

from kubelet.observing import pod
from kubelet.volumes.setting_up import Place
from pilothouse.kubelet.volume import VolumeError, Volumes
from pilothouse.runtime.clock import Clock
from pilothouse.testing import loop


def test_what_the_node_does_not_offer_is_said(tmp_path: Path) -> None:
    with pytest.raises(VolumeError, match="this node does not offer volumes of type nfs"):
        Place(tmp_path).set_up(pod(volumes=[{"name": "v", "nfs": {"server": "s", "path": "/"}}]))


def test_nothing_is_left(tmp_path: Path) -> None:
    place = Place(tmp_path)
    volumes = [{"name": "a", "emptyDir": {"medium": "Memory"}}, {"name": "b", "emptyDir": {}}]
    made = place.set_up(pod(volumes=volumes))
    words = place.layout.container("uid-web", "app") / "0"
    words.parent.mkdir(parents=True)
    words.write_text("last words")

    async def main(clock: Clock, _chance: object) -> None:
        known = Volumes([], place.layout, place.objects, place.mounter, clock)
        known.tear_down_volumes("uid-web")
        assert place.mounter.mounted == {}
        assert not made["a"].exists()
        assert words.read_text() == "last words"
        known.tear_down("uid-web")
        assert not place.layout.pod("uid-web").exists()

    loop.run(main)
