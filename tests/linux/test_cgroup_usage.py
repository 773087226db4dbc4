"""What groups use, on trees of plain files as machines of version 1, hybrid ones and ones of version 2 have them."""

import errno
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from linux.test_cgroups import V1, V2, machine
from pilothouse.linux.cgroup_usage import Throttling, Usage, throttling, usage
from pilothouse.linux.cgroups import Cgroups

V1_FILES = {
    "cpu,cpuacct/p/cpuacct.usage": "123456789\n",
    "memory/p/memory.usage_in_bytes": "5000\n",
    "memory/p/memory.stat": "cache 1\nrss 2\npgfault 3\ninactive_file 4\nhierarchical_memory_limit 9223372036854771\n"
                            "total_cache 3000\ntotal_rss 2000\ntotal_pgfault 70\ntotal_pgmajfault 7\n"
                            "total_inactive_file 1200\ntotal_swap 64\n",
    "pids/p/pids.current": "3\n",
}  # fmt: skip
V2_FILES = {
    "unified/p/cpu.stat": "usage_usec 123456\nuser_usec 1\nsystem_usec 2\n",
    "unified/p/memory.current": "5000\n",
    "unified/p/memory.stat": "anon 2000\nfile 3000\ninactive_file 1200\npgfault 70\npgmajfault 7\n",
    "unified/p/memory.swap.current": "64\n",
    "unified/p/pids.current": "3\n",
}
V1_USAGE = Usage(123_456_789, 5000, 3800, 2000, 70, 7, 3, 64, 3000)
V2_USAGE = Usage(123_456_000, 5000, 3800, 2000, 70, 7, 3, 64, 3000)
MEMORY_IN_V2 = "cgroup {root}/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\n" + V2


def have(root: Path, files: Mapping[str, str]) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)


@pytest.mark.parametrize(("mounts", "files", "expected"), [
    (V1, V1_FILES, V1_USAGE),
    (V1 + V2, V1_FILES, V1_USAGE),
    (V2, V2_FILES, V2_USAGE),
    (MEMORY_IN_V2, V2_FILES | {"cpu,cpuacct/p/cpuacct.usage": "9\n"}, Usage(9, 5000, 3800, 2000, 70, 7, 3, 64, 3000)),
    (V2, V2_FILES | {"unified/p/memory.stat": "inactive_file 9999\n"}, Usage(123_456_000, 5000, 0, 0, 0, 0, 3, 64)),
    (V2, {"unified/p/cpu.stat": "usage_usec 1\n"}, Usage(1000, 0, 0, 0, 0, 0, 0, 0)),
], ids=["v1", "hybrid", "v2", "memory in v2", "less than it could give back", "nothing handed down"])  # fmt: skip
def test_usage(tmp_path: Path, mounts: str, files: Mapping[str, str], expected: Usage) -> None:
    found = machine(tmp_path, mounts)
    have(tmp_path, files)
    assert usage(found, "/p") == usage(found, "p/") == expected


def test_the_whole_machine_with_version_2(tmp_path: Path) -> None:
    found = machine(tmp_path, V2)
    have(tmp_path, {"unified/cpu.stat": "usage_usec 4\n", "unified/memory.stat": "anon 10\nfile 20\ninactive_file 5\n"})
    assert usage(found, "/") == Usage(4000, 30, 25, 10, 0, 0, 0, 0, 20)


@pytest.mark.parametrize(("mounts", "files", "missing"), [
    (V1, V1_FILES, "cpu,cpuacct/p/cpuacct.usage"), (V1, V1_FILES, "memory/p/memory.usage_in_bytes"),
    (V1, V1_FILES, "memory/p/memory.stat"), (V2, V2_FILES, "unified/p/cpu.stat"),
])  # fmt: skip
def test_a_group_that_goes_has_no_usage(tmp_path: Path, mounts: str, files: Mapping[str, str], missing: str) -> None:
    found = machine(tmp_path, mounts)
    assert usage(found, "/p") is None
    have(tmp_path, files)
    (tmp_path / missing).unlink()
    assert usage(found, "/p") is None


def test_a_group_that_goes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, read = machine(tmp_path, V1), os.read
    have(tmp_path, V1_FILES)

    def gone(handle: int, size: int) -> bytes:
        if read(handle, size).startswith(b"cache"):
            raise OSError(errno.ENODEV, "No such device")
        os.lseek(handle, 0, os.SEEK_SET)
        return read(handle, size)

    monkeypatch.setattr(os, "read", gone)
    assert usage(found, "/p") is None


def test_a_machine_that_counts_nothing() -> None:
    assert usage(Cgroups({}, None), "/p") == Usage(0, 0, 0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize(("mounts", "file", "text"), [
    (V1, "cpu,cpuacct/p/cpu.stat", "nr_periods 10\nnr_throttled 4\nthrottled_time 5000\n"),
    (V2, "unified/p/cpu.stat", "usage_usec 1\nnr_periods 10\nnr_throttled 4\nthrottled_usec 5\n"),
])  # fmt: skip
def test_how_often_a_group_had_to_wait(tmp_path: Path, mounts: str, file: str, text: str) -> None:
    found = machine(tmp_path, mounts)
    assert throttling(found, "/p") is None
    have(tmp_path, {file: text})
    assert throttling(found, "/p") == Throttling(10, 4, 5000)


@pytest.mark.parametrize(("mounts", "files"), [(V1, V1_FILES), (V2, V2_FILES)])
def test_few_files_are_read(
    tmp_path: Path, mounts: str, files: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found, opened, opening = machine(tmp_path, mounts), [], os.open
    have(tmp_path, files)

    def noting(path: str, flags: int) -> int:
        opened.append(str(Path(path).relative_to(tmp_path)))
        return opening(path, flags)

    monkeypatch.setattr(os, "open", noting)
    assert usage(found, "/p")
    assert sorted(opened) == sorted(files)


def test_this_machine() -> None:
    """Of the kernel itself: the whole machine uses memory, and has spent time."""
    found = usage(Cgroups.detect(), "/")
    assert found is not None
    assert found.memory >= found.working_set >= 0
    assert found.cpu_nanos > 0
