"""The store: eight methods over bytes, keyed by path and ordered by one revision counter.

Every write takes the next revision; a key's revision is that of its last write. An empty store is at revision 1, as
etcd's is, so that no record and no listing has revision 0. History is kept until `compact`; a local backend also lets
go by itself of what is older than a few minutes or more than memory should hold.

A store may be shared: then others write to it too, and take revisions for what is none of ours. Records that expire
together may go in one revision, as several events of it.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

Revision = int


@dataclass(frozen=True, slots=True)
class Record:
    """One key's value as of `revision`, the revision of the write that made it."""

    key: str
    value: bytes
    revision: Revision
    created: Revision
    expires: float = field(default=0.0, compare=False)
    """When a local backend lets it go, in seconds since the epoch; 0 for never, and where etcd keeps that apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """One write. `record` is None for a deletion; `previous` is None for a creation.

    An empty `key` marks that a revision has passed without a write of ours; a watch of everything tells it.
    """

    key: str
    revision: Revision
    record: Record | None
    former: Record | Callable[[], Record] | None
    """What `previous` is, or what finds it out: it may have its price, and hardly anybody asks."""

    @property
    def previous(self) -> Record | None:
        """What the write took the place of."""
        return self.former() if callable(self.former) else self.former

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Event) and self._content == other._content

    def __hash__(self) -> int:
        return hash((self.key, self.revision))

    @property
    def _content(self) -> tuple[str, Revision, Record | None, Record | None]:
        return self.key, self.revision, self.record, self.previous


@dataclass(frozen=True, slots=True)
class Listing:
    """Records in the order of their keys, as of `revision`. `remaining` counts those past the limit."""

    records: Sequence[Record]
    revision: Revision
    remaining: int = 0


class StoreError(Exception):
    """What a store can answer instead of a result."""


class KeyExists(StoreError):
    """`create` found the key taken."""


class Conflict(StoreError):
    """The key is not at the expected revision. `current` is what it is at; None when it is gone."""

    def __init__(self, current: Record | None) -> None:
        super().__init__("the record is not at the expected revision")
        self.current = current


class Compacted(StoreError):
    """The revision asked for is older than the history that is kept. `oldest` can still be read."""

    def __init__(self, oldest: Revision) -> None:
        super().__init__(f"history before revision {oldest} is compacted")
        self.oldest = oldest


class FutureRevision(StoreError):
    """The revision asked for is not written yet. `current` is the latest."""

    def __init__(self, current: Revision) -> None:
        super().__init__(f"the store is only at revision {current}")
        self.current = current


class Unavailable(StoreError):
    """The store cannot serve now: nothing is known about the outcome of a write that was under way."""


class TooLarge(StoreError):
    """The store takes no value of this size."""


class TurnLost(Conflict):
    """Another has had its turn meanwhile: what was decided may no longer be so."""

    def __init__(self) -> None:
        super().__init__(None)


class Writes(Protocol):
    """The two writes that bring a value in. All may raise Unavailable, and TooLarge."""

    async def create(self, key: str, value: bytes, *, ttl: float | None = None) -> Record:
        """Write a new key. Raises KeyExists."""
        ...

    async def update(self, key: str, value: bytes, *, expected: Revision, ttl: float | None = None) -> Record:
        """Replace a record that is at `expected`. Raises Conflict."""
        ...


class Store(Writes, Protocol):
    """A backend. All methods may raise Unavailable.

    A record written with a `ttl` is deleted that many seconds after the write, or a little later; written again
    without one it stays.
    """

    @property
    def trouble(self) -> str:
        """What keeps it from serving, as far as it knows; empty when nothing does."""
        ...

    async def get(self, key: str) -> Record | None:
        """The record of `key` now."""
        ...

    async def list(self, prefix: str, *, start: str = "", limit: int = 0, revision: Revision | None = None) -> Listing:
        """Records whose key begins with `prefix` and is not before `start`, now or as they were at `revision`.

        Raises Compacted for a revision too old, FutureRevision for one that is not written.
        """
        ...

    async def delete(self, key: str, *, expected: Revision) -> Revision:
        """Remove a record that is at `expected`; the deletion's revision. Raises Conflict."""
        ...

    def watch(self, prefix: str, *, after: Revision) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """Every write below `prefix` later than `after`, in order and without gaps.

        Raises Compacted, on entering or while iterating, when it would have to leave something out. One reader each.
        """
        ...

    async def compact(self, revision: Revision) -> None:
        """Forget history before `revision`, which can still be read; current records stay. Raises FutureRevision."""
        ...

    async def revision(self) -> Revision:
        """The revision of the latest write."""
        ...


class Turn(Writes, Protocol):
    """The right to decide from what is there as of `revision`: its writes raise TurnLost when that is not so any more.

    One write, then the turn is over.
    """

    @property
    def revision(self) -> Revision:
        """All that was written in earlier turns is seen by who has seen this revision."""
        ...


@runtime_checkable
class SharedStore(Protocol):
    """What a store offers besides where several write to it."""

    async def turn(self, name: str) -> Turn:
        """Begin a turn at deciding something that all who write must agree on. Raises Unavailable."""
        ...
