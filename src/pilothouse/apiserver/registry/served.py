"""Served: stored entries as a group and version shows them.

Most kinds are served as they are stored, and their bytes go out untouched. A kind served in two versions is converted
on first use; the converted bytes stay with the entry.
"""

from typing import Any

import orjson

from pilothouse.api.catalogue import Catalogue
from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.registry.entry import Entry
from pilothouse.apiserver.registry.resource_cache import ResourceCache
from pilothouse.apiserver.registry.watch_cache import WatchCache


class Served:
    """Kinds, their schemas and their entries, by the resource a client asked for."""

    def __init__(self, catalogue: Catalogue, schemas: Schemas, cache: WatchCache) -> None:
        self.catalogue = catalogue
        self.schemas = schemas
        self.cache = cache

    def cache_of(self, resource: Resource[Any]) -> ResourceCache:
        """The watch cache of what is stored for `resource`."""
        stored = self.catalogue.stored(resource)
        return self.cache.of(stored.group, stored.plural)

    def wire(self, resource: Resource[Any], entry: Entry) -> bytes:
        """The object as `resource` shows it, encoded."""
        if resource.stored_as is None:
            return entry.wire
        return entry.variant(resource.api_version, lambda found: orjson.dumps(self.decode(resource, found)))

    def decode(self, resource: Resource[Any], entry: Entry) -> JsonObject:
        """A fresh copy of the object as `resource` shows it."""
        if resource.stored_as is None:
            return entry.decode()
        shown = resource.from_storage(entry.decode())
        return {**shown, "kind": resource.name, "apiVersion": resource.api_version}

    def to_storage(self, resource: Resource[Any], obj: JsonObject) -> JsonObject:
        """The object in the version it is stored in."""
        return obj if resource.stored_as is None else resource.to_storage(obj)
