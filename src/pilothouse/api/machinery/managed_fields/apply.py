"""apply: an object with a configuration applied to it, and who has which of its fields then.

Pure, and whole: the caller gives the stored object and what was sent, and gets the object to store before defaulting,
with its entries. In order: what is claimed, merge, prune what is claimed no longer, conflicts, ownership. Source:
KEP-555, structured-merge-diff's merge package, apimachinery/pkg/util/managedfields.
"""

from dataclasses import dataclass, replace

from pilothouse.api.machinery.errors import BadRequest, StatusError
from pilothouse.api.machinery.managed_fields.configuration import claims
from pilothouse.api.machinery.managed_fields.conflicts import ApplyConflict, Clash
from pilothouse.api.machinery.managed_fields.entries import (
    Entries,
    Entry,
    Owner,
    applier,
    decoded,
    encoded,
    stored_entries,
    updater,
)
from pilothouse.api.machinery.managed_fields.fields import Fields, difference, intersection, union, without
from pilothouse.api.machinery.managed_fields.merge import merge
from pilothouse.api.machinery.managed_fields.prune import prune
from pilothouse.api.machinery.managed_fields.versions import Comparisons, Version, Versions
from pilothouse.api.machinery.managed_fields.walk import UNTRACKED, UNTRACKED_METADATA
from pilothouse.api.machinery.managed_fields.write import written_over
from pilothouse.api.machinery.schema import Schema
from pilothouse.api.machinery.view import JsonObject

BEFORE_FIRST_APPLY = "before-first-apply"
"""Who has the fields of an object that nobody kept a record of."""
_NOBODYS: Fields = {
    **{f"f:{name}": {} for name in UNTRACKED},
    "f:metadata": {".": {}, **{f"f:{name}": {} for name in UNTRACKED_METADATA}},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What is asked for. `ignored` are fields that this path does not write, and that nobody claims through it."""

    schema: Schema
    kind: str
    api_version: str
    manager: str
    now: str
    subresource: str = ""
    force: bool = False
    ignored: Fields | None = None
    versions: Versions | None = None

    def forced(self) -> "Application":
        """The same, taking over what others have."""
        return replace(self, force=True)

    def describe(self, obj: JsonObject) -> str:
        """An object as upstream names it in errors: `default/web; apps/v1, Kind=Deployment`."""
        metadata = _metadata(obj)
        namespace, name = (metadata.get(field) for field in ("namespace", "name"))
        version = self.api_version if "/" in self.api_version else f"/{self.api_version}"
        where = "/".join(text if isinstance(text, str) else "" for text in (namespace, name))
        return f"{where}; {version}, Kind={self.kind}"

    @property
    def own(self) -> Version:
        """The version that is spoken."""
        return Version(self.schema, _same, _same)


@dataclass(frozen=True, slots=True)
class Applied:
    """What comes of it: the object, without entries, and the entries as they go on the wire."""

    object: JsonObject
    entries: list[JsonObject]


def apply(live: JsonObject, configuration: JsonObject, asked: Application) -> Applied:
    """Apply to the stored object, or to an empty one where none is stored. Neither is changed; parts are shared.

    Raises ApplyConflict; BadRequest and StatusError for a configuration that is none, in upstream's words.
    """
    if _metadata(configuration).get("managedFields") is not None:
        raise BadRequest("metadata.managedFields must be nil")
    claimed, errors = claims(asked.schema, configuration)
    if errors:
        why = errors[0] if len(errors) == 1 else "\n  ".join(["errors:", *errors])
        raise StatusError(f"failed to create typed patch object ({asked.describe(configuration)}): {why}")
    if asked.ignored:
        claimed = without(claimed, asked.ignored)
    entries = decoded(stored_entries(live), ours=True)
    live = _without_entries(live)
    if not entries and live:
        entries = _first(live, asked)
    owner = applier(asked.manager, asked.subresource)
    last = entries.get(owner)
    try:
        merged = merge(asked.schema, live, configuration)
    except ValueError as why:
        raise StatusError(f"failed to merge config: {why}") from None
    if last is not None and difference(last.fields, claimed):
        merged = _pruned(merged, last, claimed, {**entries, owner: replace(last, fields=claimed)}, asked)
    entries = _after(live, merged, entries, owner, asked)
    time = last.time if last is not None else ""
    if merged != live:
        time = asked.now
    if mine := difference(claimed, _NOBODYS):
        entries[owner] = Entry(owner, asked.api_version, mine, time)
    return Applied(merged, encoded(entries))


def _same(obj: JsonObject) -> JsonObject:
    return obj


def _metadata(obj: JsonObject) -> JsonObject:
    """What it says of itself; nothing where that is no object, which is found out when it is held to the schema."""
    found = obj.get("metadata")
    return found if isinstance(found, dict) else {}


def _without_entries(obj: JsonObject) -> JsonObject:
    metadata = obj.get("metadata") or {}
    if "managedFields" not in metadata:
        return obj
    return {**obj, "metadata": {key: value for key, value in metadata.items() if key != "managedFields"}}


def _first(live: JsonObject, asked: Application) -> Entries:
    """The entry of all that is there when the first one applies to an object without entries."""
    everything = Comparisons(None, live, asked.schema, asked.api_version, ignored=asked.ignored)
    owner = updater(BEFORE_FIRST_APPLY, asked.api_version, asked.subresource)
    return written_over({}, everything, owner, asked.api_version, asked.now)


def _pruned(merged: JsonObject, last: Entry, claimed: Fields, entries: Entries, asked: Application) -> JsonObject:
    """The merged object without what is claimed no longer."""
    owned: dict[str, Fields] = {asked.api_version: claimed}
    for entry in entries.values():
        owned[entry.api_version] = union(owned.get(entry.api_version, {}), entry.fields)
    versions = {asked.api_version: asked.own}
    for api_version in (*owned, last.api_version):
        if api_version not in versions:
            found = asked.versions(api_version) if asked.versions is not None else asked.own
            if found is not None:
                versions[api_version] = found
    if last.api_version not in versions:
        return merged
    return prune(merged, last.fields, last.api_version, owned, versions)


def _after(live: JsonObject, merged: JsonObject, entries: Entries, owner: Owner, asked: Application) -> Entries:
    """The entries of the others after the write. Raises ApplyConflict."""
    changes = Comparisons(
        live, merged, asked.schema, asked.api_version, ignored=asked.ignored, versions=asked.versions
    )  # fmt: skip
    clashes: list[Clash] = []
    others: Entries = {}
    for entry in entries.values():
        found = changes.at(entry.api_version)
        if entry.owner == owner or found is None:
            continue
        lost = intersection(entry.fields, found.changed)
        if lost:
            clashes.append(Clash(entry, lost))
        if left := difference(difference(entry.fields, lost), found.removed):
            others[entry.owner] = entry if left is entry.fields else replace(entry, fields=left)
    if clashes and not asked.force:
        raise ApplyConflict(clashes)
    return others
