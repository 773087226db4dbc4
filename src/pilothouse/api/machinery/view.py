"""Views: typed, immutable, lazy windows on decoded JSON.

A view class has annotations only. `pod.spec.nodeName` reads `raw["spec"]["nodeName"]`; the first read of a field
converts it and leaves the result in the instance, so that later reads cost what a plain attribute costs. What is
absent reads as Go's zero value would: text "", lists (), maps {}, objects a view that is false and whose fields are
absent in turn; numbers and booleans, whose absence often matters, read as None unless the schema requires them.
Nothing can be assigned: changes are literals (a patch, a manifest) sent to the API server.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType, UnionType
from typing import Any, ClassVar, TypeVar, get_args, get_origin, get_type_hints

import orjson

from pilothouse.runtime.clock import Instant, parse_time

JsonObject = dict[str, Any]
V = TypeVar("V", bound="View")
_Convert = Callable[[Any], Any]
_EMPTY: Mapping[str, Any] = MappingProxyType({})


class View:
    """An object of the API, read-only. True when it is present, even if empty."""

    raw: Mapping[str, Any]
    """The decoded JSON itself. Never change it: caches share it."""
    _converts: ClassVar[dict[str, tuple[_Convert, Any]] | None] = None

    def __init__(self, raw: Mapping[str, Any] | None = None) -> None:
        self.__dict__["raw"] = _EMPTY if raw is None else raw

    def __bool__(self) -> bool:
        return self.__dict__["raw"] is not _EMPTY

    def __getattr__(self, name: str) -> Any:
        converts = type(self)._converts or _compile(type(self))
        entry = converts.get(name)
        if entry is None:
            raise AttributeError(f"{type(self).__name__} has no field {name!r}")
        convert, absent = entry
        value = self.__dict__["raw"].get(_WIRE_NAMES.get(name, name))
        value = absent if value is None else convert(value)
        self.__dict__[name] = value
        return value

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"views are read-only: send a patch to change {name}")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and bool(self) == bool(other) and self.raw == other.__dict__["raw"]

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict(self.raw)!r})"

    def literal(self) -> JsonObject:
        """The data as a fresh literal, free to be changed."""
        copied: JsonObject = orjson.loads(orjson.dumps(self.raw if self else {}))
        return copied


_WIRE_NAMES = {
    "ref_": "$ref", "schema_": "$schema", "from_": "from", "continue_": "continue", "except_": "except", "not_": "not",
    "bool_": "bool", "int_": "int",
    "kubernetes_list_map_keys": "x-kubernetes-list-map-keys", "kubernetes_list_type": "x-kubernetes-list-type",
    "kubernetes_map_type": "x-kubernetes-map-type", "kubernetes_validations": "x-kubernetes-validations",
    "kubernetes_embedded_resource": "x-kubernetes-embedded-resource",
    "kubernetes_int_or_string": "x-kubernetes-int-or-string",
    "kubernetes_preserve_unknown_fields": "x-kubernetes-preserve-unknown-fields",
}  # fmt: skip
"""Fields whose wire name is no Python name."""


def _same(value: Any) -> Any:
    return value


def _compile(cls: type[View]) -> dict[str, tuple[_Convert, Any]]:
    """The converter of every annotated field, made once a class."""
    hints = get_type_hints(cls)
    converts = {name: _converter(hint) for name, hint in hints.items() if not name.startswith("_") and name != "raw"}
    cls._converts = converts
    return converts


def _converter(hint: Any) -> tuple[_Convert, Any]:
    if isinstance(hint, UnionType):
        inner = [option for option in get_args(hint) if option is not type(None)]
        if inner == [Instant]:
            return _instant, None
        return _same, None
    origin = get_origin(hint)
    if origin is tuple:
        convert, _ = _converter(get_args(hint)[0])
        return _tuple_of(convert), ()
    if origin is not None and issubclass(origin, Mapping):
        convert, _ = _converter(get_args(hint)[1])
        return _mapping_of(convert), _EMPTY
    if isinstance(hint, type) and issubclass(hint, View):
        return hint, hint()
    return _same, {str: "", int: 0, bool: False, float: 0.0}.get(hint)


def _instant(value: Any) -> Instant:
    return value if isinstance(value, float) else parse_time(value)


def _tuple_of(convert: _Convert) -> _Convert:
    if convert is _same:
        return tuple
    return lambda items: tuple([convert(item) for item in items])


def _mapping_of(convert: _Convert) -> _Convert:
    if convert is _same:
        return MappingProxyType
    return lambda items: MappingProxyType({key: convert(item) for key, item in items.items()})
