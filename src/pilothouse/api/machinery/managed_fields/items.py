"""How the items of lists are known: those of a list that is a map by some of their fields, those of a set by value.

One rule for what is stored and for what somebody applies; only that of the latter nobody has yet said that it is as the
schema has it. The words for what is wrong are those of structured-merge-diff's typed package.
"""

from collections.abc import Sequence
from typing import Any

from pilothouse.api.machinery.managed_fields.fields import item_key, value_key
from pilothouse.api.machinery.schema import Schema

_ABSENT: Any = object()
_DEFAULTS = {"protocol": "TCP"}
"""What stands for a key that an item lacks."""


def known_by(keys: Sequence[str]) -> tuple[tuple[str, Any], ...]:
    """The keys, each with what stands for it in an item that lacks it."""
    return tuple((key, _DEFAULTS.get(key, _ABSENT)) for key in keys)


def keyed_step(keys: Sequence[str], values: Sequence[Any]) -> str:
    """The step to the item that is known by these values."""
    return item_key({key: value for key, value in zip(keys, values, strict=True) if value is not _ABSENT})


def item_step(node: Schema, item: Any) -> str:
    """The step to an item of a list that is a map or a set. Raises ValueError for an item that has none."""
    if node.list_type == "set":
        if isinstance(item, dict):
            raise ValueError("associative list without keys has an element that's a map type")
        if isinstance(item, list):
            raise ValueError("not supported: associative list with lists as elements")
        if item is None:
            raise ValueError("associative list without keys has an element that's an explicit null")
        return value_key(item)
    if item is None:
        raise ValueError("associative list with keys may not have a null element")
    if not isinstance(item, dict):
        raise ValueError("associative list with keys may not have non-map elements")
    values = [item.get(key, default) for key, default in known_by(node.list_map_keys)]
    for key, value in zip(node.list_map_keys, values, strict=True):
        if value is _ABSENT:
            raise ValueError(
                f'associative list with keys has an element that omits key field "{key}" '
                "(and doesn't have default value)"
            )
    return keyed_step(node.list_map_keys, values)
