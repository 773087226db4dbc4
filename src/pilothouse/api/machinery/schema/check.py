"""check: whether an object is what its schema says, in one pass of closures compiled once a kind.

Nearly every object is right, so the pass only asks "is all well?" and keeps no path. What it may mend without a word
(null is unset, so is a zero that says nothing, 0.5 of a CPU is 500m, a time is kept in UTC) it notes and mends at the
end. At the first thing that is wrong it gives up, and `explain` walks the object again, slower, for the words.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from types import FunctionType
from typing import Any

from pilothouse.api.machinery.schema.explain import DROP, explain, zero
from pilothouse.api.machinery.schema.leaves import base64_text, quantity_text, time_text
from pilothouse.api.machinery.schema.node import Schema

INT_RANGES = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
JsonObject = dict[str, Any]
_Mend = tuple[Any, Any, Any]
_Check = Callable[[Any, list[_Mend], Any, Any], bool]
"""(value, mends, container, key): whether the value is right; what to mend is noted as (container, key, new value)."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What `check` found. `object` holds known fields only, without what says nothing, its leaves in canonical form."""

    object: JsonObject
    errors: tuple[str, ...] = ()
    """Wrong types and values, in the order of the document; upstream reports the first and refuses the object."""
    strict: tuple[str, ...] = ()
    """`unknown field "spec.foo"` and `duplicate field "spec.foo"`, in the order of the document."""
    unknown: tuple[str, ...] = ()
    """The paths of the unknown fields that were taken out."""


def check(schema: Schema, value: JsonObject) -> Findings:
    """Hold a decoded object against its schema. The object is changed in place: go on with `Findings.object`."""
    run = _compiled(schema)
    mends: list[_Mend] = []
    if not run(value, mends, None, None):
        cleaned, errors, strict, unknown = explain(schema, value)
        return Findings(cleaned, errors, strict, unknown)
    for container, key, new in mends:
        if new is DROP:
            del container[key]
        else:
            container[key] = new
    return Findings(value)


@lru_cache(maxsize=1024)
def _compiled(schema: Schema) -> _Check:
    """The closures of a schema, made when the first object of its kind arrives."""
    return _Compiler().compile(schema)


class _Compiler:
    """Makes the closures of one schema; a definition that contains itself refers to its own closure."""

    def __init__(self) -> None:
        self.structs: dict[str, _Check] = {}

    def compile(self, node: Schema) -> _Check:
        """The check of one node."""
        if node.is_struct:
            return self.struct(node)
        if node.additional is not None:
            return self.map_of(node.additional)
        if node.items is not None:
            return self.list_of_structs(node.items) if node.items.is_struct else self.list_of(node.items)
        return leaf(node)

    def struct(self, node: Schema) -> _Check:
        """The check of an object with a fixed set of fields."""
        if node.name in self.structs:
            return self.structs[node.name]
        fields: dict[str, type | _Check] = {}
        get, zero_class = fields.get, node.zeros.get

        def check_struct(value: Any, mends: list[_Mend], _container: Any, _key: Any) -> bool:
            if value.__class__ is not dict:
                return False
            for key, inner in value.items():
                wanted = get(key)
                if not inner and (inner is None or zero_class(key) is inner.__class__):
                    if wanted is None:
                        return False
                    mends.append((value, key, DROP))
                elif wanted is inner.__class__:
                    continue
                elif wanted is None or wanted.__class__ is not FunctionType or not wanted(inner, mends, value, key):
                    return False
            return True

        if node.name:
            self.structs[node.name] = check_struct
        for name, field in node.properties.items():
            fields[name] = _plain(field) or self.compile(field)
        return check_struct

    def map_of(self, node: Schema) -> _Check:
        """The check of a map; a null value is the zero value, as in Go."""
        wanted: type | _Check = _plain(node) or self.compile(node)

        def check_map(value: Any, mends: list[_Mend], _container: Any, _key: Any) -> bool:
            if value.__class__ is not dict:
                return False
            for key, inner in value.items():
                if inner.__class__ is wanted:
                    continue
                if inner is None:
                    mends.append((value, key, zero(node)))
                elif wanted.__class__ is not FunctionType or not wanted(inner, mends, value, key):
                    return False
            return True

        return check_map

    def list_of(self, node: Schema) -> _Check:
        """The check of a list; a null item is the zero value, as in Go."""
        wanted: type | _Check = _plain(node) or self.compile(node)

        def check_list(value: Any, mends: list[_Mend], _container: Any, _key: Any) -> bool:
            if value.__class__ is not list:
                return False
            for index, inner in enumerate(value):
                if inner.__class__ is wanted:
                    continue
                if inner is None:
                    mends.append((value, index, zero(node)))
                elif wanted.__class__ is not FunctionType or not wanted(inner, mends, value, index):
                    return False
            return True

        return check_list

    def list_of_structs(self, node: Schema) -> _Check:
        """The check of a list of objects, which most lists are; a null item goes the slow way."""
        wanted = self.struct(node)

        def check_list(value: Any, mends: list[_Mend], _container: Any, _key: Any) -> bool:
            if value.__class__ is not list:
                return False
            for inner in value:  # noqa: SIM110 - all() with a generator costs a third more
                if not wanted(inner, mends, None, None):
                    return False
            return True

        return check_list


def _plain(node: Schema) -> type | None:
    """The one Python type that is all a leaf asks for."""
    if node.type == "string" and node.format not in ("byte", "date-time"):
        return str
    return bool if node.type == "boolean" else None


def leaf(node: Schema) -> _Check:
    """The check of a value without parts that asks for more than one Python type."""
    if node.preserve_unknown or not (node.type or node.quantity or node.int_or_string):
        return lambda _value, _mends, _container, _key: True
    if node.quantity:
        return _mended(quantity_text)
    if node.int_or_string:
        return lambda value, _mends, _container, _key: value.__class__ is str or _is_int(value, "int32")
    if node.type == "integer":
        low, high = INT_RANGES.get(node.format, INT_RANGES["int64"])
        return lambda value, _mends, _container, _key: value.__class__ is int and low <= value <= high
    if node.type == "number":
        return lambda value, _mends, _container, _key: value.__class__ is float or value.__class__ is int
    if node.format == "byte":
        return _mended(base64_text, str)
    if node.format == "date-time":
        micro = node.name.endswith("MicroTime")
        return _mended(partial(time_text, micro=micro) if micro else time_text, str)
    wanted = {"string": str, "boolean": bool, "object": dict, "array": list}[node.type]
    return lambda value, _mends, _container, _key: value.__class__ is wanted


def _is_int(value: Any, size: str) -> bool:
    low, high = INT_RANGES[size]
    return value.__class__ is int and low <= value <= high


def _mended(canonical: Callable[[Any], Any], wanted: type | None = None) -> _Check:
    def check_leaf(value: Any, mends: list[_Mend], container: Any, key: Any) -> bool:
        if wanted is not None and value.__class__ is not wanted:
            return False
        try:
            kept = canonical(value)
        except ValueError:
            return False
        if kept is not value and container is not None:
            mends.append((container, key, kept))
        return True

    return check_leaf
