"""Cache: answers of others, kept for as long as they allow and half a minute at most, as upstream's `cache 30`.

Kept as the bytes that came. What is taken out later carries times to live that are shorter by the time it lay here.
"""

import struct
from collections import OrderedDict
from dataclasses import dataclass

from pilothouse.dns.wire import NXDOMAIN, TC, Query, Times, times
from pilothouse.runtime.clock import Clock

LONGEST = 30
_NOERROR = 0


@dataclass(frozen=True, slots=True)
class _Kept:
    packet: bytes
    times: Times
    since: float
    until: float


class Cache:
    """A bounded store of answers; the one not asked for longest goes first."""

    def __init__(self, clock: Clock, size: int = 10_000) -> None:
        self._clock = clock
        self._size = size
        self._kept: OrderedDict[tuple[bytes, bool, bool], _Kept] = OrderedDict()

    def get(self, query: Query) -> bytes | None:
        """An answer that still holds."""
        kept = self._kept.get(query.key)
        if kept is None:
            return None
        now = self._clock.monotonic()
        if now >= kept.until:
            del self._kept[query.key]
            return None
        self._kept.move_to_end(query.key)
        return _aged(kept, int(now - kept.since))

    def put(self, query: Query, packet: bytes) -> None:
        """Keep an answer that came, where it may be kept. Raises FormatError for one that cannot be read."""
        found = times(packet)
        flags = int.from_bytes(packet[2:4], "big")
        if flags & TC or flags & 0xF not in (_NOERROR, NXDOMAIN) or not found.keep:
            return
        now = self._clock.monotonic()
        self._kept[query.key] = _Kept(packet, found, now, now + min(found.keep, LONGEST))
        self._kept.move_to_end(query.key)
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)


def _aged(kept: _Kept, age: int) -> bytes:
    if not age:
        return kept.packet
    packet = bytearray(kept.packet)
    for place in kept.times.places:
        (ttl,) = struct.unpack_from("!I", packet, place)
        struct.pack_into("!I", packet, place, max(0, ttl - age))
    return bytes(packet)
