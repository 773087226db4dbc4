"""The records as they are now and the history behind them: what every local backend answers reads from.

Each write takes exactly one revision, so the retained events are a list indexed by revision. An event knows what it
replaced; a key's past is found by walking from its record through the events that made it, and needs no second index.
"""

from collections import deque
from collections.abc import Iterable, Sequence

from pilothouse.store.interface import Compacted, Event, FutureRevision, Listing, Record, Revision
from pilothouse.store.sorted_keys import SortedKeys

FIRST_REVISION: Revision = 1
"""The revision of an empty store. Not 0, which asks "any revision" in the API; etcd starts at 1 too."""

_EVENT_COST = 300
"""What an event weighs in memory besides the value it replaced."""

_DROPPED_AT_ONCE = 64
"""How many events one write may drop: history is given up in small steps, never in one long pause."""


class Table:
    """Current records, ordered keys, and the events after `oldest`."""

    def __init__(
        self,
        records: Iterable[Record] = (),
        events: Iterable[Event] = (),
        *,
        oldest: Revision = FIRST_REVISION,
        history_seconds: float = 300.0,
        history_bytes: int = 64 << 20,
    ) -> None:
        self._records = {record.key: record for record in records}
        self._keys = SortedKeys(self._records)
        self._events = list(events)
        self._gone = 0
        """How many events at the head of the list are dropped; the list is cut when they are the greater part."""
        self._first = oldest + 1
        """The revision of the first event in the list."""
        self._oldest = oldest
        self.revision = oldest + len(self._events)
        self._deletions: dict[str, deque[Revision]] = {}
        self._deleted_keys = SortedKeys()
        for event in self._events:
            self._note_deletion(event)
        self._weight = sum(map(_weight, self._events))
        self._history_bytes = history_bytes
        self._history_seconds = history_seconds
        self._marks: deque[tuple[float, Revision]] = deque()
        """Revisions and when they were current, a three-hundredth of the kept time apart."""

    @property
    def oldest(self) -> Revision:
        """The oldest revision that can still be read."""
        return self._oldest

    def get(self, key: str) -> Record | None:
        """Return the record of `key` now."""
        return self._records.get(key)

    def list(self, prefix: str, *, start: str = "", limit: int = 0, revision: Revision | None = None) -> Listing:
        """Return the records below `prefix`, now or as of `revision`."""
        if revision is not None and revision != self.revision:
            return self._list_at(prefix, start, limit, revision)
        keys, remaining = self._keys.below(prefix, start=start, limit=limit)
        records = self._records
        return Listing([records[key] for key in keys], self.revision, remaining)

    def apply(self, event: Event, now: float) -> None:
        """Take in the write that made the next revision, at the monotonic time `now`."""
        record, key = event.record, event.key
        self._mark(now)
        if record is not None:
            if event.previous is None:
                self._keys.add(key)
            self._records[key] = record
        else:
            self._keys.remove(key)
            del self._records[key]
            self._note_deletion(event)
        self.revision = event.revision
        self._events.append(event)
        self._weight += _weight(event)
        self._drop(_DROPPED_AT_ONCE)

    def compact(self, revision: Revision) -> None:
        """Forget what came before `revision`. Memory is given back by the writes that follow."""
        if revision > self.revision:
            raise FutureRevision(self.revision)
        self._oldest = max(self._oldest, revision)

    def events_after(self, revision: Revision, limit: int) -> Sequence[Event]:
        """Return at most `limit` events that follow `revision`, oldest first."""
        if revision < self._oldest:
            raise Compacted(self._oldest)
        at = max(revision + 1 - self._first, 0)
        return self._events[at : at + limit]

    def _list_at(self, prefix: str, start: str, limit: int, revision: Revision) -> Listing:
        if revision > self.revision:
            raise FutureRevision(self.revision)
        if revision < self._oldest:
            raise Compacted(self._oldest)
        keys, _ = self._keys.below(prefix, start=start)
        deleted, _ = self._deleted_keys.below(prefix, start=start)
        if deleted:
            keys = sorted({*keys, *deleted})
        found = [record for key in keys if (record := self._at(key, revision)) is not None]
        wanted = found[:limit] if limit else found
        return Listing(wanted, revision, len(found) - len(wanted))

    def _at(self, key: str, revision: Revision) -> Record | None:
        """Return the record of `key` as of `revision`, which is retained."""
        record = self._records.get(key)
        if record is None or record.created > revision:
            ended = next((deletion for deletion in self._deletions.get(key, ()) if deletion > revision), None)
            record = self._event(ended).previous if ended is not None else None
        while record is not None and record.revision > revision:
            record = self._event(record.revision).previous
        return record

    def _event(self, revision: Revision) -> Event:
        return self._events[revision - self._first]

    def _note_deletion(self, event: Event) -> None:
        if event.record is not None:
            return
        if event.key not in self._deletions:
            self._deletions[event.key] = deque()
            self._deleted_keys.add(event.key)
        self._deletions[event.key].append(event.revision)

    def _mark(self, now: float) -> None:
        """Note the time, and let go what is older than the kept time. Called before a revision is taken."""
        marks = self._marks
        if marks and now - marks[-1][0] < self._history_seconds / 300:
            return
        marks.append((now, self.revision))
        while marks[0][0] < now - self._history_seconds:
            self._oldest = max(self._oldest, marks.popleft()[1])

    def _drop(self, count: int) -> None:
        """Drop up to `count` events that are compacted, or that are more than memory should hold."""
        while count and (self._gone + self._first <= self._oldest or self._weight > self._history_bytes):
            event = self._events[self._gone]
            self._gone += 1
            count -= 1
            self._weight -= _weight(event)
            self._oldest = max(self._oldest, event.revision)
            if event.record is None:
                deletions = self._deletions[event.key]
                deletions.popleft()
                if not deletions:
                    del self._deletions[event.key]
                    self._deleted_keys.remove(event.key)
            self._events[self._gone - 1] = _DROPPED
        if self._gone > len(self._events) // 2 and self._gone > 1024:
            del self._events[: self._gone]
            self._first += self._gone
            self._gone = 0


_DROPPED = Event("", 0, None, None)
"""Stands where a dropped event was, so that its values are freed at once."""


def _weight(event: Event) -> int:
    return _EVENT_COST + (len(event.previous.value) if event.previous is not None else 0)
