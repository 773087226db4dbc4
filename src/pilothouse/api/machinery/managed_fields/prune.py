"""Takes from an object what its applier applied before, does not apply now, and nobody else has.

A struct counts as had by who has one of its fields; so it goes as a whole when all that was in it goes, and with it
what nobody ever had. What nobody had, or was not the applier's, stays everywhere else. Source: KEP-555,
structured-merge-diff's merge package (prune).
"""

from collections.abc import Mapping
from typing import Any

from pilothouse.api.machinery.managed_fields.configuration import held, is_leaf
from pilothouse.api.machinery.managed_fields.fields import Fields, difference, intersection, union, with_self
from pilothouse.api.machinery.managed_fields.items import item_step
from pilothouse.api.machinery.managed_fields.merge import child
from pilothouse.api.machinery.managed_fields.versions import Version
from pilothouse.api.machinery.schema import Schema
from pilothouse.api.machinery.view import JsonObject

Owned = Mapping[str, Fields]
"""What anybody has, the applier by what it applies now, by API version."""


def prune(merged: JsonObject, last: Fields, at: str, owned: Owned, versions: Mapping[str, Version]) -> JsonObject:
    """The object without what is left over. `last` is of version `at`; `versions` lead from the object's own."""
    here = versions[at]
    whole = here.there(merged)
    before = with_structs(here.schema, last)
    pruned = remove(here.schema, whole, before)
    for api_version in sorted(owned, key=lambda name: (name != at, name)):
        version = versions.get(api_version)
        if version is None:
            continue
        pruned = here.back(pruned)
        pruned = _with_owned(version, version.there(here.back(whole)), version.there(pruned), owned[api_version])
        pruned = here.there(version.back(pruned))
    gone = difference(_held(here.schema, whole), _held(here.schema, pruned))
    return here.back(remove(here.schema, whole, intersection(gone, before)))


def _with_owned(version: Version, whole: JsonObject, pruned: JsonObject, owned: Fields) -> JsonObject:
    """Take away only what nobody has."""
    kept = union(_held(version.schema, pruned), with_structs(version.schema, owned))
    return remove(version.schema, whole, difference(_held(version.schema, whole), kept))


def _held(schema: Schema, obj: JsonObject) -> Fields:
    return with_structs(schema, held(schema, obj))


def with_structs(node: Schema | None, fields: Fields) -> Fields:
    """The same set with every struct's field on the way as a member."""
    if node is None or not fields:
        return fields
    found: Fields = {}
    for step, below in fields.items():
        if not below:
            found[step] = below
        elif step[:2] == "f:":
            part = with_structs(child(node, step[2:]), below)
            found[step] = with_self(part) if step[2:] in node.properties else part
        else:
            found[step] = with_structs(node.items, below)
    return found


def remove(node: Schema, value: JsonObject, fields: Fields) -> JsonObject:
    """The object without the fields, nor what is below them."""
    return _without(node, value, fields) or {}


def _without(node: Schema | None, value: Any, fields: Fields) -> Any:
    """The value without the fields; None where nothing is left of it."""
    if isinstance(value, dict):
        if node is not None and is_leaf(node):
            return None
        kept = {}
        for key, part in value.items():
            below = fields.get(f"f:{key}")
            if below is None:
                kept[key] = part
            elif below and "." not in below:
                kept[key] = _without(child(node, key), part, below)
        return kept or None
    if isinstance(value, list):
        if node is None or is_leaf(node):
            return None
        return [*_items_without(node, value, fields)] or None
    return value


def _items_without(node: Schema, items: list[Any], fields: Fields) -> list[Any]:
    kept = []
    for item in items:
        below = fields.get(item_step(node, item))
        if below is None:
            kept.append(item)
        elif below and "." not in below:
            kept.append(_without(node.items, item, below))
    return kept
