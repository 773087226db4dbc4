"""Entries of `metadata.managedFields`: whose they are, how they look on the wire, in which order, and how many.

An owner is a manager with an operation and a subresource, and for updates an API version: who applies has one entry,
whichever version it speaks. Source: KEP-555 and apimachinery/pkg/util/managedfields for the order and the cap.
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from pilothouse.api.machinery.managed_fields.fields import MEMBER, Fields, read_fields, union_of
from pilothouse.api.machinery.view import JsonObject

APPLY, UPDATE = "Apply", "Update"
MOST_UPDATERS = 10
"""Entries of operation Update an object keeps; older ones become one of `ancient-changes`."""
ANCIENT = "ancient-changes"
NAMELESS = "unknown"
"""The manager of a request that names none and says not who it is."""


class Owner(NamedTuple):
    """Who an entry belongs to. `api_version` is empty for who applies."""

    manager: str
    operation: str
    api_version: str
    subresource: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What an owner has, in the fields of which version, and since when."""

    owner: Owner
    api_version: str
    fields: Fields
    time: str = ""


Entries = dict[Owner, Entry]


def updater(manager: str, api_version: str, subresource: str) -> Owner:
    """Who creates, updates or patches."""
    return Owner(manager or NAMELESS, UPDATE, api_version, subresource)


def applier(manager: str, subresource: str) -> Owner:
    """Who applies."""
    return Owner(manager, APPLY, "", subresource)


def stored_entries(obj: JsonObject | None) -> Any:
    """The list an object carries."""
    return ((obj or {}).get("metadata") or {}).get("managedFields") or []


def decoded(raw: Any, *, ours: bool = False) -> Entries:
    """The entries of a list on the wire; none where one of them cannot be read. Our own are in canonical form."""
    entries: Entries = {}
    try:
        for item in raw:
            entry = _entry(item, ours=ours)
            entries[entry.owner] = entry
    except (ValueError, TypeError, AttributeError):
        return {}
    return entries


def is_readable(raw: list[JsonObject]) -> bool:
    """Whether all entries of a list on the wire can be read."""
    return bool(decoded(raw)) or not raw


def encoded(entries: Entries) -> list[JsonObject]:
    """The list on the wire."""
    return [_encoded(entry) for entry in sorted(entries.values(), key=_place)]


def _entry(item: JsonObject, *, ours: bool) -> Entry:
    operation, api_version = item.get("operation"), item.get("apiVersion")
    if operation not in (APPLY, UPDATE) or not api_version or item.get("fieldsType") != "FieldsV1":
        raise ValueError("no entry of managed fields")
    told = "" if operation == APPLY else api_version
    owner = Owner(item.get("manager") or "", operation, told, item.get("subresource") or "")
    fields = item.get("fieldsV1") or {}
    return Entry(owner, api_version, fields if ours else read_fields(fields), item.get("time") or "")


def _encoded(entry: Entry) -> JsonObject:
    owner = entry.owner
    item: JsonObject = {"manager": owner.manager} if owner.manager else {}
    item |= {"operation": owner.operation, "apiVersion": entry.api_version}
    if entry.time:
        item["time"] = entry.time
    item |= {"fieldsType": "FieldsV1", "fieldsV1": entry.fields}
    if owner.subresource:
        item["subresource"] = owner.subresource
    return item


def _place(entry: Entry) -> tuple[str, ...]:
    """Where an entry stands in the list."""
    owner = entry.owner
    return owner.operation, entry.time, owner.manager, entry.api_version, owner.subresource


def capped(entries: Entries) -> Entries:
    """Merge the oldest updates of one API version into one entry until there are few enough."""
    if len(entries) <= MOST_UPDATERS:
        return entries
    updates = sorted((entry for entry in entries.values() if entry.owner.operation == UPDATE), key=_place)
    excess = len(updates) - MOST_UPDATERS
    oldest: dict[str, Owner] = {}
    parts: dict[Owner, list[Fields]] = {}
    for entry in updates:
        if excess <= 0:
            break
        version = entry.api_version
        earlier = oldest.setdefault(version, entry.owner)
        if earlier == entry.owner:
            continue
        bucket = Owner(ANCIENT, UPDATE, version, "")
        merged = [entries.pop(owner) for owner in dict.fromkeys((earlier, entry.owner, bucket)) if owner in entries]
        begun = bucket in parts
        parts.setdefault(bucket, []).extend(part.fields for part in merged if not (begun and part.owner == bucket))
        entries[bucket] = Entry(bucket, version, MEMBER, entry.time)  # its fields come last, all at once
        oldest[version] = bucket
        excess -= len(merged) - 1
    for bucket, found in parts.items():
        entries[bucket] = replace(entries[bucket], fields=union_of(found))
    return entries
