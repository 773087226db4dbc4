"""What an HTTP/2 peer may do that costs us and brings it nothing: floods are told from traffic by counting frames.

Streams that are opened to be reset (CVE-2023-44487), pings, settings, priorities, empty frames (CVE-2019-9511 to 9518):
each is allowed, none without end. Frames are counted before the engine sees them, so that a flood costs a header's
reading each. (RFC 9113, section 10.5.)
"""

_PREFACE = 24
_HEAD = 9
_DATA, _HEADERS, _RESET, _CONTINUATION = 0, 1, 3, 9
_END_STREAM = 1
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
        self._skip = _PREFACE
        self._head = b""
        self._resets = Allowance(500, 50, now)
        self._chatter = Allowance(2000, 200, now)

    def accept(self, data: bytes | memoryview, now: float) -> bool:
        """Look over what came; False when the peer has gone too far."""
        position, size = 0, len(data)
        resets = chatter = 0
        while position < size:
            if self._skip:
                step = min(self._skip, size - position)
                self._skip -= step
                position += step
                continue
            taken = bytes(data[position : position + _HEAD - len(self._head)])
            self._head += taken
            position += len(taken)
            if len(self._head) < _HEAD:
                break
            length, kind, flags = int.from_bytes(self._head[:3]), self._head[3], self._head[4]
            self._head, self._skip = b"", length
            if kind == _RESET:
                resets += 1
            elif kind == _DATA:
                chatter += length < _TINY and not flags & _END_STREAM
            elif kind != _HEADERS and not (kind == _CONTINUATION and length):
                chatter += 1
        allowed = not resets or self._resets.spend(resets, now)
        return (not chatter or self._chatter.spend(chatter, now)) and allowed

    def sent(self, size: int) -> None:
        """Who is sent much may acknowledge much."""
        self._chatter.earn(size / 1024)
