"""The watch cache of one resource: its current entries in key order, a ring of recent events, and its watchers.

Everything here is synchronous: one event is applied and handed to all watchers before anything else runs, so whoever
registers after reading a list misses nothing and sees nothing twice.

The server's own observers and followers derive state from the objects, object by object. One that crashes is logged and
counted, and hears of the next change as if nothing had been: others lose no event, and the server does not end. It is
not built anew: that would meet the same object and crash on it again, for every object at the price of all. What it
holds of that one object may be wrong until the object changes once more, which is why the crash is not passed over in
silence but shows in the metrics.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pilothouse.api.machinery.errors import Expired
from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.registry import record
from pilothouse.apiserver.registry.entry import Entry, make_entry
from pilothouse.runtime.log import Log
from pilothouse.store.interface import Record

_log = Log(__name__)

RING_SIZE = 2048
"""Events kept for watches that resume; a watch from further back gets 410 and lists again."""


class Change:
    """One event: the entry before and after. A deletion's `entry` is the last state under the deletion's revision."""

    __slots__ = ("deleted", "entry", "previous", "revision")

    def __init__(self, revision: int, entry: Entry, previous: Entry | None, *, deleted: bool) -> None:
        self.revision = revision
        self.entry = entry
        self.previous = previous
        self.deleted = deleted


Watcher = Callable[[Change], None]
Wanted = tuple[str, str]
"""A field that entries can be selected by, and its value."""
Observer = Callable[[JsonObject | None, JsonObject | None], None]
"""Called with the decoded object before and after a change."""
Follower = Callable[[Entry, JsonObject | None], None]
"""Called with an entry and its decoded object, None once it is gone; costs less, as what was is not decoded."""


class ResourceCache:
    """Entries, ring and watchers of one stored resource."""

    def __init__(self, resource: Resource[Any]) -> None:
        self.resource = resource
        self.head = record.head_of(resource)
        self.prefix = record.storage_prefix(resource)
        self.entries: dict[str, Entry] = {}
        self._keys: list[str] = []
        self._ring: deque[Change] = deque(maxlen=RING_SIZE)
        self._ring_start = 0
        self._watchers: dict[Wanted | None, dict[int, Watcher]] = {}
        self._next_watcher = 0
        self._observers: list[Observer] = []
        self._followers: list[Follower] = []
        self._indexes: dict[str, dict[str, dict[str, Entry]]] = {name: {} for name in resource.indexed_fields}
        self.last_change = 0
        """Revision of the latest change of this resource."""
        self.crashes = 0
        """How often an observer or follower could not take in a change."""

    def load(self, stored: Record, obj: JsonObject) -> None:
        """Take in one record of the initial list."""
        entry = make_entry(self.resource, self.head, stored, obj)
        self._put(entry)
        self.last_change = max(self.last_change, stored.revision)
        self._tell(self._observers, self._followers, None, entry, obj)

    def loaded(self, revision: int) -> None:
        """The list is complete as of `revision`: watches may resume from here on."""
        self._ring.clear()
        self._ring_start = revision

    def apply(self, key: str, revision: int, stored: Record | None, obj: JsonObject | None) -> None:
        """Take in one write and hand it to every watcher."""
        previous = self.entries.get(key)
        if stored is not None and obj is not None:
            entry = make_entry(self.resource, self.head, stored, obj)
            self._put(entry)
            change = Change(revision, entry, previous, deleted=False)
        elif previous is not None:
            self._remove(previous)
            change = Change(revision, previous.at(revision), previous, deleted=True)
        else:
            return
        self.last_change = revision
        if len(self._ring) == RING_SIZE:
            self._ring_start = self._ring[0].revision
        self._ring.append(change)
        before = previous.decode() if self._observers and previous is not None else None
        self._tell(self._observers, self._followers, before, change.entry, None if change.deleted else obj)
        for watcher in self._concerned(change):
            watcher(change)

    def unstored(self, stored: Record, obj: JsonObject) -> Entry:
        """The entry that a record would be, for answers about what is not in the cache."""
        return make_entry(self.resource, self.head, stored, obj)

    def get(self, namespace: str, name: str) -> Entry | None:
        """One entry, or None."""
        return self.entries.get(record.storage_key(self.resource, namespace, name))

    def select(self, namespace: str, start: str = "") -> Iterator[Entry]:
        """Entries of one namespace, or of all, in key order, from the key `start` on."""
        prefix = f"{self.prefix}{namespace}/" if namespace and self.resource.namespaced else self.prefix
        position = bisect_left(self._keys, max(prefix, start))
        entries = self.entries
        if prefix == self.prefix:
            return iter([entries[key] for key in self._keys[position:]])
        end = bisect_left(self._keys, prefix[:-1] + "0")  # "0" follows "/" in the order of characters
        return iter([entries[key] for key in self._keys[position:end]])

    def indexed(self, field: str, value: str) -> list[Entry] | None:
        """Entries whose indexed field has this value, in key order; None when there is no index of the field."""
        index = self._indexes.get(field)
        if index is None:
            return None
        found = index.get(value, {})
        return [found[key] for key in sorted(found)]

    def since(self, revision: int) -> list[Change]:
        """Changes later than `revision`. Raises Expired when the ring no longer reaches back that far."""
        if revision < self._ring_start:
            raise Expired(f"too old resource version: {revision} ({self._ring_start})")
        return [change for change in self._ring if change.revision > revision]

    def watch(self, watcher: Watcher, wanted: Wanted | None = None) -> Callable[[], None]:
        """Call `watcher` with every later change, or with those of entries that are or were `wanted`.

        Returns what ends it. A thousand watchers of a node's pods each cost only what happens on their node.
        """
        number = self._next_watcher
        self._next_watcher += 1
        self._watchers.setdefault(wanted, {})[number] = watcher

        def end() -> None:
            alike = self._watchers.get(wanted)
            if alike is not None and alike.pop(number, None) is not None and not alike:
                del self._watchers[wanted]

        return end

    def _concerned(self, change: Change) -> list[Watcher]:
        """Those who must hear of a change, in the order in which they came."""
        everyone = self._watchers.get(None, {})
        if len(self._watchers) == bool(everyone):
            return [*everyone.values()]
        values = {*change.entry.fields.items()}
        if change.previous is not None:
            values.update(change.previous.fields.items())
        found = dict(everyone)
        for wanted in values & self._watchers.keys():
            found.update(self._watchers[wanted])
        return [found[number] for number in sorted(found)]

    def observe(self, observer: Observer) -> None:
        """Call `observer` with every object that is here and every later change, for the server's own derived state."""
        self._observers.append(observer)
        for entry in self.select(""):
            self._tell((observer,), (), None, entry, entry.decode())

    def follow(self, follower: Follower) -> None:
        """Call `follower` with every entry that is here and every later change."""
        self._followers.append(follower)
        for entry in self.select(""):
            self._tell((), (follower,), None, entry, entry.decode())

    def _tell(
        self,
        observers: Iterable[Observer],
        followers: Iterable[Follower],
        before: JsonObject | None,
        entry: Entry,
        obj: JsonObject | None,
    ) -> None:
        for observe in observers:
            try:
                observe(before, obj)
            except Exception as error:  # noqa: BLE001 - one observer's fault is neither the others' nor the server's end
                self._crashed(entry, error)
        for follow in followers:
            try:
                follow(entry, obj)
            except Exception as error:  # noqa: BLE001 - as above
                self._crashed(entry, error)

    def _crashed(self, entry: Entry, error: Exception) -> None:
        self.crashes += 1
        _log.crash("An observer of objects crashed", error=error, key=entry.key)

    def _put(self, entry: Entry) -> None:
        previous = self.entries.get(entry.key)
        if previous is None:
            if self._keys and entry.key < self._keys[-1]:
                insort(self._keys, entry.key)
            else:
                self._keys.append(entry.key)
        else:
            self._unindex(previous)
        self.entries[entry.key] = entry
        for field, index in self._indexes.items():
            index.setdefault(entry.fields.get(field, ""), {})[entry.key] = entry

    def _remove(self, entry: Entry) -> None:
        del self.entries[entry.key]
        del self._keys[bisect_left(self._keys, entry.key)]
        self._unindex(entry)

    def _unindex(self, entry: Entry) -> None:
        for field, index in self._indexes.items():
            value = entry.fields.get(field, "")
            index[value].pop(entry.key, None)
            if not index[value]:
                del index[value]
