"""Walks objects by their schema: which fields one has, and which differ between two.

One walker is made for each schema node, when it is first needed. An object that is wholly new is not walked for its
fields but for its *shape* (which keys it has, and the keys of its lists' items): equal shapes have equal fields, so a
thousand pods of one template compute theirs once. Two objects are compared from the top, and equal parts, which `==`
finds at C speed, are not entered. Source: KEP-555; structured-merge-diff's typed package for what counts as a leaf.
"""

from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache
from typing import Any

from pilothouse.api.machinery.managed_fields.collections import (
    ABSENT,
    ANYTHING,
    LEAF,
    MOST_REMEMBERED,
    KeyedListWalker,
    MapWalker,
    SetWalker,
    Walker,
    compare_parts,
    whole,
)
from pilothouse.api.machinery.managed_fields.fields import MEMBER, Fields, in_order
from pilothouse.api.machinery.managed_fields.presence import ALWAYS_THERE, ROOT_FIELDS
from pilothouse.api.machinery.schema import Schema
from pilothouse.api.machinery.view import JsonObject
from pilothouse.runtime.bounded_memo import BoundedMemo

Plan = tuple[tuple[str, Callable[[Any], Hashable]], ...]
"""The fields that have parts, and what tells their shapes."""
UNTRACKED = frozenset({"apiVersion", "kind"})
UNTRACKED_METADATA = frozenset({
    "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields",
    "resourceVersion",
})  # fmt: skip


class Changes:
    """What differs between two objects: the fields that are new or have another value, and those that are gone."""

    __slots__ = ("changed", "removed")

    def __init__(self, changed: Fields, removed: Fields) -> None:
        self.changed = changed
        self.removed = removed


def compare(schema: Schema, old: JsonObject | None, new: JsonObject) -> Changes:
    """What a write changed; everything where there was no object. The trees are shared: do not change them."""
    walker = _root(schema)
    if old is None:
        return Changes(walker.fresh(new), {})
    changed: Fields = {}
    removed: Fields = {}
    walker.compare(old, new, changed, removed)
    return Changes(in_order(changed), in_order(removed))


