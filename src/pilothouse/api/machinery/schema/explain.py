"""The words for what is wrong with an object, and the object without it.

Upstream decodes JSON with sigs.k8s.io/json into Go structs: case-sensitive, keeping the first type error and going on,
but stopping at once where a type reads itself (times, quantities, int-or-strings). The messages name the innermost
struct and the dotted path without indices; the strict ones name the path with indices. Both are kept here.
"""

from collections.abc import Iterable
from typing import Any, Final

from pilothouse.api.machinery.codec.pairs import Pairs
from pilothouse.api.machinery.schema.leaves import base64_text, quantity_text, time_text
from pilothouse.api.machinery.schema.node import Schema

DROP: Final = object()
"""In place of a value: the key goes."""
MOST_STRICT_ERRORS = 100
_INT_RANGES = {"int32": (-(2**31), 2**31 - 1)}
_INT64 = (-(2**63), 2**63 - 1)


def zero(node: Schema) -> Any:
    """What a null item of a list or value of a map becomes: Go's zero value, which of a time is written as null."""
    if node.format == "date-time":
        return None
    if node.quantity:
        return "0"
    if node.int_or_string:
        return 0
    if node.items is not None:
        return []
    if node.type == "object":
        return {}
    return {"string": "", "boolean": False, "integer": 0, "number": 0}.get(node.type)


def explain(schema: Schema, value: Any) -> tuple[Any, tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The object with known fields only, its type errors, its strict errors, and the unknown paths."""
    walk = _Walk()
    cleaned = walk.value(schema, value, "")
    fatal = (walk.fatal,) if walk.fatal else ()
    errors = (*fatal, *(error for error in walk.errors if error != walk.fatal))
    return cleaned, errors, tuple(walk.strict)[:MOST_STRICT_ERRORS], tuple(walk.unknown)


class _Walk:
    """One walk over one object. `struct` and `stack` say where we are as Go's errors do."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.fatal = ""
        """The first error of a type that reads itself: upstream stops there, whatever it had kept before."""
        self.strict: dict[str, None] = {}
        self.unknown: dict[str, None] = {}
        self.struct = ""
        self.stack: list[str] = []

    def value(self, node: Schema, value: Any, path: str) -> Any:
        """The value as it is kept; what is wrong is noted."""
        if node.preserve_unknown:
            return plain(value)
        if node.is_struct:
            return self.fields(node, value, path)
        if node.additional is not None:
            return self.map(node, node.additional, value, path)
        if node.items is not None:
            return self.list(node, node.items, value, path)
        return self.leaf(node, value)

    def fields(self, node: Schema, value: Any, path: str) -> Any:
        """An object with a fixed set of fields."""
        if not isinstance(value, dict):
            return self.wrong(node, value)
        kept: dict[str, Any] = {}
        before = self.struct
        for key, inner in self.pairs(value, path, node):
            field = node.properties.get(key)
            here = f"{path}.{key}" if path else key
            if field is None:
                self.strict[f'unknown field "{here}"'] = None
                self.unknown[here] = None
            elif inner is None:
                kept.pop(key, None)
            else:
                self.struct = node.struct_name
                self.stack.append(key)
                kept[key] = self.value(field, inner, here)
                self.stack.pop()
                if not inner and node.zeros.get(key) is inner.__class__:
                    del kept[key]
        self.struct = before
        return kept

    def map(self, node: Schema, values: Schema, value: Any, path: str) -> Any:
        """A map; Go's errors name the struct that has it."""
        if not isinstance(value, dict):
            return self.wrong(node, value)
        return {
            key: zero(values) if inner is None else self.value(values, inner, f"{path}.{key}" if path else key)
            for key, inner in self.pairs(value, path, None)
        }

    def list(self, node: Schema, items: Schema, value: Any, path: str) -> Any:
        """A list."""
        if not isinstance(value, list):
            return self.wrong(node, value)
        return [
            zero(items) if inner is None else self.value(items, inner, f"{path}[{index}]")
            for index, inner in enumerate(value)
        ]

    def pairs(self, value: dict[str, Any], path: str, node: Schema | None) -> Iterable[tuple[str, Any]]:
        """Every occurrence of every key; a second one of a known field is noted."""
        if not isinstance(value, Pairs):
            yield from value.items()
            return
        seen: set[str] = set()
        for key, inner in value.pairs:
            if key in seen and (node is None or key in node.properties):
                self.strict[f'duplicate field "{f"{path}.{key}" if path else key}"'] = None
            seen.add(key)
            yield key, inner

    def leaf(self, node: Schema, value: Any) -> Any:
        """A value without parts."""
        if node.quantity:
            return self.own_words(quantity_text, value)
        if node.int_or_string:
            return value if type(value) is str else self.integer(value, "int32", fatal=True)
        if node.type == "integer":
            return self.integer(value, node.format)
        if node.format == "date-time":
            if type(value) is not str:
                return self.mismatch(value, "string", fatal=True)
            micro = node.name.endswith("MicroTime")
            return self.own_words(lambda text: time_text(text, micro=micro), value)
        if node.format == "byte" and type(value) is str:
            return self.own_words(base64_text, value, fatal=False)
        if not node.type:
            return plain(value)
        wanted = {"string": (str,), "boolean": (bool,), "number": (int, float), "object": (dict,), "array": (list,)}
        return value if type(value) in wanted[node.type] else self.wrong(node, value)

    def integer(self, value: Any, size: str, *, fatal: bool = False) -> Any:
        """A whole number within its range; 1.0 is not one, as Go reads it."""
        low, high = _INT_RANGES.get(size, _INT64)
        if type(value) is int and low <= value <= high:
            return value
        return self.mismatch(value, size or "int64", fatal=fatal, number=f"number {value}")

    def wrong(self, node: Schema, value: Any) -> Any:
        """Note that the value has the wrong type."""
        return self.mismatch(value, node.go_type)

    def mismatch(self, value: Any, go_type: str, *, fatal: bool = False, number: str = "number") -> Any:
        """Note that the value cannot be read into `go_type`."""
        where = f"struct field {self.struct}.{'.'.join(self.stack)}" if self.stack else "value"
        return self.note(f"json: cannot unmarshal {_described(value, number)} into Go {where} of type {go_type}", fatal)

    def own_words(self, canonical: Any, value: Any, *, fatal: bool = True) -> Any:
        """A value whose type reads itself and has its own words."""
        try:
            return canonical(value)
        except ValueError as error:
            return self.note(str(error), fatal)

    def note(self, message: str, fatal: bool) -> None:
        """Keep an error."""
        self.errors.append(message)
        if fatal and not self.fatal:
            self.fatal = message


def _described(value: Any, number: str) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, list):
        return "array"
    return "object" if isinstance(value, dict) else number


def plain(value: Any) -> Any:
    """The value without traces of duplicate keys."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value
