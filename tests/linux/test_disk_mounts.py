"""Commands that mount, and that fail, hang or are not there. What works is tried on disks in the kubelet's tests."""

import asyncio
from pathlib import Path

import pytest

from pilothouse.linux.disk_mounts import DiskError, DiskMounts
from pilothouse.runtime.clock import LoopClock, SystemClock
from pilothouse.testing import loop


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only commands there are."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def command(directory: Path, name: str, script: str) -> None:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_what_was_mounted_how(commands: Path) -> None:
    command(commands, "mount", f'echo "$@" > {commands}/told')

    async def main(clock: LoopClock, _chance: object) -> None:
        await DiskMounts(clock).mount("s:/x", Path("/t"), "nfs", ("ro", "hard"))

    loop.run(main)
    assert (commands / "told").read_text() == "-t nfs -o ro,hard -- s:/x /t\n"


def test_what_a_command_says_is_told(commands: Path) -> None:
    command(commands, "mount", "echo access denied >&2; exit 32")

    async def main(clock: LoopClock, _chance: object) -> None:
        with pytest.raises(DiskError) as told:
            await DiskMounts(clock).mount("s:/x", Path("/t"), "nfs")
        assert str(told.value) == (
            "mount failed: exit status 32\nMounting command: mount\nMounting arguments: -t nfs s:/x /t\n"
            "Output: access denied"
        )

    loop.run(main)


@pytest.mark.parametrize(("script", "fine"), [
    ("exit 0", True), ("echo 'umount: /t: not mounted.'; exit 32", True),
    ("echo 'umount: /t: no mount point specified.'; exit 32", True), ("echo target is busy; exit 32", False),
])  # fmt: skip
def test_what_is_not_mounted_need_not_be_unmounted(commands: Path, script: str, fine: bool) -> None:
    command(commands, "umount", script)

    async def main(clock: LoopClock, _chance: object) -> None:
        if fine:
            await DiskMounts(clock).unmount(Path("/t"))
        else:
            with pytest.raises(DiskError, match="target is busy"):
                await DiskMounts(clock).unmount(Path("/t"))

    loop.run(main)


def test_what_hangs_is_given_up(commands: Path) -> None:
    command(commands, "umount", f"echo $$ > {commands}/pid; exec sleep 1000")

    async def main() -> None:
        with pytest.raises(DiskError, match="umount did not end in time: -- /t"):
            await DiskMounts(SystemClock(), patience=2.0).unmount(Path("/t"))

    asyncio.run(main())
    assert not (Path("/proc") / (commands / "pid").read_text().strip() / "exe").exists()


def test_what_is_given_up_ends_with_what_it_has_started(commands: Path) -> None:
    told = commands / "pid"
    command(commands, "mount", f"/bin/sleep 1000 & echo $! > {told}.new; mv {told}.new {told}; wait")

    async def main(clock: SystemClock) -> Path:
        async with clock.timeout(30), asyncio.TaskGroup() as group:
            mounting = group.create_task(DiskMounts(clock).mount("s:/x", Path("/t"), "nfs"))
            while not told.exists():
                await clock.sleep(0.01)
            program = Path("/proc") / told.read_text().strip() / "exe"
            assert program.exists()
            mounting.cancel()
            while program.exists():
                await clock.sleep(0.01)
        return program

    assert not asyncio.run(main(SystemClock())).exists()


def test_a_command_speaks_the_language_that_is_read(commands: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    command(commands, "umount", "test $LC_ALL = C && echo not mounted || echo nicht eingehängt; exit 32")

    async def main(clock: LoopClock, _chance: object) -> None:
        await DiskMounts(clock).unmount(Path("/t"))

    loop.run(main)


def test_what_is_not_installed(commands: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(commands))

    async def main(clock: LoopClock, _chance: object) -> None:
        with pytest.raises(DiskError, match="mount is not installed"):
            await DiskMounts(clock).mount("s:/x", Path("/t"), "nfs")

    loop.run(main)


@pytest.mark.parametrize(("blkid", "told"), [
    ("echo PTTYPE=dos", "it already contains unknown data"), ("echo broken; exit 4", "blkid failed: exit status 4"),
    ("exit 2", "format of disk '/dev/x' failed"),
])  # fmt: skip
def test_a_disk_that_cannot_be_used(commands: Path, blkid: str, told: str) -> None:
    command(commands, "blkid", blkid)
    command(commands, "mkfs.ext4", "echo no room; exit 1")

    async def main(clock: LoopClock, _chance: object) -> None:
        with pytest.raises(DiskError, match=told):
            await DiskMounts(clock).format_and_mount(Path("/dev/x"), Path("/t"), "ext4")

    loop.run(main)
