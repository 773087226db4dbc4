"""The order of a merged list: the patch's items in the patch's order, woven into the rest in the document's order.

An item of the document goes before the next item of the patch only where the document had it before that one; so items
new to the document come as early as the patch allows. Source: the design "Preserve order in strategic merge patch".
"""

from collections.abc import Hashable, Sequence
from typing import Any

from pilothouse.api.machinery.errors import Invalid, StatusError


def in_order(merged: list[Any], wanted: Sequence[Any], before: Sequence[Any], key: str) -> list[Any]:
    """The merged items: those that `wanted` names in its order, the others as they stood in `before`."""
    rank = _ranks(wanted, key)
    old_rank = _ranks(before, key)
    named = sorted((item for item in merged if _identity(item, key) in rank),
                   key=lambda item: rank[_identity(item, key)])  # fmt: skip
    others = [item for item in merged if _identity(item, key) not in rank]
    woven: list[Any] = []
    position = 0
    for item in named:
        place = old_rank.get(_identity(item, key))
        while place is not None and position < len(others):
            other = old_rank.get(_identity(others[position], key))
            if other is None or other > place:
                break
            woven.append(others[position])
            position += 1
        woven.append(item)
    return woven + others[position:]


def by_key(items: Sequence[Any], key: str) -> dict[Hashable, int]:
    """The place of the first item with each key."""
    places: dict[Hashable, int] = {}
    for place, item in enumerate(items):
        if key in item:
            places.setdefault(hashable(item[key]), place)
    return places


def are_objects(before: Sequence[Any], patch: Sequence[Any]) -> bool:
    """Whether the items are objects; all must be, or none. Raises for lists of lists and for mixtures."""
    kinds = {type(item) for item in (*before, *patch)}
    if list in kinds:
        raise Invalid("the server rejected our request due to an error in our request")
    if len(kinds) > 1 and kinds != {int, float}:
        raise StatusError(f"list element types are not identical: {[list(before), list(patch)]}")
    return kinds == {dict}


def _ranks(items: Sequence[Any], key: str) -> dict[Hashable, int]:
    ranks: dict[Hashable, int] = {}
    for place, item in enumerate(items):
        ranks.setdefault(_identity(item, key), place)
    return ranks


def _identity(item: Any, key: str) -> Hashable:
    return hashable(item.get(key)) if key and isinstance(item, dict) else hashable(item)


def hashable(value: Any) -> Hashable:
    """What stands for a value where values are looked up: keys are plain, but a patch may hold anything for one."""
    return value if isinstance(value, Hashable) else repr(value)
