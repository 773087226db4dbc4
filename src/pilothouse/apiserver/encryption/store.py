"""A store that keeps the values of chosen resources encrypted in another, and knows them plain.

What another key has written than the one that writes now is stale: writing it again, unchanged, is no idle write.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Protocol, runtime_checkable

from pilothouse.apiserver.encryption.framework import OWN, CannotDecrypt, Encryption, Wardrobe
from pilothouse.store.interface import (
    Conflict,
    Event,
    Listing,
    Record,
    Revision,
    SharedStore,
    Store,
    StoreError,
    Turn,
    Writes,
)


class Undecipherable(StoreError):
    """A value is there that no key of the configuration opens."""


@runtime_checkable
class KnowsStale(Protocol):
    """A store that wants some values written again although they have not changed."""

    def is_stale(self, key: str) -> bool:
        """Whether the record at `key` is one of them."""
        ...


def encrypting(store: Store, encryption: Encryption) -> Store:
    """What encrypts into `store`, shared when that is."""
    kind = _SharedEncryptingStore if isinstance(store, SharedStore) else EncryptingStore
    return kind(store, encryption)


class EncryptingStore:
    """A Store on another. Reading raises Undecipherable besides what that one raises."""

    def __init__(self, store: Store, encryption: Encryption) -> None:
        self._store = store
        self._coats = _Coats(encryption)
        self.is_stale: Callable[[str], bool] = self._coats.stale.__contains__

    @property
    def trouble(self) -> str:
        """Why the other store cannot serve; empty when it can."""
        return self._store.trouble

    async def get(self, key: str) -> Record | None:
        """The record of `key` now."""
        found = await self._store.get(key)
        return found and self._coats.off(found)

    async def list(self, prefix: str, *, start: str = "", limit: int = 0, revision: Revision | None = None) -> Listing:
        """Records below `prefix`, now or as of `revision`."""
        found = await self._store.list(prefix, start=start, limit=limit, revision=revision)
        return replace(found, records=[self._coats.off(record) for record in found.records])

    async def create(self, key: str, value: bytes, *, ttl: float | None = None) -> Record:
        """Write a new key."""
        return await _create(self._store, self._coats, key, value, ttl)

    async def update(self, key: str, value: bytes, *, expected: Revision, ttl: float | None = None) -> Record:
        """Replace the record that is at `expected`."""
        return await _update(self._store, self._coats, key, value, expected, ttl)

    async def delete(self, key: str, *, expected: Revision) -> Revision:
        """Remove the record that is at `expected`."""
        try:
            return await self._store.delete(key, expected=expected)
        except Conflict as conflict:
            raise Conflict(conflict.current and self._coats.off(conflict.current)) from None

    @asynccontextmanager
    async def watch(self, prefix: str, *, after: Revision) -> AsyncIterator[AsyncIterator[Event]]:
        """Every write below `prefix` later than `after`."""
        async with self._store.watch(prefix, after=after) as events:
            yield self._plain(events)

    async def compact(self, revision: Revision) -> None:
        """Forget history before `revision`."""
        await self._store.compact(revision)

    async def revision(self) -> Revision:
        """The revision of the latest write."""
        return await self._store.revision()

    async def _plain(self, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            record = event.record and self._coats.off(event.record)
            former = event.previous and partial(self._coats.off, event.previous, seen=False)
            yield Event(event.key, event.revision, record, former)
            if event.record is None:
                self._coats.stale.discard(event.key)


class _SharedEncryptingStore(EncryptingStore):
    """An encrypting store that several write to."""

    async def turn(self, name: str) -> Turn:
        """Begin a turn."""
        assert isinstance(self._store, SharedStore)
        return _EncryptingTurn(await self._store.turn(name), self._coats)


class _EncryptingTurn:
    """A turn whose write is encrypted."""

    def __init__(self, turn: Turn, coats: "_Coats") -> None:
        self._turn = turn
        self._coats = coats

    @property
    def revision(self) -> Revision:
        return self._turn.revision

    async def create(self, key: str, value: bytes, *, ttl: float | None = None) -> Record:
        return await _create(self._turn, self._coats, key, value, ttl)

    async def update(self, key: str, value: bytes, *, expected: Revision, ttl: float | None = None) -> Record:
        return await _update(self._turn, self._coats, key, value, expected, ttl)


class _Coats:
    """Which value wears what."""

    def __init__(self, encryption: Encryption) -> None:
        self._encryption = encryption
        self._wardrobes: dict[tuple[str, str], Wardrobe | None] = {}
        self.stale: set[str] = set()

    def on(self, key: str, value: bytes) -> bytes:
        """The value as it is stored."""
        wardrobe = self._of(key)
        return value if wardrobe is None else wardrobe.put_on(value, key.encode())

    def off(self, record: Record, *, seen: bool = True) -> Record:
        """The record with its value plain. Raises Undecipherable. Only what is `seen` now can be stale."""
        wardrobe = self._of(record.key)
        if wardrobe is None:
            return record
        try:
            value, stale = wardrobe.take_off(record.value, record.key.encode())
        except CannotDecrypt as error:
            raise Undecipherable(f"unable to transform key {record.key!r}: {error}") from error
        if seen:
            (self.stale.add if stale else self.stale.discard)(record.key)
        return replace(record, value=value)

    def _of(self, key: str) -> Wardrobe | None:
        if not key or key.startswith(OWN):
            return None
        group, _, rest = key.partition("/")
        plural = rest.partition("/")[0]
        if (group, plural) not in self._wardrobes:
            self._wardrobes[group, plural] = self._encryption.of("" if group == "core" else group, plural)
        return self._wardrobes[group, plural]


async def _create(writes: Writes, coats: _Coats, key: str, value: bytes, ttl: float | None) -> Record:
    record = await writes.create(key, coats.on(key, value), ttl=ttl)
    coats.stale.discard(key)
    return replace(record, value=value)


async def _update(
    writes: Writes, coats: _Coats, key: str, value: bytes, expected: Revision, ttl: float | None
) -> Record:  # fmt: skip
    try:
        record = await writes.update(key, coats.on(key, value), expected=expected, ttl=ttl)
    except Conflict as conflict:
        raise Conflict(conflict.current and coats.off(conflict.current)) from None
    coats.stale.discard(key)
    return replace(record, value=value)
