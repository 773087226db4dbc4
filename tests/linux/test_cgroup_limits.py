"""Limits of groups, read back from files as the kernel writes them."""

from pathlib import Path

import pytest

from pilothouse.linux.cgroup_limits import limits
from pilothouse.linux.cgroups import Cgroups, GroupLimits


@pytest.mark.parametrize(("cpu", "memory", "expected"), [
    ("50000 100000", "67108864", GroupLimits(cpu_quota=50_000, memory=64 << 20)),
    ("max 100000", "max", GroupLimits()),
    ("7000 20000", "max", GroupLimits(cpu_quota=7000, cpu_period=20_000)),
])  # fmt: skip
def test_version_2(tmp_path: Path, cpu: str, memory: str, expected: GroupLimits) -> None:
    group = tmp_path / "a"
    group.mkdir()
    (group / "cpu.max").write_text(f"{cpu}\n")
    (group / "memory.max").write_text(f"{memory}\n")
    assert limits(Cgroups({}, tmp_path), "/a") == expected


@pytest.mark.parametrize(("quota", "memory", "expected"), [
    ("50000", "67108864", GroupLimits(cpu_quota=50_000, memory=64 << 20)),
    ("-1", "9223372036854771712", GroupLimits()),
])  # fmt: skip
def test_version_1(tmp_path: Path, quota: str, memory: str, expected: GroupLimits) -> None:
    hierarchies = {name: tmp_path / name for name in ("cpu", "memory")}
    for root in hierarchies.values():
        (root / "a").mkdir(parents=True)
    (tmp_path / "cpu/a/cpu.cfs_quota_us").write_text(f"{quota}\n")
    (tmp_path / "cpu/a/cpu.cfs_period_us").write_text("100000\n")
    (tmp_path / "memory/a/memory.limit_in_bytes").write_text(f"{memory}\n")
    assert limits(Cgroups(hierarchies, tmp_path / "unified"), "/a") == expected


def test_a_group_that_is_not_there(tmp_path: Path) -> None:
    assert limits(Cgroups({}, tmp_path), "/a") is None
    (tmp_path / "a").mkdir()
    assert limits(Cgroups({}, tmp_path), "/a") == GroupLimits()
