"""What somebody applies: is it what the schema says, and which fields does it claim?

Both are found in one walk. A struct is claimed by its fields and not for itself; an entry of a map and an item of a
list is claimed together with what is in it; what is atomic is one field. An object or list that is empty or null says
nothing of its content. The words for what is wrong are those of structured-merge-diff's typed package, which knows the
kinds of values that Go has; `as_go_prints` shows them.
"""

from collections.abc import Iterator
from typing import Any

from pilothouse.api.machinery.managed_fields.fields import MEMBER, Fields, in_order, step_text, with_self
from pilothouse.api.machinery.managed_fields.items import item_step
from pilothouse.api.machinery.schema import Schema
from pilothouse.api.machinery.view import JsonObject

Place = tuple[Any, str] | None
"""Where a value stands: the place of what it is in, and the step from there."""
_ATOMIC = frozenset({"atomic", ""})


def claims(schema: Schema, value: JsonObject) -> tuple[Fields, list[str]]:
    """The fields an applied object claims, and what is wrong with it."""
    walk = _Walk()
    return walk.node(schema, value, None) or {}, walk.errors


def held(schema: Schema, value: JsonObject) -> Fields:
    """The fields of an object in the same terms: what would be claimed if all of it was applied."""
    return _Walk().node(schema, value, None) or {}


def is_leaf(node: Schema) -> bool:
    """Whether the value is only ever replaced as a whole."""
    if node.map_type == "atomic" or node.quantity or node.int_or_string:
        return True
    if is_free(node):
        return False
    if node.items is not None:
        return node.list_type in _ATOMIC
    return node.additional is None and not node.is_struct


def is_free(node: Schema) -> bool:
    """Whether anything may stand there, to be taken for what it looks like."""
    return (node.preserve_unknown or not node.type) and not node.quantity and not node.int_or_string


class _Walk:
    """One walk over one object."""

    def __init__(self) -> None:
        self.errors: list[str] = []

    def wrong(self, place: Place, why: str) -> None:
        """Note what is wrong."""
        path = "".join(_path(place))
        self.errors.append(f"{path}: {why}" if path else why)

    def node(self, node: Schema, value: Any, place: Place) -> Fields | None:
        """The fields at and below a value: None for nothing at all, MEMBER for the value itself."""
        if value is None:
            return MEMBER
        if is_free(node):
            return self.free(value)
        if node.items is not None:
            return self.list(node, value, place)
        if node.additional is not None:
            return self.map(node, node.additional, value, place)
        if node.is_struct:
            return self.struct(node, value, place)
        if (why := _mismatch(node, value)) is not None:
            self.wrong(place, why)
        return MEMBER

    def struct(self, node: Schema, value: Any, place: Place) -> Fields | None:
        """An object with a fixed set of fields."""
        if not isinstance(value, dict):
            self.wrong(place, f"expected map, got &{{{as_go_prints(value)}}}")
            return MEMBER
        fields: Fields = {}
        for key, part in value.items():
            field = node.properties.get(key)
            if field is None:
                self.wrong((place, f"f:{key}"), "field not declared in schema")
                break
            below = self.node(field, part, (place, f"f:{key}"))
            if below is not None:
                fields[f"f:{key}"] = below
        if not value or node.map_type == "atomic":
            return MEMBER
        return in_order(fields) or None

    def map(self, node: Schema, values: Schema, value: Any, place: Place) -> Fields | None:
        """A map, whose entries are claimed for themselves."""
        if not isinstance(value, dict):
            self.wrong(place, f"expected map, got &{{{as_go_prints(value)}}}")
            return MEMBER
        fields: Fields = {}
        for key, part in value.items():
            fields[f"f:{key}"] = _claimed(self.node(values, part, (place, f"f:{key}")))
        return MEMBER if not value or node.map_type == "atomic" else in_order(fields)

    def list(self, node: Schema, value: Any, place: Place) -> Fields | None:
        """A list: one field where it is atomic, else its items."""
        assert node.items is not None
        if not isinstance(value, list):
            self.wrong(place, f"expected list, got &{{{as_go_prints(value)}}}")
            return MEMBER
        atomic = is_leaf(node)
        fields: Fields = {}
        for number, item in enumerate(value):
            if atomic:
                self.node(node.items, item, (place, f"i:{number}"))
                continue
            try:
                step = item_step(node, item)
            except ValueError as why:
                self.wrong(place, f"element {number}: {why}")
                break
            if step in fields:
                self.wrong(place, f"duplicate entries for key {step_text(step)}")
            fields[step] = _claimed(self.node(node.items, item, (place, step)))
        if atomic:
            return MEMBER
        return in_order(fields) or None

    def free(self, value: Any) -> Fields:
        """Anything: objects by their entries, the rest as one."""
        if not isinstance(value, dict) or not value:
            return MEMBER
        return in_order(
            {f"f:{key}": _claimed(MEMBER if part is None else self.free(part)) for key, part in value.items()}
        )


def _claimed(below: Fields | None) -> Fields:
    """An entry or item with what is below it, itself included."""
    return with_self(below) if below else MEMBER


def _path(place: Place) -> Iterator[str]:
    if place is not None:
        yield from _path(place[0])
        yield step_text(place[1])


def _mismatch(node: Schema, value: Any) -> str | None:
    """Why a value is not of its plain type."""
    kind = type(value)
    if node.quantity or node.int_or_string:
        return f"expected any scalar, got &{{{as_go_prints(value)}}}" if kind in (dict, list) else None
    if node.type == "string":
        return None if kind is str else f"expected string, got &value.valueUnstructured{{Value:{as_go_writes(value)}}}"
    if node.type == "boolean":
        return None if kind is bool else f"expected boolean, got &{{{as_go_prints(value)}}}"
    if kind is int or kind is float:
        return None
    return f"expected numeric (int or float), got {_GO_TYPES.get(kind, 'string')}"


_GO_TYPES: dict[type, str] = {
    bool: "bool", str: "string", dict: "map[string]interface {}", list: "[]interface {}",
}  # fmt: skip


def as_go_prints(value: Any) -> str:
    """A value as Go's %v shows it."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{as_go_prints(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(as_go_prints(part) for part in value)}]"
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)


def as_go_writes(value: Any) -> str:
    """A value as Go's %#v shows it."""
    if isinstance(value, dict):
        parts = ", ".join(f'"{key}":{as_go_writes(value[key])}' for key in sorted(value))
        return f"map[string]interface {{}}{{{parts}}}"
    if isinstance(value, list):
        return f"[]interface {{}}{{{', '.join(as_go_writes(part) for part in value)}}}"
    if isinstance(value, str):
        return f'"{value}"'
    return "interface {}(nil)" if value is None else as_go_prints(value)
