"""Control groups on trees of plain files that look like a machine's of version 1, a hybrid one and one of version 2."""

import signal
import subprocess
from pathlib import Path

import pytest

from pilothouse.linux.cgroups import Cgroups, GroupLimits, weight

V1 = """\
cgroup {root}/cpu,cpuacct cgroup rw,nosuid,cpu,cpuacct 0 0
cgroup {root}/memory cgroup rw,memory 0 0
cgroup {root}/pids cgroup rw,pids 0 0
cgroup {root}/cpuset cgroup rw,cpuset 0 0
cgroup {root}/systemd cgroup rw,name=systemd 0 0
proc /proc proc rw 0 0
"""
HUGETLB = "cgroup {root}/hugetlb cgroup rw,hugetlb 0 0\n"
V2 = "cgroup2 {root}/unified cgroup2 rw,nsdelegate 0 0\n"
ASKED = GroupLimits(cpu_shares=512, cpu_quota=50_000, memory=1 << 20, pids=99)


def machine(tmp_path: Path, mounts: str) -> Cgroups:
    """Detected from the mounts, with the files that the kernel has at the top of each hierarchy."""
    found = Cgroups.detect(mounts.format(root=tmp_path))
    for directory in found.directories("/"):
        directory.mkdir()
    if "cpuset" in found.controllers:
        (tmp_path / "cpuset/cpuset.cpus").write_text("0-1\n")
        (tmp_path / "cpuset/cpuset.mems").write_text("0\n")
    if found.unified is not None:
        offer(found.unified)
    return found


def offer(directory: Path, offered: str = "cpuset cpu memory hugetlb pids misc", enabled: str = "memory") -> None:
    (directory / "cgroup.controllers").write_text(offered)
    (directory / "cgroup.subtree_control").write_text(enabled)


def fill(group: Path, *names: str) -> None:
    group.mkdir(parents=True, exist_ok=True)
    for name in names:
        (group / name).write_text("")


def contents(group: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in group.iterdir() if file.is_file()}


@pytest.mark.parametrize(("mounts", "controllers", "unified", "v2"), [
    (V1, {"cpu", "cpuacct", "memory", "pids", "cpuset", "name=systemd"}, False, False),
    (V1 + V2, {"cpu", "cpuacct", "memory", "pids", "cpuset", "name=systemd"}, True, False),
    (V2, set(), True, True),
    ("proc /proc proc rw 0 0\n", set(), False, False),
])  # fmt: skip
def test_hierarchies_are_found(mounts: str, controllers: set[str], unified: bool, v2: bool) -> None:
    found = Cgroups.detect(mounts.format(root="/sys/fs/cgroup"))
    assert (set(found.controllers), found.unified is not None, found.v2) == (controllers, unified, v2)


def test_the_first_mount_of_a_hierarchy_counts() -> None:
    found = Cgroups.detect("c /a cgroup rw,cpu 0 0\nc /b cgroup rw,cpu 0 0\nc /c cgroup2 rw 0 0\nc /d cgroup2 rw 0 0\n")
    assert (found.controllers, found.unified) == ({"cpu": Path("/a")}, Path("/c"))


def test_this_machine_has_hierarchies() -> None:
    assert Cgroups.detect().directories("/")


def test_a_group_is_made_in_every_hierarchy_once(tmp_path: Path) -> None:
    found = machine(tmp_path, V1)
    for group in ("kubepods", "kubepods/pod1"):
        fill(tmp_path / "cpuset" / group, "cpuset.cpus", "cpuset.mems")
    found.create("/kubepods/pod1")
    places = ["cpu,cpuacct", "memory", "pids", "cpuset", "systemd"]
    assert [directory.parent.parent.name for directory in found.directories("/kubepods/pod1")] == places
    assert all(directory.is_dir() for directory in found.directories("/kubepods/pod1"))
    assert contents(tmp_path / "cpuset/kubepods/pod1") == {"cpuset.cpus": "0-1\n", "cpuset.mems": "0\n"}


def test_processors_that_were_set_stay(tmp_path: Path) -> None:
    found = machine(tmp_path, V1)
    fill(tmp_path / "cpuset/kubepods", "cpuset.mems")
    (tmp_path / "cpuset/kubepods/cpuset.cpus").write_text("1")
    found.create("/kubepods")
    assert contents(tmp_path / "cpuset/kubepods") == {"cpuset.cpus": "1", "cpuset.mems": "0\n"}


