"""Walkers of what has parts of one kind: maps, lists that are maps or sets, and what may be anything.

And of what has none: a leaf is where all walks end. See `walk.py` for objects with a fixed set of fields.
"""

from collections.abc import Hashable
from typing import Any

from pilothouse.api.machinery.managed_fields.fields import MEMBER, Fields, in_order, value_key, with_self
from pilothouse.api.machinery.managed_fields.items import keyed_step, known_by
from pilothouse.runtime.bounded_memo import BoundedMemo

MOST_REMEMBERED = 2048
"""Shapes, or steps, that one walker keeps in mind."""
ABSENT: Any = object()


class Walker:
    """A leaf: a plain value, or an object or list that is only ever replaced whole."""

    composite = False

    def shape(self, _value: Any) -> Hashable:
        """What of the value decides its fields."""
        return None

    def contents(self, _value: Any) -> Fields:
        """The fields below the value, when all of it is new."""
        return MEMBER

    def compare(self, old: Any, new: Any, changed: Fields, removed: Fields) -> None:
        """Note what differs below two values that are both there."""


LEAF = Walker()


class MapWalker(Walker):
    """A map whose entries are tracked one by one."""

    composite = True

    def __init__(self, values: Walker) -> None:
        self.values = values

    def walker(self, _value: Any) -> Walker:
        """The walker of an entry."""
        return self.values

    def shape(self, value: Any) -> Hashable:
        """The keys, and the shapes of what is below."""
        if not self.values.composite:
            return tuple(value)
        return self.parts(value)

    def parts(self, value: Any) -> Hashable:
        """The keys and the shapes."""
        return tuple(value), tuple([None if part is None else self.walker(part).shape(part) for part in value.values()])

    def contents(self, value: Any) -> Fields:
        """Every key."""
        return {f"f:{key}": whole(self.walker(part), part) for key, part in sorted(value.items())}

    def compare(self, old: Any, new: Any, changed: Fields, removed: Fields) -> None:
        """Note what differs, key by key."""
        for key, part in new.items():
            before = old.get(key, ABSENT)
            if part == before:
                continue
            if before is ABSENT:
                changed[f"f:{key}"] = whole(self.walker(part), part)
            elif self.walker(part) is not self.walker(before):
                changed[f"f:{key}"] = whole(self.walker(part), part)
                removed[f"f:{key}"] = self.walker(before).contents(before)
            else:
                compare_parts(self.walker(part), f"f:{key}", before, part, changed, removed)
        for key, before in old.items():
            if key not in new:
                removed[f"f:{key}"] = whole(self.walker(before), before)


class FreeWalker(MapWalker):
    """Anything at all: an object is a map of anything, the rest is a leaf."""

    def __init__(self) -> None:
        super().__init__(self)

    def walker(self, value: Any) -> Walker:
        """The walker of an entry, by its own form."""
        return self if isinstance(value, dict) else LEAF

    def shape(self, value: Any) -> Hashable:
        """Of an object as of a map."""
        return self.parts(value) if isinstance(value, dict) else None

    def contents(self, value: Any) -> Fields:
        """Of an object its keys."""
        return super().contents(value) if isinstance(value, dict) else MEMBER


class KeyedListWalker(Walker):
    """A list whose items are known by some of their fields."""

    composite = True

    def __init__(self, keys: tuple[str, ...], items: Walker) -> None:
        self.keys = keys
        self.known_by = known_by(keys)
        self.items = items
        self.steps: BoundedMemo[tuple[Any, ...], str] = BoundedMemo(MOST_REMEMBERED)

    def shape(self, value: Any) -> Hashable:
        """The keys of the items, and their shapes."""
        keys, shape = self.keys, self.items.shape
        if len(keys) == 1:
            key = keys[0]
            return tuple([(item.get(key), shape(item)) for item in value])
        return tuple([(tuple([item.get(key) for key in keys]), shape(item)) for item in value])

    def contents(self, value: Any) -> Fields:
        """Every item, itself included."""
        places = self.by_key(value)
        return in_order({key: whole(self.items, item) for key, item in places.items()})

    def by_key(self, value: Any) -> dict[str, Any]:
        """The items by their steps; of several with the same keys the first."""
        places: dict[str, Any] = {}
        for item in value:
            values = tuple([item.get(key, default) for key, default in self.known_by])
            places.setdefault(self.steps.get(values) or self.step(values), item)
        return places

    def step(self, values: tuple[Any, ...]) -> str:
        """The step to the item with these keys, remembered."""
        return self.steps.keep(values, keyed_step(self.keys, values))

    def compare(self, old: Any, new: Any, changed: Fields, removed: Fields) -> None:
        """Note what differs, item by item; the order does not count."""
        before, after = self.by_key(old), self.by_key(new)
        for key, item in after.items():
            if key not in before:
                changed[key] = whole(self.items, item)
            elif before[key] != item:
                compare_parts(self.items, key, before[key], item, changed, removed)
        for key, item in before.items():
            if key not in after:
                removed[key] = whole(self.items, item)


class SetWalker(Walker):
    """A list of plain values that is a set."""

    composite = True

    def shape(self, value: Any) -> Hashable:
        """The values."""
        return tuple([item if isinstance(item, str) else value_key(item) for item in value])

    def contents(self, value: Any) -> Fields:
        """Every value."""
        return in_order({value_key(item): MEMBER for item in value})

    def compare(self, old: Any, new: Any, changed: Fields, removed: Fields) -> None:
        """Note what is in one alone."""
        before, after = ({value_key(item): MEMBER for item in items} for items in (old, new))
        changed.update({key: MEMBER for key in after if key not in before})
        removed.update({key: MEMBER for key in before if key not in after})


def whole(walker: Walker, part: Any) -> Fields:
    """The fields of a part that is new, itself included. Null is a value without parts."""
    return MEMBER if part is None else with_self(walker.contents(part))


def compare_parts(walker: Walker, step: str, old: Any, new: Any, changed: Fields, removed: Fields) -> None:
    """Note what differs between two parts that are both there, below the step that leads to them."""
    if not walker.composite:
        changed[step] = MEMBER
        return
    if walker is ANYTHING and not (isinstance(old, dict) and isinstance(new, dict)):
        changed[step] = whole(walker, new)
        if before := walker.contents(old):
            removed[step] = before
        return
    if not old and not new:
        return
    old, new = old or type(new)(), new or type(old)()
    below: Fields = {}
    gone: Fields = {}
    walker.compare(old, new, below, gone)
    if below:
        changed[step] = in_order(below)
    if gone:
        removed[step] = in_order(gone)


ANYTHING = FreeWalker()
