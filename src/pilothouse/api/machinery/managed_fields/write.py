"""record_write: bring `metadata.managedFields` up to date with a create, update or patch.

What the writer added or changed becomes its own and nobody else's; what it took away is nobody's. A client may set the
entries itself, and empties them with `[]` or `[{}]`; what it sends that cannot be read counts as not sent. Source:
KEP-555 and apimachinery/pkg/util/managedfields for the clock's part.
"""

from dataclasses import replace
from functools import lru_cache

from pilothouse.api.machinery.managed_fields.entries import (
    Entries,
    Entry,
    Owner,
    capped,
    decoded,
    encoded,
    stored_entries,
    updater,
)
from pilothouse.api.machinery.managed_fields.fields import Fields, difference, union
from pilothouse.api.machinery.managed_fields.versions import Comparisons, Versions
from pilothouse.api.machinery.schema import Schema
from pilothouse.api.machinery.view import JsonObject

_LONGEST_NAME = 128
SCALE = "scale"
"""The subresource whose entries have no time, for upstream takes it over from an entry that is not there yet."""


def record_write(
    new: JsonObject,
    old: JsonObject | None,
    *,
    schema: Schema,
    manager: str,
    api_version: str,
    now: str,
    subresource: str = "",
    ignored: Fields | None = None,
    versions: Versions | None = None,
) -> None:
    """Set `new["metadata"]["managedFields"]`; `old` is the object as it was, None for a create.

    `now` is the time as metav1.Time writes it. `ignored` are fields whose changes the strategy will undo. `versions`
    are needed where the kind has several. Metadata is replaced, not changed, for `new` may share it with `old`.
    """
    metadata = {key: value for key, value in (new.get("metadata") or {}).items() if key != "managedFields"}
    entries = _given(new, old, subresource)
    if entries or old is None:
        changes = Comparisons(old, new, schema, api_version, ignored=ignored, versions=versions)
        written = written_over(entries, changes, updater(manager, api_version, subresource), api_version, now)
        if listed := encoded(capped(written)):
            metadata["managedFields"] = listed
    new["metadata"] = metadata


@lru_cache(maxsize=256)
def default_manager(user_agent: str) -> str:
    """The manager of a request that names none: the User-Agent up to its first slash, 128 bytes at most."""
    name = "".join(letter for letter in user_agent.partition("/")[0] if letter.isprintable())
    while len(name.encode()) > _LONGEST_NAME:
        name = name[:-1]
    return name


def written_over(entries: Entries, changes: Comparisons, owner: Owner, api_version: str, now: str) -> Entries:
    """The entries after a write by `owner`."""
    written: Entries = {}
    for entry in entries.values():
        found = changes.at(entry.api_version)
        if found is None:
            continue
        # What the writer had and changes again stays its own: no need to take it away first.
        left = entry.fields if entry.owner == owner else difference(entry.fields, found.changed)
        left = difference(left, found.removed)
        if left:
            written[entry.owner] = entry if left is entry.fields else replace(entry, fields=left)
    if changed := changes.own.changed:
        before = written.get(owner)
        fields = union(before.fields, changed) if before else changed
        if owner.subresource == SCALE:
            now = before.time if before else ""
        written[owner] = Entry(owner, api_version, fields, now)
    return written


def _given(new: JsonObject, old: JsonObject | None, subresource: str) -> Entries:
    """The entries the write starts from: those sent, or the stored ones."""
    stored = stored_entries(old)
    sent = (new.get("metadata") or {}).get("managedFields")
    if not subresource and sent is not None and sent != stored:
        if sent in ([], [{}]):
            return {}
        if entries := decoded(sent):
            return entries
    return decoded(stored, ours=True)