def test_version_2_hands_controllers_down_to_the_groups_parent(tmp_path: Path) -> None:
    found = machine(tmp_path, V2)
    (tmp_path / "unified/kubepods").mkdir()
    offer(tmp_path / "unified/kubepods", "cpu memory", "")
    written: list[tuple[str, str]] = []

    def noting(path: str, data: str) -> None:
        written.append((str(Path(path).relative_to(tmp_path / "unified")), data))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pilothouse.linux.cgroups._write", noting)
        found.create("/kubepods/pod1")
    assert written == [
        ("cgroup.subtree_control", "+cpuset"), ("cgroup.subtree_control", "+cpu"),
        ("cgroup.subtree_control", "+hugetlb"), ("cgroup.subtree_control", "+pids"),
        ("kubepods/cgroup.subtree_control", "+cpu"), ("kubepods/cgroup.subtree_control", "+memory"),
    ]  # fmt: skip
    assert (tmp_path / "unified/kubepods/pod1").is_dir()


@pytest.mark.parametrize(("limits", "expected"), [
    (ASKED, {"cpu.shares": "512", "cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "50000",
             "memory.limit_in_bytes": "1048576", "pids.max": "99"}),
    (GroupLimits(), {"cpu.shares": "2", "cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "-1",
                     "memory.limit_in_bytes": "-1", "pids.max": "max"}),
])  # fmt: skip
@pytest.mark.parametrize("mounts", [V1, V1 + V2])
def test_limits_of_version_1(tmp_path: Path, mounts: str, limits: GroupLimits, expected: dict[str, str]) -> None:
    found = machine(tmp_path, mounts)
    fill(tmp_path / "cpu,cpuacct/p", "cpu.shares", "cpu.cfs_period_us", "cpu.cfs_quota_us")
    fill(tmp_path / "memory/p", "memory.limit_in_bytes")
    fill(tmp_path / "pids/p", "pids.max")
    found.limit("/p", limits)
    places = ("cpu,cpuacct", "memory", "pids")
    assert {name: text for place in places for name, text in contents(tmp_path / place / "p").items()} == expected


@pytest.mark.parametrize(("limits", "expected"), [
    (ASKED, {"cpu.weight": "59", "cpu.max": "50000 100000", "memory.max": "1048576", "pids.max": "99"}),
    (GroupLimits(), {"cpu.weight": "1", "cpu.max": "max 100000", "memory.max": "max", "pids.max": "max"}),
])  # fmt: skip
def test_limits_of_version_2(tmp_path: Path, limits: GroupLimits, expected: dict[str, str]) -> None:
    found = machine(tmp_path, V2)
    fill(tmp_path / "unified/p", *expected)
    found.limit("/p", limits)
    assert contents(tmp_path / "unified/p") == expected


@pytest.mark.parametrize(("mounts", "files"), [
    (V1, ["cpu,cpuacct/p/cpu.shares", "cpu,cpuacct/p/cpu.cfs_period_us", "cpu,cpuacct/p/cpu.cfs_quota_us",
          "memory/p/memory.limit_in_bytes", "pids/p/pids.max"]),
    (V2, ["unified/p/cpu.weight", "unified/p/cpu.max", "unified/p/memory.max", "unified/p/pids.max"]),
])  # fmt: skip
def test_what_is_not_named_stays(tmp_path: Path, mounts: str, files: list[str]) -> None:
    found = machine(tmp_path, mounts)
    for file in files:
        fill((tmp_path / file).parent, Path(file).name)
    found.limit("/p", GroupLimits(None, None, memory=None, pids=None))
    assert [(tmp_path / file).read_text() for file in files] == [""] * len(files)


def test_what_the_kernel_does_not_have_is_not_limited(tmp_path: Path) -> None:
    found = machine(tmp_path, V2)
    fill(tmp_path / "unified/p", "cpu.weight")
    found.limit("/p", ASKED)
    assert contents(tmp_path / "unified/p") == {"cpu.weight": "59"}


