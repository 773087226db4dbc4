"""Container logs as the runtime writes them: `TIME STREAM TAG TEXT`, one output line in one or more log lines.

Tag `P` marks a piece of a line that goes on, `F` its last piece. Pure. Format: the CRI logging proposal of sig-node;
what of it is sent: cri-client/pkg/logs.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pilothouse.runtime.clock import Instant, parse_time

_NANOSECONDS = 9


@dataclass(frozen=True, slots=True)
class Line:
    """One log line. `text` ends in a newline when the output's line ends here."""

    time: bytes
    stream: str
    text: bytes

    @property
    def at(self) -> Instant:
        """When it was written; to the microsecond, which is what Python's times hold. Raises ValueError."""
        return parse_time(_to_microseconds(self.time.decode("latin-1")))

    @property
    def stamp(self) -> bytes:
        """The time with all nine digits of its fraction, as clients see it."""
        head, fraction, zone = _split(self.time.decode("latin-1"))
        return f"{head}.{fraction[:_NANOSECONDS]:0<{_NANOSECONDS}}{zone}".encode("latin-1")


def parse_line(raw: bytes) -> Line | None:
    """Read one log line; None for one that is broken."""
    parts = raw.removesuffix(b"\n").split(b" ", 3)
    if len(parts) < 3 or parts[1] not in (b"stdout", b"stderr"):
        return None
    text = parts[3] if len(parts) == 4 else b""
    # Tags may follow each other with colons; the first says whether the line is whole.
    goes_on = parts[2].split(b":")[0] == b"P"
    return Line(parts[0], parts[1].decode(), text + b"\n" if raw.endswith(b"\n") and not goes_on else text)


def _to_microseconds(text: str) -> str:
    head, fraction, zone = _split(text)
    return f"{head}.{fraction[:6]}{zone}" if fraction else text


def _split(text: str) -> tuple[str, str, str]:
    """Seconds, fraction and zone of an RFC 3339 time."""
    head, dot, rest = text.partition(".")
    if dot:
        digits = len(rest) - len(rest.lstrip("0123456789"))
        return head, rest[:digits], rest[digits:]
    zone = text[19:]
    return text[:19], "", zone


@dataclass(frozen=True, slots=True)
class Selection:
    """Which lines are wanted, and how."""

    since: Instant | None = None
    timestamps: bool = False
    stream: str = ""
    """`stdout`, `stderr`, or empty for both."""
    limit_bytes: int | None = None
    """Of what is sent."""


class Renderer:
    """Turns log lines into what is sent, one after the other."""

    def __init__(self, wanted: Selection) -> None:
        self._wanted = wanted
        self._left = wanted.limit_bytes
        self._new_line = True

    @property
    def full(self) -> bool:
        """Whether as much was sent as was wanted."""
        return self._left is not None and self._left <= 0

    def render(self, lines: Iterable[bytes]) -> bytes:
        """What of these lines is sent."""
        sent = b"".join([self._one(line) for raw in lines if (line := parse_line(raw)) is not None])
        if self._left is not None:
            sent = sent[: self._left]
            self._left -= len(sent)
        return sent

    def _one(self, line: Line) -> bytes:
        begins, wanted = self._new_line, self._wanted
        try:
            early = wanted.since is not None and line.at < wanted.since
        except ValueError:  # no time: a broken line
            return b""
        # Pieces carry a time each; only the first of a line shows it.
        self._new_line = not line.text or line.text.endswith(b"\n")
        if early or (wanted.stream and line.stream != wanted.stream):
            return b""
        return line.stamp + b" " + line.text if wanted.timestamps and begins else line.text
