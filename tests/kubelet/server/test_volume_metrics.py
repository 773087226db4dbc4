"""Metrics of claims."""

from kubelet.csi_station import user
from kubelet.storing import claimed
from pilothouse.kubelet.disk_usage import FilesystemUse
from pilothouse.kubelet.server.exposition import page
from pilothouse.kubelet.server.volume_metrics import volume_families

USE = FilesystemUse(used=2, inodes_used=5, capacity=3, available=1, inodes=9, inodes_free=4, at=7.0)


def test_each_claim_is_told_of_once() -> None:
    pods = [user("a", claimed(), {"name": "e", "emptyDir": {}}), user("b"), user("c", claimed("other"))]
    known = {"uid-a": {"v": USE, "e": USE}, "uid-b": {"v": USE}}
    told = page(volume_families(pods, lambda uid: known.get(uid, {}))).decode().splitlines()
    assert [line for line in told if not line.startswith("#")] == [
        f'kubelet_volume_stats_{name}{{namespace="default",persistentvolumeclaim="data"}} {value}'
        for name, value in (
            ("available_bytes", 1), ("capacity_bytes", 3), ("inodes", 9), ("inodes_free", 4), ("inodes_used", 5),
            ("used_bytes", 2),
        )
    ]  # fmt: skip
    assert "# HELP kubelet_volume_stats_capacity_bytes [ALPHA] Capacity in bytes of the volume" in told
