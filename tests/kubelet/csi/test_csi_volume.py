"""A volume as a driver is told of it."""

from pathlib import Path

import pytest

from pilothouse.kubelet.csi.csi_volume import CsiVolume, attachment_name, staging_path, target_path
from pilothouse.kubelet.layout import Layout


@pytest.mark.parametrize(("mode", "plain", "fine"), [
    ("ReadWriteOnce", 1, 7), ("ReadWriteOncePod", 1, 6), ("ReadOnlyMany", 3, 3), ("ReadWriteMany", 5, 5),
])  # fmt: skip
def test_access_modes(mode: str, plain: int, fine: int) -> None:
    volume = CsiVolume("d", "h", "pv", access_modes=(mode, "ReadWriteMany"))
    assert volume.use(frozenset(), None).access_mode.mode == plain
    assert volume.use({"SINGLE_NODE_MULTI_WRITER"}, None).access_mode.mode == fine


def test_names_and_places() -> None:
    layout, volume = Layout(Path("/k"), Path("/l")), CsiVolume("d", "h", "pv")
    # sha256 of "hdn" and of "h"
    assert attachment_name(volume, "n") == "csi-" + _sum("hdn")
    assert staging_path(volume, layout) == Path(f"/k/plugins/kubernetes.io/csi/d/{_sum('h')}/globalmount")
    assert target_path(volume, "u", layout) == Path("/k/pods/u/volumes/kubernetes.io~csi/pv/mount")
    assert volume.key == "kubernetes.io/csi/d^h"


def _sum(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()
