"""Mounts of disks and of other machines' directories, by mount(8) in processes of their own.

The system call would hold a thread for as long as a server, or a bad disk, does not answer; a process can be given up.
blkid(8) says whether a disk has a file system, mkfs(8) makes one. Upstream: k8s.io/mount-utils.
"""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

from pilothouse.runtime.clock import Clock

PATIENCE = 110.0
"""Seconds for one command: less than the kubelet has for all volumes of a pod."""
_FORMAT_PATIENCE = 100.0
_KILL_PATIENCE = 1.0
_UNFORMATTED = 2
"""What blkid ends with when it finds nothing."""
_FORMAT = {"ext3": ("-F", "-m0"), "ext4": ("-F", "-m0"), "xfs": ("-f",)}


class DiskError(OSError):
    """A command failed, or did not come to its end."""


class DiskMounts:
    """Of one machine."""

    def __init__(self, clock: Clock, patience: float = PATIENCE) -> None:
        self._clock = clock
        self._patience = patience

    async def mount(self, source: str, target: Path, kind: str, options: tuple[str, ...] = ()) -> None:
        """Mount a file system."""
        named = ("-o", ",".join(options)) if options else ()
        status, told = await self._run("mount", "-t", kind, *named, "--", source, str(target))
        if status:
            arguments = " ".join(("-t", kind, *named, source, str(target)))
            raise DiskError(
                f"mount failed: exit status {status}\nMounting command: mount\nMounting arguments: {arguments}\n"
                f"Output: {told}"
            )

    async def unmount(self, target: Path) -> None:
        """Take a mount away when nothing uses it any more; none there is fine."""
        status, told = await self._run("umount", "--", str(target))
        if status and "not mounted" not in told and "no mount point" not in told:
            raise DiskError(f"unmount failed: exit status {status}\nUnmounting arguments: {target}\nOutput: {told}")

    async def format_and_mount(self, device: Path, target: Path, kind: str, options: tuple[str, ...] = ()) -> None:
        """Mount a device; one without a file system gets one. Another than is wanted is never overwritten."""
        present = await self._file_system(device)
        if not present:
            await self._format(device, kind)
        elif present != kind:
            raise DiskError(
                f"failed to mount the volume as {kind!r}: it already contains {present}. Mount error: not attempted"
            )
        await self.mount(str(device), target, kind, ("defaults", *options))

    async def _file_system(self, device: Path) -> str:
        status, told = await self._run("blkid", "-p", "-s", "TYPE", "-s", "PTTYPE", "-o", "export", str(device))
        if status == _UNFORMATTED:
            return ""
        if status:
            raise DiskError(f"blkid failed: exit status {status}: {told}")
        found = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
        return found.get("TYPE") or "unknown data, probably partitions"

    async def _format(self, device: Path, kind: str) -> None:
        status, told = await self._run(f"mkfs.{kind}", *_FORMAT.get(kind, ()), str(device), seconds=_FORMAT_PATIENCE)
        if status:
            raise DiskError(f"format of disk {str(device)!r} failed: type:({kind!r}) errcode: {status} output: {told}")

    async def _run(self, *command: str, seconds: float = 0.0) -> tuple[int, str]:
        """Status and words of a command. One that does not end is killed. In English, as it is read here."""
        try:
            child = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
                start_new_session=True, env={**os.environ, "LC_ALL": "C"},  # noqa: TID251 - the child's own
            )  # fmt: skip
        except FileNotFoundError as error:
            raise DiskError(f"{command[0]} is not installed") from error
        try:
            async with self._clock.timeout(seconds or self._patience):
                told, _ = await child.communicate()
        except TimeoutError:
            raise DiskError(f"{command[0]} did not end in time: {' '.join(command[1:])}") from None
        finally:
            if child.returncode is None:
                await self._give_up(child)
        return child.returncode or 0, told.decode(errors="replace").strip()

    async def _give_up(self, child: asyncio.subprocess.Process) -> None:
        """Kill it and what it has started, as mount(8) does its helpers; what the kernel holds is left behind."""
        with suppress(ProcessLookupError, TimeoutError):
            os.killpg(child.pid, signal.SIGKILL)
            async with self._clock.timeout(_KILL_PATIENCE):
                await child.wait()
