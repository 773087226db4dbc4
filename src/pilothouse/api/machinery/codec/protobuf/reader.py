"""Messages in: bytes to the object that Go would write as JSON. Unknown numbers are passed over, as protobuf does."""

import base64
import struct
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import orjson

from pilothouse.api.machinery.codec.protobuf.table import Field, Presence, fields_of
from pilothouse.api.machinery.codec.protobuf.wire import BYTES, FIXED64, VARINT, entries, read_varint
from pilothouse.api.machinery.codec.syntax import MAX_DEPTH, TOO_DEEP, MalformedError
from pilothouse.runtime.clock import format_micro_time, format_time

JsonObject = dict[str, Any]
_Read = Callable[[Any], Any]
_ZEROS: Mapping[str, tuple[Any, ...]] = {
    "string": ("",), "bool": (False,), "int32": (0,), "int64": (0,), "double": (0.0,), "time": (None,),
    "microTime": (None,),
}  # fmt: skip


def read(name: str, data: bytes) -> JsonObject:
    """The object in a message. Raises MalformedError."""
    obj: JsonObject = {}
    _fill(obj, name, data, 0)
    return obj


def text(value: Any) -> str:
    """A string, with what is no UTF-8 replaced. Raises MalformedError."""
    return _bytes(value).decode("utf-8", "replace")


_Known = tuple[Field, int, _Read | None, tuple[Any, ...]]
"""A field, its wire type, how it is read where that is simple, and the zeros that JSON leaves out."""


@cache
def _by_number(name: str) -> Mapping[int, _Known]:
    return {field.number: _known(field) for field in fields_of(name)}


def _known(field: Field) -> _Known:
    wire = BYTES if field.presence is Presence.MAP else _WIRES.get(field.type, BYTES)
    if field.presence not in (Presence.VALUE, Presence.POINTER):
        return field, wire, None, ()
    hidden = field.presence is Presence.VALUE and not field.shown
    return field, wire, _READERS.get(field.type), _ZEROS.get(field.type, ()) if hidden else ()


def _fill(obj: JsonObject, name: str, data: bytes, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise MalformedError(TOO_DEEP)
    known = _by_number(name)
    for number, wire, value in entries(data):
        found = known.get(number)
        if found is None:
            continue
        field, expected, simple, zeros = found
        if wire != expected:
            if field.presence is not Presence.REPEATED or wire != BYTES:
                raise MalformedError(
                    f"proto: wrong wireType = {wire} for field {field.name[:1].upper()}{field.name[1:]}"
                )
            obj.setdefault(field.name, []).extend(_packed(field.type, value))
        elif simple is None:
            _put(obj, field, value, depth)
        elif (item := simple(value)) in zeros:
            obj.pop(field.name, None)
        else:
            obj[field.name] = item
    if len(obj) < len(known):
        for field in _always_shown(name):
            if field.name not in obj:
                obj[field.name] = _zero(field.type)


def _put(obj: JsonObject, field: Field, value: Any, depth: int) -> None:
    """A field that is more than one simple value."""
    match field.presence:
        case Presence.INLINE:
            _fill(obj, field.type, _bytes(value), depth + 1)
        case Presence.REPEATED:
            obj.setdefault(field.name, []).append(_value(field.type, value, depth + 1))
        case Presence.MAP:
            key, item = _pair(field.type, _bytes(value), depth + 1)
            obj.setdefault(field.name, {})[key] = item
        case _:
            obj[field.name] = _value(field.type, value, depth + 1)


@cache
def _always_shown(name: str) -> tuple[Field, ...]:
    """The fields that Go writes as JSON even when nobody sent them."""
    return tuple(field for field in fields_of(name) if field.shown and field.presence is Presence.VALUE)


def _zero(kind: str) -> Any:
    return _value(kind, 0 if _WIRES.get(kind) == VARINT else bytes(8) if kind == "double" else b"", 0)


def _pair(kind: str, data: bytes, depth: int) -> tuple[str, Any]:
    """One entry of a map: key 1, value 2; what is absent is zero."""
    key, item = "", None
    for number, _, part in entries(data):
        if number == 1:
            key = text(part)
        elif number == 2:
            item = part
    if item is None:
        item = 0 if _WIRES.get(kind) == VARINT else b""
    return key, _value(kind, item, depth)


def _packed(kind: str, value: Any) -> list[Any]:
    """Numbers one after the other, as newer writers of protobuf pack them."""
    data, at, found = _bytes(value), 0, []
    while at < len(data):
        number, at = read_varint(data, at)
        found.append(_READERS[kind](number))
    return found


def _value(kind: str, value: Any, depth: int) -> Any:
    simple = _READERS.get(kind)
    if simple is not None:
        return simple(value)
    if kind.startswith("[]"):
        return [_value(kind[2:], part, depth + 1) for number, _, part in entries(_bytes(value)) if number == 1]
    obj: JsonObject = {}
    _fill(obj, kind, _bytes(value), depth)
    return obj


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise MalformedError("proto: wrong wireType = 0")
    return value


def _signed(value: Any, bits: int = 64) -> int:
    if not isinstance(value, int):
        raise MalformedError("proto: wrong wireType = 2")
    unsigned: int = value & ((1 << bits) - 1)
    return unsigned - (1 << bits) if unsigned >> (bits - 1) else unsigned


def _double(value: Any) -> float:
    data = _bytes(value)
    if len(data) != 8:
        raise MalformedError("unexpected EOF")
    found: float = struct.unpack("<d", data)[0]
    return found


def _quantity(value: Any) -> str:
    return next((text(part) for number, _, part in entries(_bytes(value)) if number == 1), "0")


def _int_or_string(value: Any) -> int | str:
    parts = {number: part for number, _, part in entries(_bytes(value))}
    return text(parts.get(3, b"")) if _signed(parts.get(1, 0)) else _signed(parts.get(2, 0), 32)


def _raw(value: Any) -> Any:
    """JSON inside: RawExtension, FieldsV1."""
    data = next((_bytes(part) for number, _, part in entries(_bytes(value)) if number == 1), b"")
    if not data:
        return None
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise MalformedError(str(error)) from None


def _instant(value: Any) -> tuple[int, int] | None:
    """Seconds and nanoseconds; None for the zero time, which is an empty message."""
    parts = {number: part for number, _, part in entries(_bytes(value))}
    if not parts:
        return None
    return _signed(parts.get(1, 0)), _signed(parts.get(2, 0), 32)


def _time(value: Any) -> str | None:
    instant = _instant(value)
    return None if instant is None else _written(lambda: format_time(instant[0]))


def _micro_time(value: Any) -> str | None:
    instant = _instant(value)
    return None if instant is None else _written(lambda: format_micro_time(instant[0] + instant[1] / 1e9))


def _written(time: Callable[[], str]) -> str:
    """A time as text. Raises MalformedError where no calendar reaches."""
    try:
        return time()
    except (ValueError, OverflowError, OSError):
        raise MalformedError("Time.MarshalJSON: year outside of range [0,9999]") from None


_READERS: Mapping[str, _Read] = {
    "string": text,
    "bool": lambda value: _signed(value) != 0,
    "int32": lambda value: _signed(value, 32),
    "int64": _signed,
    "double": _double,
    "bytes": lambda value: base64.b64encode(_bytes(value)).decode(),
    "time": _time,
    "microTime": _micro_time,
    "quantity": _quantity,
    "intOrString": _int_or_string,
    "raw": _raw,
}
_WIRES: Mapping[str, int] = {"bool": VARINT, "int32": VARINT, "int64": VARINT, "double": FIXED64}
