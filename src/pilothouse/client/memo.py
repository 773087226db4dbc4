"""Memo: one decoded object for all who read it in this process.

Three informers of pods hold one copy. Entries live as long as somebody holds the object (DESIGN §4); views cannot be
changed, so sharing is safe. What was read last is also known by its bytes: a server tells a change to all watchers,
and to who made it, in the same ones, and decoding them is most of what it costs to be told.
"""

from weakref import WeakValueDictionary

import orjson

from pilothouse.api.machinery.resource import Resource, V
from pilothouse.api.machinery.view import JsonObject, View
from pilothouse.runtime.bounded_memo import BoundedMemo

_Place = tuple[str, str, str, str, str]
_RECENT = 256
"""How many objects are known by their bytes: as many as may be under way to the second reader."""
_LONGEST = 16 * 1024
"""Larger ones are not, lest they be much of the memory of an idle process."""


class Memo:
    """Views by resource, key and revision. One a process; every client of one cluster may share it.

    Without `managed_fields`, which controllers never read, pods take a fifth less memory. What is written without
    them keeps those that it has.
    """

    def __init__(self, *, managed_fields: bool = True) -> None:
        self._managed_fields = managed_fields
        self._views: WeakValueDictionary[_Place, View] = WeakValueDictionary()
        self._recent: BoundedMemo[bytes, View] = BoundedMemo(_RECENT)

    def read(self, resource: Resource[V], body: bytes) -> V:
        """The view of an object as the server sent it, decoded unless the same bytes came a moment ago."""
        known = self._recent.get(body)
        if type(known) is resource.kind:
            return known
        fresh = self.view(resource, orjson.loads(body))
        if len(body) <= _LONGEST:
            self._recent.keep(body, fresh)
        return fresh

    def view(self, resource: Resource[V], decoded: JsonObject) -> V:
        """The view of an object as decoded, or the one that is already there for this revision of it."""
        decoded.setdefault("apiVersion", resource.api_version)
        decoded.setdefault("kind", resource.name)
        meta = decoded.get("metadata") or {}
        if not self._managed_fields:
            meta.pop("managedFields", None)
        revision = meta.get("resourceVersion")
        if not revision:
            return resource.kind(decoded)
        place = (resource.api_version, resource.plural, meta.get("namespace") or "", meta.get("name") or "", revision)
        known = self._views.get(place)
        if type(known) is resource.kind:
            return known
        fresh = resource.kind(decoded)
        self._views[place] = fresh
        return fresh

    def __len__(self) -> int:
        return len(self._views)
