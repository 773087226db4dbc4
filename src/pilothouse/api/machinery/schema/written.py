"""Fields that upstream's answers always have, though nobody sent them: the counterpart of `zeros`.

A Go struct inside another is written even when it is empty, and so is a time (as null) and whatever has no `omitempty`:
`resources: {}`, `lastProbeTime: null`, `restartCount: 0`. Clients rely on some of them, and an object that was sent
without them must not count as changed. Which fields they are, the table of the protobuf messages says. They are filled
in by closures that go only where such fields are: most kinds have few, and many have none.

Left out are metadata, of which newer versions write nothing that is empty; fields that whoever sends the object must
set, but for those of statuses, which controllers set one by one; quantities and ports, which have defaults.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from pilothouse.api.machinery.codec.protobuf.table import Field, Presence, fields_of, message_named
from pilothouse.api.machinery.schema.node import Schema

Fill = Callable[[dict[str, Any]], None]
_ZEROS: dict[str, Any] = {"string": "", "bool": False, "int32": 0, "int64": 0, "double": 0}
_DEFAULTED = frozenset({"quantity", "intOrString", "bytes"})
_NULLS = frozenset({"time", "microTime", "raw"})
_METADATA = frozenset({"ObjectMeta", "ListMeta"})
_REPORTED = frozenset({"DaemonEndpoint", "NodeSystemInfo"})
"""Parts of statuses that are not named so."""
EMPTY = object()
"""Stands for a new, empty object."""


def written_of(node: Schema) -> dict[str, Any]:
    """The fields that a struct always has, each with the value it has when nobody gave it another."""
    message = message_named(node.name)
    if not message or node.struct_name in _METADATA:
        return {}
    reported = node.struct_name.endswith("Status") or node.struct_name in _REPORTED
    elsewhere = frozenset() if reported else node.required
    if node.kinds:
        elsewhere |= {"metadata"}  # every object has it by then
    found = {}
    for field in _fields(message):
        known = field.name in node.properties and field.name not in elsewhere
        if known and (value := _absent(field)) is not field:
            found[field.name] = value
    return found


def _fields(message: str) -> list[Field]:
    found: list[Field] = []
    for field in fields_of(message):
        found += _fields(field.type) if field.presence is Presence.INLINE else [field]
    return found


def _absent(field: Field) -> Any:
    """What is written in the place of nothing; the field itself where nothing is."""
    if field.presence is Presence.VALUE:
        if field.type in _NULLS:
            return None
        if field.type in _ZEROS:
            return _ZEROS[field.type] if field.shown else field
        return field if field.type in _DEFAULTED else EMPTY
    return None if field.shown else field


@lru_cache(maxsize=1024)
def filler(schema: Schema) -> Fill | None:
    """What fills in the fields of an object of the kind; None where there is nothing to do."""
    return _Compiler().struct(schema)


class _Compiler:
    """Makes the closures of one schema. A definition that contains itself is not followed: none has such fields."""

    def __init__(self) -> None:
        self.seen: dict[str, Fill | None] = {}

    def struct(self, node: Schema) -> Fill | None:
        """The closure of an object with a fixed set of fields."""
        if node.name in self.seen:
            return self.seen[node.name]
        if node.name:
            self.seen[node.name] = None
        own = tuple(written_of(node).items())
        inner = tuple((name, below) for name, field in node.properties.items() if (below := self.value(field)))
        made = _fill_struct(own, inner) if own or inner else None
        if node.name:
            self.seen[node.name] = made
        return made

    def value(self, node: Schema) -> Callable[[Any], None] | None:
        """The closure of whatever a field holds."""
        if node.is_struct:
            return self.struct(node) if node.properties else None
        if node.items is not None:
            return _each(below, of=iter) if (below := self.value(node.items)) else None
        if node.additional is not None:
            return _each(below, of=dict.values) if (below := self.value(node.additional)) else None
        return None


def _fill_struct(own: tuple[tuple[str, Any], ...], inner: tuple[tuple[str, Callable[[Any], None]], ...]) -> Fill:
    def fill(obj: dict[str, Any]) -> None:
        for name, value in own:
            if name not in obj:
                obj[name] = {} if value is EMPTY else value
        for name, below in inner:
            found = obj.get(name)
            if found is not None:
                below(found)

    return fill


def _each(below: Callable[[Any], None], of: Callable[[Any], Any]) -> Callable[[Any], None]:
    def fill(items: Any) -> None:
        for item in of(items):
            below(item)

    return fill
