"""Lists and maps of limited size, whose items are each checked and, in sets, are there once.

Nearly every list of dynamic resource allocation is one. Source of the facts: validateSlice, validateSet and validateMap
in pkg/apis/resource/validation/validation.go.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from pilothouse.api.machinery.field import FieldErrors, index

T = TypeVar("T")
Rule = Callable[[T, FieldErrors, str], None]


def validate_list(items: Sequence[T] | None, most: int, rule: Rule[T], errors: FieldErrors, path: str) -> None:
    """At most `most` items; of more, none is looked at."""
    found = items or ()
    if len(found) > most:
        errors.too_many(path, len(found), most)
        return
    for position, item in enumerate(found):
        rule(item, errors, index(path, position))


def validate_set(
    items: Sequence[T] | None, most: int, rule: Rule[T], key: Callable[[T], Any], errors: FieldErrors, path: str
) -> None:
    """The same, and each key is there once."""
    found = items or ()
    validate_list(found, most, rule, errors, path)
    if len(found) > most:
        return
    seen = set()
    for position, item in enumerate(found):
        name = key(item)
        if name in seen:
            errors.duplicate(index(path, position), name)
        seen.add(name)


def validate_map(
    items: Mapping[str, T] | None, most: int, key_rule: Rule[str], rule: Rule[T], errors: FieldErrors, path: str
) -> None:
    """At most `most` entries, each with a good key."""
    found = items or {}
    if len(found) > most:
        errors.too_many(path, len(found), most)
        return
    for key, item in found.items():
        key_rule(key, errors, path)
        rule(item, errors, index(path, key))


def itself(item: str) -> str:
    """The key of a text in a set of texts."""
    return item


def named(item: Mapping[str, Any]) -> str:
    """The key of what has a name."""
    return item.get("name") or ""
