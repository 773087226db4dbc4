"""Where a process's time goes: samples of its Python stacks, taken from outside by py-spy, as a table that is read.

What a function does in C (TLS, JSON, the kernel) counts as its own. The shares are those of the main thread, in which
the event loop runs; what other threads used, the kernel says. Being looked at slows a process down, so that there are
no times.
"""

import asyncio
import re
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path

from measuring.process import threads

_RATE = 500
_MOST, _LEAST, _ALL = 20, 0.01, 0.9
_THREAD = re.compile(r"thread \((\d+)\): (.*)")
_FRAME = re.compile(r"(?P<function>.+) \((?P<file>[^:)]+)(?::\d+)?\)$")
_PLACE = re.compile(r".*/(?:site-packages|src|lib/python3\.\d+)/")


class Samples:
    """Stacks of the main thread, how often each was seen, and the CPU of all threads."""

    def __init__(self, pid: int, folded: str, used: dict[int, float]) -> None:
        self._used = used
        self._threads: dict[int, str] = {}
        self._own: Counter[str] = Counter()
        """By the function that ran."""
        self._whole: Counter[str] = Counter()
        """By every function that ran or had called what ran."""
        for each in folded.splitlines():
            stack, _, seen = each.rpartition(" ")
            thread, *frames = stack.split(";")
            found = _THREAD.match(thread)
            number = int(found[1]) if found else 0
            self._threads[number] = found[2] if found else thread
            if number == pid and frames:
                names = [_named(frame) for frame in frames]
                self._whole.update(dict.fromkeys(names, int(seen)))
                self._own[names[-1]] += int(seen)

    def show(self) -> None:
        """Print it: CPU by thread, shares by part, then by function."""
        total, parts = self._own.total(), Counter[str]()
        cpu: dict[str, float] = defaultdict(float)
        for thread, seconds in self._used.items():
            cpu[self._threads.get(thread, "threads that are not Python's, or slept")] += seconds
        print(f"\n  CPU of the process, by thread: {_listed(cpu)}")
        for name, seen in self._own.items():
            parts[_part(name)] += seen
        print(f"  {total} samples of the main thread, by where it was: {_listed(parts)}")
        print("\n    own  whole  the functions with the most of their own")
        self._functions([name for name, _ in self._own.most_common(_MOST)])
        print("\n    own  whole  and those of ours that, with what they call, have the most")
        ours = [
            name for name, seen in self._whole.most_common() if name.startswith("pilothouse/") and seen < _ALL * total
        ]
        self._functions(ours[:_MOST])

    def _functions(self, names: list[str]) -> None:
        total = self._own.total()
        for name in names:
            print(f"{self._own[name] / total:7.1%} {self._whole[name] / total:6.1%}  {name}")


def _listed(shares: Mapping[str, float]) -> str:
    total = sum(shares.values())
    return ", ".join(
        f"{name} {seen / total:.0%}"
        for name, seen in sorted(shares.items(), key=lambda item: -item[1])
        if seen >= _LEAST * total
    )


async def sampled(pid: int, seconds: int) -> Samples | str:
    """Watch a process for so long, or say why that cannot be."""
    command = shutil.which("py-spy", path=str(Path(sys.executable).parent)) or shutil.which("py-spy")
    if command is None:
        return "py-spy is not installed: make setup"
    with tempfile.TemporaryDirectory() as place:
        folded = Path(place) / "folded"
        before = threads(pid)
        child = await asyncio.create_subprocess_exec(
            command, "record", "--pid", str(pid), "--duration", str(seconds), "--rate", str(_RATE), "--function",
            "--threads", "--full-filenames", "--format", "raw", "--output", str(folded),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        told, _ = await child.communicate()
        if child.returncode or not folded.exists():
            return f"py-spy could not look at the process: {told.decode().strip()}"
        used = {thread: seconds - before.get(thread, 0.0) for thread, seconds in threads(pid).items()}
        return Samples(pid, folded.read_text(), used)


def _named(frame: str) -> str:
    """File and function, the file from its package on."""
    found = _FRAME.match(frame)
    return f"{_PLACE.sub('', found['file'])} {found['function']}" if found else frame


def _part(name: str) -> str:
    """The package, of ours with its two next levels."""
    directories = name.split(" ")[0].split("/")[:-1]
    return "/".join(directories[:3] if directories[:1] == ["pilothouse"] else directories[:1]) or "standard library"
