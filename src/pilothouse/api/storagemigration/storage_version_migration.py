"""StorageVersionMigration: rewrites stored objects in the current storage version."""

from pilothouse.api.machinery.columns import dig
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.storagemigration_v1 import StorageVersionMigration
from pilothouse.runtime.clock import Instant


def _resource(obj: JsonObject, _now: Instant) -> str:
    found = dig(obj, "spec", "resource") or {}
    return f"{found.get('resource', '')}.{found.get('group', '')}".rstrip(".")


RESOURCE = Resource(
    kind=StorageVersionMigration,
    group="storagemigration.k8s.io",
    version="v1",
    plural="storageversionmigrations",
    singular="storageversionmigration",
    namespaced=False,
    subresources=(STATUS,),
    generation=False,
    prepare_for_create=fresh_status(),
    prepare_for_update=keep_status,
    columns=(Column("Resource", _resource),),
)
