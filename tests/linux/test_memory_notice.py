"""The kernel's word on memory: with files that look like its own, and from a real group where there are some."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pilothouse.linux.cgroups import Cgroups
from pilothouse.linux.memory_notice import MemoryNotice
from pilothouse.runtime.clock import SystemClock

_EATS = "print(len(b'x' * (32 << 20)))"


def test_the_kernel_is_told_what_to_watch_and_calls(tmp_path: Path) -> None:
    async def main() -> None:
        for name in ("memory.usage_in_bytes", "cgroup.event_control"):
            (tmp_path / name).touch()
        heard = asyncio.Event()
        with MemoryNotice(tmp_path, 4096, heard.set):
            event, _, limit = (tmp_path / "cgroup.event_control").read_text().split()
            assert limit == "4096"
            os.eventfd_write(int(event), 1)
            await heard.wait()
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.eventfd_write(int(event), 1)

    asyncio.run(main())


def test_a_group_that_is_not_there_leaves_nothing_open(tmp_path: Path) -> None:
    async def main() -> None:
        with pytest.raises(FileNotFoundError):
            MemoryNotice(tmp_path, 1, lambda: None)

    before = _open_files()
    asyncio.run(main())
    assert _open_files() == before


def _open_files() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


@pytest.mark.skipif(
    os.geteuid() != 0 or "memory" not in Cgroups.detect().controllers, reason="needs root and memory of version 1"
)
def test_a_real_group_is_heard_of() -> None:
    async def main() -> None:
        group = Cgroups.detect().controllers["memory"] / f"notice-{os.getpid()}"
        group.mkdir()
        heard = asyncio.Event()
        program = f'read go; echo $$ > {group}/cgroup.procs; exec {sys.executable} -c "{_EATS}"'
        eater = await asyncio.create_subprocess_exec("sh", "-c", program, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert eater.stdin is not None
        try:
            with MemoryNotice(group, 16 << 20, heard.set):
                eater.stdin.write(b"go\n")
                async with SystemClock().timeout(30):
                    await heard.wait()
        finally:
            await eater.communicate(b"")
            group.rmdir()

    asyncio.run(main())
