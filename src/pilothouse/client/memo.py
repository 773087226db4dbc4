"""Memo: one decoded object for all who read it in this process.

Three informers of pods hold one copy. Entries live as long as somebody holds the object (DESIGN §4); views cannot be
changed, so sharing is safe.
"""

from weakref import WeakValueDictionary

from pilothouse.api.machinery.resource import Resource, V
from pilothouse.api.machinery.view import JsonObject, View

_Place = tuple[str, str, str, str, str]


class Memo:
    """Views by resource, key and revision. One a process; every client of one cluster may share it."""

    def __init__(self) -> None:
        self._views: WeakValueDictionary[_Place, View] = WeakValueDictionary()

    def view(self, resource: Resource[V], decoded: JsonObject) -> V:
        """The view of an object as decoded, or the one that is already there for this revision of it."""
        decoded.setdefault("apiVersion", resource.api_version)
        decoded.setdefault("kind", resource.name)
        meta = decoded.get("metadata") or {}
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
