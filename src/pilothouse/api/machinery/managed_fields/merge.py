"""Lays an applied configuration over an object, as the schema says what belongs together.

Structs and maps are merged key by key, lists by their items' keys or values; everything else is replaced. A null takes
the place of a plain value, but of an object or list that has something in it takes nothing away. Nothing is changed in
place; the result shares parts with both. Source: KEP-555; structured-merge-diff's rules for the order of list items.
"""

from typing import Any

from pilothouse.api.machinery.managed_fields.configuration import is_free, is_leaf
from pilothouse.api.machinery.managed_fields.items import item_step
from pilothouse.api.machinery.schema import Schema
from pilothouse.api.machinery.view import JsonObject


def merge(schema: Schema, old: JsonObject, new: JsonObject) -> JsonObject:
    """The object `old` with what `new` says."""
    merged: JsonObject = _merged(schema, old, new)
    return merged


def child(node: Schema | None, key: str) -> Schema | None:
    """The schema of a field or entry; None where anything may stand, or nothing is known."""
    if node is None or is_free(node):
        return None
    return node.properties.get(key) if node.additional is None else node.additional


def _merged(node: Schema | None, old: Any, new: Any) -> Any:
    free = node is None or is_free(node)
    if not free and node is not None and (old == new or is_leaf(node)):
        return new
    if new is None:
        return old if old and isinstance(old, dict | list) else None
    if isinstance(new, dict) and isinstance(old, dict):
        merged = dict(old)
        for key, value in new.items():
            merged[key] = _merged(child(node, key), old[key], value) if key in old else value
        return merged
    if isinstance(new, list) and isinstance(old, list) and node is not None and not free:
        return _merged_list(node, old, new)
    return new


def _merged_list(node: Schema, old: list[Any], new: list[Any]) -> list[Any]:
    """The items of both. The applied ones have their order; the others stay before what they stood before."""
    before = [item_step(node, item) for item in old]
    wanted = {item_step(node, item): item for item in new}
    of_old: dict[str, Any] = {}
    for step, item in zip(before, old, strict=True):
        of_old[step] = None if step in of_old else item  # of several with one key none is merged
    anchors = [step for step in wanted if step in of_old]
    merged: list[Any] = []
    position = passed = 0
    for step, item in wanted.items():
        anchor = anchors[passed] if passed < len(anchors) else None
        while position < len(before) and before[position] != anchor:
            if before[position] not in wanted:
                merged.append(old[position])
            position += 1
        stored = of_old.get(step)
        merged.append(item if stored is None else _merged(node.items, stored, item))
        if step == anchor:
            passed += 1
            position += 1
    merged += [old[at] for at in range(position, len(before)) if before[at] not in wanted]
    return merged
