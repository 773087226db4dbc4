"""Stage: managed fields. Who set what is recorded before admission changes it, as upstream does (KEP-555).

An apply has settled the entries itself, with the object it made; then this stage only puts them in.
"""

from collections.abc import Mapping

from pilothouse.api.catalogue import AnyResource, Catalogue
from pilothouse.api.machinery.managed_fields import Version, is_readable, record_write
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.pipeline.write import Write
from pilothouse.apiserver.registry.served import Served
from pilothouse.runtime.clock import Clock, format_time

_UNREADABLE = (
    ".metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating "
    "admission controller; please fix your requests: an entry cannot be read"
)
_STATUS: JsonObject = {"f:status": {}}
_SPEC: JsonObject = {"f:spec": {}}
_BESIDE_SPEC: Mapping[tuple[str, str], JsonObject] = {
    ("apiextensions.k8s.io", "customresourcedefinitions"): {"f:metadata": {}},
    ("apiregistration.k8s.io", "apiservices"): {"f:metadata": {}},
    ("apps", "deployments"): {"f:metadata": {"f:labels": {}}},
    ("", "pods"): {"f:metadata": {"f:deletionTimestamp": {}, "f:ownerReferences": {}}},
}
"""What the status of a kind leaves alone beside the spec. Source: GetResetFields of the kinds' status strategies."""


def record_manager(write: Write, manager: str, served: Served, clock: Clock) -> None:
    """Bring `metadata.managedFields` of the new object up to date."""
    resource, new = write.resource, write.new
    assert new is not None
    if write.entries is not None:
        metadata = {key: value for key, value in new["metadata"].items() if key != "managedFields"}
        new["metadata"] = metadata | ({"managedFields": write.entries} if write.entries else {})
        return
    record_write(
        new,
        write.old,
        schema=served.schemas.kind(resource.group, resource.version, resource.name),
        manager=manager,
        api_version=resource.api_version,
        now=format_time(clock.now()),
        subresource=write.part,
        ignored=left_alone(resource, write.part),
        versions=Translations(served, resource).find,
    )


def left_alone(resource: AnyResource, part: str) -> JsonObject | None:
    """The fields that a path does not write: the status, or through /status all but that."""
    if not part:
        return _STATUS if resource.subresource("status") else None
    if part == "status":
        return _SPEC | _BESIDE_SPEC.get((resource.group, resource.plural), {})
    return None


def keep_times(write: Write) -> None:
    """An apply that changed nothing but the times of entries did not happen: what it wrote was as good as there."""
    new, old = write.new, write.old
    if not write.entries or new is None or old is None:
        return
    before = old["metadata"].get("managedFields") or []
    after = new["metadata"].get("managedFields") or []
    if before != after and _timeless(before) == _timeless(after) and _bare(new) == _bare(old):
        new["metadata"]["managedFields"] = before


def entries_of(obj: JsonObject | None) -> list[JsonObject]:
    """The entries that an object carries, before anybody outside the server changes it."""
    found: list[JsonObject] = ((obj or {}).get("metadata") or {}).get("managedFields") or []
    return found


def keep_readable(write: Write, before: list[JsonObject]) -> None:
    """Put the entries back that a policy or webhook has made into something that cannot be read."""
    after = entries_of(write.new)
    if not after or after == before or is_readable(after):
        return
    assert write.new is not None
    write.new["metadata"] = {**write.new["metadata"], "managedFields": before}
    if _UNREADABLE not in write.exchange.warnings:
        write.exchange.warnings.append(_UNREADABLE)


def _timeless(entries: list[JsonObject]) -> list[JsonObject]:
    """The entries without times, in an order that does not depend on them."""
    bare = [{key: value for key, value in entry.items() if key != "time"} for entry in entries]
    return sorted(bare, key=lambda entry: [entry.get(name, "") for name in _IDENTITY])


_IDENTITY = ("operation", "manager", "apiVersion", "subresource")


def _bare(obj: JsonObject) -> JsonObject:
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {**obj, "metadata": metadata}


class Translations:
    """The versions that one kind is served in, seen from the one that is spoken."""

    def __init__(self, served: Served, resource: AnyResource) -> None:
        self._schemas: Schemas = served.schemas
        self._catalogue: Catalogue = served.catalogue
        self._resource = resource

    def find(self, api_version: str) -> Version | None:
        """The version with this apiVersion; None where the kind is not served in it."""
        group, _, version = api_version.rpartition("/")
        other = self._catalogue.by_kind(group, version, self._resource.name)
        stored = self._catalogue.stored
        if other is None or stored(other) is not stored(self._resource):
            return None
        return Version(
            self._schemas.kind(group, version, other.name),
            lambda obj: shown_as(self._resource, other, obj),
            lambda obj: shown_as(other, self._resource, obj),
        )


def shown_as(source: AnyResource, target: AnyResource, obj: JsonObject) -> JsonObject:
    """The object of one version as another shows it."""
    if source is target:
        return obj
    stored = source.to_storage(obj) if source.stored_as is not None else obj
    found = target.from_storage(stored) if target.stored_as is not None else stored
    return {**found, "kind": target.name, "apiVersion": target.api_version}
