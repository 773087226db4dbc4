"""A watch on etcd: what comes from its stream, and the same again from where it was when the stream breaks.

It asks from the revision *before* the first that it wants. etcd then refuses exactly when something wanted may be
compacted; asked for the first itself it would not, and leave out a deletion that was compacted at that revision.

A response holds whole revisions and is handed on in one piece, so that no reader stops in the middle of one. A slow
reader stops the stream, and etcd keeps what it has not sent in its history.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from pilothouse.net.grpc_frames import GrpcError
from pilothouse.net.grpc_stream import GrpcStream
from pilothouse.runtime.backoff import Backoff, Growth
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log
from pilothouse.store.etcd import table
from pilothouse.store.etcd.connection import Connection
from pilothouse.store.etcd.keys import EVERYTHING, KeySpace
from pilothouse.store.interface import Compacted, Event, Revision, StoreError

_WAITING = 1000
"""Events that wait for the reader before the stream is stopped."""
_PAUSES = Growth(0.1, 2.0)
"""Seconds between attempts to have a stream."""

_log = Log(__name__)


class EtcdWatch(AsyncIterator[Event]):
    """One reader's place in the sequence of events. Of a watch of everything, foreign keys are told as marks."""

    def __init__(self, connection: Connection, keys: KeySpace, prefix: str, after: Revision, clock: Clock) -> None:
        self._connection = connection
        self._keys = keys
        self._range = keys.below(prefix) if prefix else EVERYTHING
        self._after = after
        self._clock = clock
        self._waiting: deque[Event] = deque()
        self._wake: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._ended: StoreError | None = None

    async def __anext__(self) -> Event:
        while not self._waiting:
            if self._ended is not None:
                raise self._ended
            if self._room is not None and not self._room.done():
                self._room.set_result(None)
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
        return self._waiting.popleft()

    def end(self, reason: StoreError) -> None:
        """Raise `reason` once everything received is read."""
        self._ended = self._ended or reason
        self._rouse()

    async def run(self) -> None:
        """Keep a stream until the end of the watch; ends by itself when history is compacted."""
        pauses = Backoff(_PAUSES)
        while self._ended is None:
            seen = self._after
            with suppress(GrpcError):  # the connection has heard of it
                member, stream = await self._connection.watch()
                try:
                    await self._read(stream)
                except GrpcError as error:
                    self._connection.leave(member, error)
                finally:
                    stream.cancel()
            if self._ended is None:
                if self._after != seen:
                    pauses.reset()
                await self._clock.sleep(pauses.next())

    async def _read(self, stream: GrpcStream) -> None:
        messages = self._connection.messages
        key, end = self._range
        create = {"key": key, "range_end": end, "start_revision": max(self._after, 1), "prev_kv": True}
        stream.write(messages["WatchRequest"](create_request=create).SerializeToString())
        read = messages["WatchResponse"].FromString
        while (message := await stream.read()) is not None:
            response = read(message)
            if response.compact_revision:
                self.end(Compacted(response.compact_revision))
                return
            if response.canceled:
                _log.warning("etcd ended a watch", reason=response.cancel_reason)
                return
            self._take(response)
            if len(self._waiting) > _WAITING:
                self._room = asyncio.get_running_loop().create_future()
                await self._room

    def _take(self, response: Any) -> None:
        news = [event for event in response.events if event.kv.mod_revision > self._after]
        if not news:
            return
        self._after = news[-1].kv.mod_revision
        root = self._keys.root
        self._waiting.extend(self._event(event) for event in news if event.kv.key.startswith(root))
        if not news[-1].kv.key.startswith(root):
            self._waiting.append(Event("", self._after, None, None))
        self._rouse()

    def _event(self, event: Any) -> Event:
        kv, record_of = event.kv, self._keys.record
        record = None if event.type == table.DELETE else record_of(kv)
        previous = record_of(event.prev_kv) if event.HasField("prev_kv") else None
        return Event(self._keys.name(kv.key), kv.mod_revision, record, previous)

    def _rouse(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
