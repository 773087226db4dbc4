"""Leases: what makes records go by themselves. Many share one, since each lease costs etcd more than a record.

A lease is granted for a little longer than was asked for, and serves all who ask within that little. So a record may
outlive its time by a minute, and is never gone before. Upstream's bounds: storage/etcd3/lease_manager.go.
"""

from dataclasses import dataclass
from math import ceil

from pilothouse.runtime.clock import Clock
from pilothouse.store.etcd.connection import Connection

_REUSED_SECONDS = 60.0
_REUSED_PART = 0.05
_MOST_RECORDS = 1000


@dataclass(slots=True)
class _Lease:
    number: int
    ends: float
    records: int = 0


class Leases:
    """The latest lease for each time to live."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self._latest: dict[float, _Lease] = {}

    async def lease(self, ttl: float) -> int:
        """The number of a lease that ends in `ttl` seconds or a little later. Raises Unavailable."""
        spare = min(_REUSED_SECONDS, ttl * _REUSED_PART)
        found = self._latest.get(ttl)
        if found is None or found.records >= _MOST_RECORDS or found.ends < self._clock.monotonic() + ttl:
            seconds = ceil(ttl + spare)
            begin = self._clock.monotonic()
            request = self._connection.messages["LeaseGrantRequest"](TTL=seconds)
            granted = await self._connection.call("LeaseGrant", request)
            found = self._latest[ttl] = _Lease(granted.ID, begin + seconds)
        found.records += 1
        return found.number

    def forget(self) -> None:
        """Use none of the leases again: etcd does not know one of them."""
        self._latest.clear()
