"""What an HTTP/2 peer may do that costs us and brings it nothing: floods are told from traffic by counting frames.

Streams that are opened to be reset (CVE-2023-44487) or so that we reset them (CVE-2025-8671), pings, settings,
priorities, empty frames (CVE-2019-9511 to 9518): each is allowed, none without end. Frames are counted before the
engine sees them, so that a flood costs little. (RFC 9113, section 10.5.)
"""

from collections.abc import Sequence

from pilothouse.net.http2_frames import CONTINUATION, DATA, END_STREAM, HEADERS, RST_STREAM, Frame

_TINY = 32
"""Bytes of a DATA frame below which it counts as chatter."""


class Allowance:
    """So much at once, and so much a second."""

    __slots__ = ("_burst", "_left", "_rate", "_then")

    def __init__(self, burst: float, rate: float, now: float) -> None:
        self._burst = burst
        self._rate = rate
        self._left = burst
        self._then = now

    def spend(self, count: int, now: float) -> bool:
        """Use `count` of it; False when there is not as much."""
        self._left = min(self._burst, self._left + (now - self._then) * self._rate) - count
        self._then = now
        return self._left >= 0

    def earn(self, count: float) -> None:
        """Be given some more."""
        self._left = min(self._burst, self._left + count)


class FrameMeter:
    """Counts the frames of one connection."""

    def __init__(self, now: float) -> None:
        self._resets = Allowance(500, 50, now)
        self._chatter = Allowance(2000, 200, now)

    def accept(self, frames: Sequence[Frame], now: float) -> bool:
        """Look over what came; False when the peer has gone too far."""
        resets = chatter = 0
        for kind, flags, _, payload in frames:
            if kind == HEADERS:
                continue
            if kind == RST_STREAM:
                resets += 1
            elif kind == DATA:
                chatter += len(payload) < _TINY and not flags & END_STREAM
            else:
                chatter += kind != CONTINUATION or not payload
        return self.accept_resets(resets, now) and (not chatter or self._chatter.spend(chatter, now))

    def accept_resets(self, count: int, now: float) -> bool:
        """So many streams were opened for nothing."""
        return not count or self._resets.spend(count, now)

    def sent(self, size: int) -> None:
        """Who is sent much may acknowledge much."""
        self._chatter.earn(size / 1024)