class StructWalker(Walker):
    """An object with a fixed set of fields."""

    composite = True

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.walkers: dict[str, Walker] = {}
        self.plans: BoundedMemo[tuple[str, ...], Plan] = BoundedMemo(MOST_REMEMBERED)
        self.fresh_by_shape: BoundedMemo[Hashable, Fields] = BoundedMemo(MOST_REMEMBERED)
        self.contents_by_shape: BoundedMemo[Hashable, Fields] = BoundedMemo(MOST_REMEMBERED)

    def walker(self, key: str) -> Walker:
        """The walker of a field."""
        found = self.walkers.get(key)
        if found is None:
            found = self.walkers[key] = self.make(key)
        return found

    def make(self, key: str) -> Walker:
        """Make the walker of a field."""
        field = self.schema.properties.get(key)
        return LEAF if field is None else walker_of(field)

    def is_always_there(self, key: str) -> bool:
        """Whether the field is there even where the object does not show it."""
        if f"{self.schema.struct_name}.{key}" in ALWAYS_THERE:
            return True
        return key in self.schema.required and not isinstance(self.walker(key), StructWalker)

    def shape(self, value: Any) -> Hashable:
        """The keys, and the shapes of the fields that have parts."""
        keys = tuple(value)
        plan = self.plans.get(keys)
        if plan is None:
            parts = [(key, self.walker(key)) for key in keys]
            plan = self.plans.keep(keys, tuple((key, walker.shape) for key, walker in parts if walker.composite))
        if not plan:
            return keys
        return keys, tuple([None if (part := value[key]) is None else shape(part) for key, shape in plan])

    def contents(self, value: Any) -> Fields:
        """Every field, and every object and list on the way."""
        shape = self.shape(value)
        found = self.contents_by_shape.get(shape)
        if found is None:
            found = self.contents_by_shape.keep(shape, self.compute(value, fresh=False))
        return found

    def fresh(self, value: JsonObject) -> Fields:
        """The same where the object itself was there before, but empty: fields that always are do not count."""
        shape = self.shape(value)
        found = self.fresh_by_shape.get(shape)
        if found is None:
            found = self.fresh_by_shape.keep(shape, self.compute(value, fresh=True))
        return found

    def compute(self, value: JsonObject, *, fresh: bool) -> Fields:
        """Walk the object."""
        fields: Fields = {}
        for key in sorted(value):
            part = value[key]
            if self.is_untracked(key):
                continue
            if fresh and self.is_always_there(key):
                below = self.fresh_part(key, part)
                if below is not None:
                    fields[f"f:{key}"] = below
            else:
                fields[f"f:{key}"] = whole(self.walker(key), part)
        return fields

    def fresh_part(self, key: str, part: Any) -> Fields | None:
        """The fields of a part that always is; nothing where it is empty."""
        walker = self.walker(key)
        if not walker.composite:
            return MEMBER
        if walker is ANYTHING and not isinstance(part, dict):
            return MEMBER
        if not part:
            return None
        return (walker.fresh(part) if isinstance(walker, StructWalker) else walker.contents(part)) or None

    def is_untracked(self, _key: str) -> bool:
        """Whether the field belongs to nobody."""
        return False

    def compare(self, old: Any, new: Any, changed: Fields, removed: Fields) -> None:
        """Note what differs, field by field."""
        for key, part in new.items():
            before = old.get(key, ABSENT)
            if part == before or self.is_untracked(key):
                continue
            if before is ABSENT:
                self.note_whole(key, part, changed)
            else:
                compare_parts(self.walker(key), f"f:{key}", before, part, changed, removed)
        for key, before in old.items():
            if key not in new and not self.is_untracked(key):
                self.note_whole(key, before, removed)

    def note_whole(self, key: str, part: Any, noted: Fields) -> None:
        """Note a field that is there on one side alone."""
        walker = self.walker(key)
        if self.is_always_there(key) and walker.composite:
            below = self.fresh_part(key, part)
            if below is not None:
                noted[f"f:{key}"] = below
        else:
            noted[f"f:{key}"] = whole(walker, part)


class RootWalker(StructWalker):
    """The object itself: what is always there, and what is not tracked."""

    def make(self, key: str) -> Walker:
        """`metadata` has a walker of its own."""
        if key == "metadata":
            schema = self.schema.properties.get(key)
            return MetadataWalker(schema) if schema is not None else LEAF
        return super().make(key)

    def is_always_there(self, key: str) -> bool:
        """Metadata always, spec and status in built-in kinds."""
        if key in ROOT_FIELDS and (self.schema.name or key == "metadata"):
            return True
        return super().is_always_there(key)

    def is_untracked(self, key: str) -> bool:
        """The type belongs to nobody."""
        return key in UNTRACKED


class MetadataWalker(StructWalker):
    """The object's metadata, of which the server's own fields are not tracked."""

    def is_untracked(self, key: str) -> bool:
        """What identifies the object or is the server's own."""
        return key in UNTRACKED_METADATA


@lru_cache(maxsize=1024)
def _root(schema: Schema) -> RootWalker:
    """The walker of a kind, made when its first object arrives."""
    return RootWalker(schema)


@lru_cache(maxsize=16384)
def walker_of(schema: Schema) -> Walker:
    """The walker of a schema node. Those of its fields are made on first use: definitions may contain themselves."""
    if schema.map_type == "atomic" or schema.quantity or schema.int_or_string:
        return LEAF
    if schema.preserve_unknown or not schema.type:
        return ANYTHING
    if schema.items is not None:
        if schema.list_type == "map":
            return KeyedListWalker(schema.list_map_keys, walker_of(schema.items))
        return SetWalker() if schema.list_type == "set" else LEAF
    if schema.additional is not None:
        return MapWalker(walker_of(schema.additional))
    return StructWalker(schema) if schema.is_struct else LEAF


def fields_of(schema: Schema, value: Mapping[str, Any]) -> Fields:
    """Every tracked field of an object."""
    return _root(schema).fresh(dict(value))
