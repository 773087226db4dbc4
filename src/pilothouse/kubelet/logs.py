"""Container logs as the runtime writes them: `TIME STREAM TAG TEXT`, one output line in one or more log lines.

Tag `P` marks a piece of a line that goes on, `F` its last piece. Format: the CRI logging proposal of sig-node.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pilothouse.runtime.clock import Instant, parse_time


@dataclass(frozen=True, slots=True)
class Line:
    """One log line. `text` ends in a newline when the output's line ends here."""

    time: bytes
    stream: str
    text: bytes

    @property
    def at(self) -> Instant:
        """When it was written; to the microsecond, which is what Python's times hold."""
        return parse_time(_to_microseconds(self.time.decode()))


def parse_line(raw: bytes) -> Line | None:
    """Read one log line; None for one that is broken."""
    parts = raw.rstrip(b"\n").split(b" ", 3)
    if len(parts) < 3 or parts[1] not in (b"stdout", b"stderr"):
        return None
    text = parts[3] if len(parts) == 4 else b""
    # Tags may follow each other with colons; the first says whether the line is whole.
    whole = parts[2].split(b":")[0] == b"F"
    return Line(parts[0], parts[1].decode(), text + b"\n" if whole else text)


def _to_microseconds(text: str) -> str:
    head, dot, fraction = text.partition(".")
    if not dot:
        return text
    digits = len(fraction) - len(fraction.lstrip("0123456789"))
    return f"{head}.{fraction[:digits][:6]}{fraction[digits:]}"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which lines are wanted, and how."""

    since: Instant | None = None
    timestamps: bool = False
    stream: str = ""
    """`stdout`, `stderr`, or empty for both."""


def render(lines: Iterable[bytes], wanted: Selection) -> Iterator[bytes]:
    """What of `lines` is sent."""
    for raw in lines:
        line = parse_line(raw)
        if line is None or (wanted.stream and line.stream != wanted.stream):
            continue
        if wanted.since is not None and line.at < wanted.since:
            continue
        yield line.time + b" " + line.text if wanted.timestamps else line.text
