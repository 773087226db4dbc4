"""record_write: bring `metadata.managedFields` up to date with a create, update or patch.

An entry belongs to one manager, operation, API version and subresource. A client may set the entries itself, and
empties them with `[]` or `[{}]`; what it sends that cannot be read counts as not sent. Source: KEP-555 and
apimachinery/pkg/util/managedfields for the order, the cap and the clock's part in them.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from pilothouse.api.machinery.managed_fields.fields import Fields, difference, read_fields, union, without
from pilothouse.api.machinery.managed_fields.walk import Changes, compare
from pilothouse.api.machinery.schema import Schema
from pilothouse.api.machinery.view import JsonObject

MOST_UPDATERS = 10
"""Entries of operation Update an object keeps; older ones become one of `ancient-changes`."""
ANCIENT = "ancient-changes"
_LONGEST_NAME = 128


class Owner(NamedTuple):
    """Who an entry belongs to."""

    manager: str
    operation: str
    api_version: str
    subresource: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What an owner has, and since when."""

    owner: Owner
    fields: Fields
    time: str = ""


Entries = dict[Owner, Entry]


def record_write(
    new: JsonObject,
    old: JsonObject | None,
    *,
    schema: Schema,
    manager: str,
    api_version: str,
    now: str,
    subresource: str = "",
    operation: Literal["Update"] = "Update",
    ignored: Fields | None = None,
) -> None:
    """Set `new["metadata"]["managedFields"]`; `old` is the object as it was, None for a create.

    `now` is the time as metav1.Time writes it. `ignored` are fields whose changes the strategy will undo. Metadata is
    replaced, not changed, for `new` may share it with `old`.
    """
    metadata = {key: value for key, value in (new.get("metadata") or {}).items() if key != "managedFields"}
    entries = _given(new, old, subresource)
    if entries or old is None:
        changes = compare(schema, old, new)
        owner = Owner(manager, operation, api_version, subresource)
        written = _write(entries, changes, owner, now, ignored)
        metadata["managedFields"] = [_encoded(entry) for entry in sorted(_capped(written).values(), key=_place)]
        if not metadata["managedFields"]:
            del metadata["managedFields"]
    new["metadata"] = metadata


def default_manager(user_agent: str) -> str:
    """The manager of a request that names none: the User-Agent up to its first slash, 128 bytes at most."""
    name = "".join(letter for letter in user_agent.partition("/")[0] if letter.isprintable())
    while len(name.encode()) > _LONGEST_NAME:
        name = name[:-1]
    return name


def _write(entries: Entries, changes: Changes, owner: Owner, now: str, ignored: Fields | None) -> Entries:
    """The entries after the write."""
    changed, removed = changes.changed, changes.removed
    if ignored:
        changed, removed = without(changed, ignored), without(removed, ignored)
    written: Entries = {}
    for entry in entries.values():
        # What the writer had and changes again stays its own: no need to take it away first.
        left = entry.fields if entry.owner == owner else difference(entry.fields, changed)
        left = difference(left, removed)
        if left:
            written[entry.owner] = entry if left is entry.fields else replace(entry, fields=left)
    if changed:
        before = written.get(owner)
        written[owner] = Entry(owner, union(before.fields, changed) if before else changed, now)
    return written


def _given(new: JsonObject, old: JsonObject | None, subresource: str) -> Entries:
    """The entries the write starts from: those sent, or the stored ones."""
    stored = ((old or {}).get("metadata") or {}).get("managedFields") or []
    sent = (new.get("metadata") or {}).get("managedFields")
    if not subresource and sent is not None and sent != stored:
        if sent in ([], [{}]):
            return {}
        if entries := _decoded(sent):
            return entries
    return _decoded(stored, ours=True)


def _decoded(raw: Any, *, ours: bool = False) -> Entries:
    """The entries of a list on the wire; none where one of them cannot be read. Our own are in canonical form."""
    entries: Entries = {}
    try:
        for item in raw:
            entry = _entry(item, ours=ours)
            entries[entry.owner] = entry
    except (ValueError, TypeError, AttributeError):
        return {}
    return entries


def _entry(item: JsonObject, *, ours: bool) -> Entry:
    operation, api_version = item.get("operation"), item.get("apiVersion")
    if operation not in ("Apply", "Update") or not api_version or item.get("fieldsType") != "FieldsV1":
        raise ValueError("no entry of managed fields")
    owner = Owner(item.get("manager") or "", operation, api_version, item.get("subresource") or "")
    fields = item.get("fieldsV1") or {}
    return Entry(owner, fields if ours else read_fields(fields), item.get("time") or "")


def _encoded(entry: Entry) -> JsonObject:
    owner = entry.owner
    item: JsonObject = {"manager": owner.manager} if owner.manager else {}
    item |= {"operation": owner.operation, "apiVersion": owner.api_version}
    if entry.time:
        item["time"] = entry.time
    item |= {"fieldsType": "FieldsV1", "fieldsV1": entry.fields}
    if owner.subresource:
        item["subresource"] = owner.subresource
    return item


def _place(entry: Entry) -> tuple[str, ...]:
    """Where an entry stands in the list."""
    owner = entry.owner
    return owner.operation, entry.time, owner.manager, owner.api_version, owner.subresource


def _capped(entries: Entries) -> Entries:
    """Merge the oldest updates of one API version into one entry until there are few enough."""
    updates = sorted((entry for entry in entries.values() if entry.owner.operation == "Update"), key=_place)
    excess = len(updates) - MOST_UPDATERS
    oldest: dict[str, Owner] = {}
    for entry in updates:
        if excess <= 0:
            break
        version = entry.owner.api_version
        earlier = oldest.setdefault(version, entry.owner)
        if earlier == entry.owner:
            continue
        bucket = Owner(ANCIENT, "Update", version, "")
        merged = [entries.pop(owner) for owner in dict.fromkeys((earlier, entry.owner, bucket)) if owner in entries]
        fields: Fields = {}
        for part in merged:
            fields = union(fields, part.fields)
        entries[bucket] = Entry(bucket, fields, entry.time)
        oldest[version] = bucket
        excess -= len(merged) - 1
    return entries
