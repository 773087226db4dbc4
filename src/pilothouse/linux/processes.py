"""Processes that outlive whoever started them, and are found again by pid and start time.

A pid alone names nobody for long: the kernel hands it out again. Together with the start time of /proc/PID/stat it is
unique until the machine restarts, and a pidfd then holds on to exactly that process. proc(5), pidfd_open(2).
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import orjson

from pilothouse.runtime.clock import Clock

CAP_SYS_RESOURCE = 24


@dataclass(frozen=True, slots=True)
class Identity:
    """One process for as long as the machine runs."""

    pid: int
    started: int
    """Clock ticks since boot, field 22 of /proc/PID/stat."""

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """The process that has `pid` now; None when there is none, or only its remains."""
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        # The second field, the command, may hold spaces and brackets: count from its end.
        fields = stat[stat.rindex(")") + 2 :].split()
        return None if fields[0] in "ZX" else cls(pid, int(fields[19]))

    def alive(self) -> bool:
        """Whether it still runs."""
        return type(self).of(self.pid) == self

    def save(self, path: Path) -> None:
        """Leave a note of it, for whoever comes after us; whole or not at all."""
        partial = path.with_name(f".{path.name}.new")
        partial.write_bytes(self.encode())
        partial.replace(path)

    def encode(self) -> bytes:
        """The note."""
        return orjson.dumps({"pid": self.pid, "started": self.started})

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """The process noted in `path` if it still runs."""
        try:
            noted = orjson.loads(path.read_bytes())
        except (FileNotFoundError, orjson.JSONDecodeError):
            return None
        found = cls(noted["pid"], noted["started"])
        return found if found.alive() else None


def start_detached(command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> Identity:
    """Start `command` in a session of its own, its output appended to `log`; it stays when we go."""
    with log.open("ab") as output:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, env=environment
        )
    identity = Identity.of(child.pid)
    if identity is None:
        raise OSError(f"{command[0]} ended at once with status {child.wait()}")
    # Its end is learnt from the pidfd; the object would warn about a child left running.
    child.returncode = 0
    return identity


async def ended(process: Identity) -> None:
    """Return when the process has ended, also when it is not our child."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    try:
        if not process.alive():
            return
        loop.add_reader(descriptor, done.set)
        await done.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
        _reap(process.pid)


async def stop(process: Identity, clock: Clock, *, grace: float) -> None:
    """Ask it to end with SIGTERM, and kill it after `grace` seconds; returns when it has ended."""
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, None)):
        if not process.alive():
            break
        os.kill(process.pid, number)
        try:
            async with clock.timeout(patience):
                return await ended(process)
        except TimeoutError:
            continue
    _reap(process.pid)
    return None


def _reap(pid: int) -> None:
    """Take the remains of a child; somebody else's child is not ours to bury."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def has_capability(number: int) -> bool:
    """Whether this process may use the capability, such as CAP_SYS_RESOURCE."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> number & 1)
    return False