@pytest.mark.parametrize(("mounts", "place", "name"), [
    (V1 + HUGETLB, "hugetlb", "limit_in_bytes"),
    (V1 + HUGETLB + V2, "hugetlb", "limit_in_bytes"),
    (V1 + V2, "unified", "max"),
    (V2, "unified", "max"),
], ids=["v1", "v1 beside v2", "hybrid: in v2 alone", "v2"])  # fmt: skip
def test_huge_pages_are_limited_where_they_are_counted(tmp_path: Path, mounts: str, place: str, name: str) -> None:
    found, sizes = machine(tmp_path, mounts), ("2MB", "2MB.rsvd", "1GB")
    files = [f"hugetlb.{size}.{name}" for size in sizes]
    fill(tmp_path / place / "p", *files)
    found.limit("/p", GroupLimits(hugepages={"2MB": 4 << 20}))
    assert [(tmp_path / place / "p" / file).read_text() for file in files] == [str(4 << 20), str(4 << 20), ""]
    found.limit("/p", GroupLimits(hugepages={"2MB": 0, "1GB": 1 << 30}))
    assert [(tmp_path / place / "p" / file).read_text() for file in files] == ["0", "0", str(1 << 30)]


@pytest.mark.parametrize(("shares", "expected"), [
    (0, 1), (2, 1), (3, 2), (10, 4), (100, 17), (512, 59), (1024, 100), (2048, 174), (4096, 303), (262_144, 10_000),
])  # fmt: skip
def test_weights(shares: int, expected: int) -> None:
    assert weight(shares) == expected


@pytest.mark.parametrize(("mounts", "file", "own", "expected"), [
    (V1, "memory/memory.memsw.limit_in_bytes", "", True),
    (V1, "memory/memory.limit_in_bytes", "", False),
    (V2, "unified/mine/memory.swap.max", "0::/mine\n", True),
    (V2, "unified/mine/memory.swap.max", "0::/other\n", False),
    (V2, "unified/mine/memory.swap.max", "0::/\n", False),
    (V1 + V2, "unified/mine/memory.swap.max", "4:memory:/mine\n0::/mine\n", False),
])  # fmt: skip
def test_whether_swap_is_counted(tmp_path: Path, mounts: str, file: str, own: str, expected: bool) -> None:
    found = machine(tmp_path, mounts)
    fill((tmp_path / file).parent, Path(file).name)
    assert found.counts_swap(own) is expected


def test_groups_and_processes_of_all_hierarchies_count(tmp_path: Path) -> None:
    found = machine(tmp_path, V1 + V2)
    fill(tmp_path / "memory/kubepods/pod1/c1", "cgroup.procs")
    (tmp_path / "memory/kubepods/pod1/c1/cgroup.procs").write_text("12\n13\n")
    fill(tmp_path / "unified/kubepods/pod2", "cgroup.procs")
    (tmp_path / "unified/kubepods/pod2/cgroup.procs").write_text("13\n14\n")
    assert found.children("/kubepods") == ["pod1", "pod2"]
    assert found.children("/none") == []
    assert found.processes("/kubepods") == {12, 13, 14}
    assert (found.exists("/kubepods/pod2"), found.exists("/kubepods/pod3")) == (True, False)


def test_a_group_goes_with_those_below_it_and_no_other(tmp_path: Path) -> None:
    found = machine(tmp_path, V2)
    for group in ("kubepods/pod1/c1", "kubepods/pod1/c2/deep", "kubepods/pod10"):
        (tmp_path / "unified" / group).mkdir(parents=True)
    assert found.remove("/kubepods/pod1")
    assert found.children("/kubepods") == ["pod10"]
    assert found.remove("/kubepods/pod1")


@pytest.mark.node
def test_a_group_of_the_kernel_with_a_process_in_it_stays_until_that_is_killed() -> None:
    found = Cgroups.detect()
    found.create("/phk-test-cgroups/pod1")
    found.limit("/phk-test-cgroups/pod1", ASKED)
    with subprocess.Popen(["sleep", "100"]) as child:
        try:
            for directory in found.directories("/phk-test-cgroups/pod1"):
                (directory / "cgroup.procs").write_text(str(child.pid))
            assert child.pid in found.processes("/phk-test-cgroups")
            assert not found.remove("/phk-test-cgroups/pod1")
            found.kill("/phk-test-cgroups")
            assert child.wait(timeout=20) == -signal.SIGKILL
        finally:
            child.kill()
    assert found.remove("/phk-test-cgroups")
    assert not found.exists("/phk-test-cgroups")
