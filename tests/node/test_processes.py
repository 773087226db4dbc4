"""Who runs what on a machine with a node, as `status` tells it and as the kernel has it."""

from pathlib import Path

from fakes.command import Cluster

ROOT, NOBODY_SPECIAL = 0, 65532
EXPECTED = {
    "supervisor": ROOT, "watcher": ROOT, "node": ROOT, "proxy": ROOT,
    "apiserver": NOBODY_SPECIAL, "control": NOBODY_SPECIAL, "dns": NOBODY_SPECIAL,
}  # fmt: skip


def test_only_what_changes_the_kernel_is_root(cluster: Cluster) -> None:
    processes = cluster.status()["processes"]
    assert {each["role"]: each["uid"] for each in processes} == EXPECTED
    for each in processes:
        lines = Path(f"/proc/{each['pid']}/status").read_text().splitlines()
        (uids,) = [line.split()[1:] for line in lines if line.startswith("Uid:")]
        assert set(uids) == {str(EXPECTED[each["role"]])}


def test_what_one_role_keeps_is_closed_to_the_others(cluster: Cluster) -> None:
    for name, uid in EXPECTED.items():
        place = cluster.home / name
        if place.is_dir():
            assert (place.stat().st_uid, place.stat().st_mode & 0o777) == (uid, 0o700), name
    assert (cluster.home / "authority").stat().st_uid == ROOT
    assert (cluster.home / "authority" / "ca.key").stat().st_mode & 0o777 == 0o600
