"""The entries of one kind by namespace, for what is looked up at each write: most namespaces have none."""

from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.registry.entry import Entry
from pilothouse.apiserver.registry.resource_cache import ResourceCache


class ByNamespace:
    """Follows one kind."""

    def __init__(self, cache: ResourceCache) -> None:
        self._entries: dict[str, dict[str, Entry]] = {}
        cache.follow(self._follow)

    def __contains__(self, namespace: str) -> bool:
        return namespace in self._entries

    def of(self, namespace: str) -> list[Entry]:
        """The entries of a namespace in the order of their names."""
        found = self._entries.get(namespace)
        return [found[name] for name in sorted(found)] if found else []

    def _follow(self, entry: Entry, obj: JsonObject | None) -> None:
        of_namespace = self._entries.setdefault(entry.namespace, {})
        if obj is None:
            of_namespace.pop(entry.name, None)
        else:
            of_namespace[entry.name] = entry
        if not of_namespace:
            del self._entries[entry.namespace]
