"""Protobuf in: what client-go's typed clients, kubectl from 1.32 on among them, send for built-in kinds.

A body is the prefix `k8s` and a zero byte, then runtime.Unknown: apiVersion, kind and the bytes of the message. Which
number is which field is data (`api/data/protobuf_numbers.tsv`, made by `tools/derive_protobuf_numbers.py`); types come
from the schema. The result is the object as its JSON would be. Source: apimachinery/pkg/runtime/serializer/protobuf.
"""

import base64
import struct
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from pilothouse.api.machinery.codec.syntax import MAX_DEPTH, TOO_DEEP, MalformedError
from pilothouse.api.machinery.schema import Schema, Schemas
from pilothouse.runtime.clock import format_micro_time, format_time

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_EMBEDDED = ">"
_MICRO_TIME = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def decode(body: bytes, schemas: Schemas) -> dict[str, Any]:
    """The object in a body. Raises MalformedError; an unknown kind comes back without fields, for others to refuse."""
    if not body.startswith(_MAGIC):
        raise MalformedError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    api_version, kind, raw = _envelope(body[len(_MAGIC) :])
    group, _, version = api_version.rpartition("/")
    obj: dict[str, Any] = {"kind": kind, "apiVersion": api_version}
    if (group, version, kind) not in schemas.names:
        return obj
    schema = schemas.kind(group, version, kind)
    return obj | _message(schema.name, schema, raw, 0)


def _envelope(data: bytes) -> tuple[str, str, bytes]:
    api_version = kind = ""
    raw = b""
    for number, value in _fields(data):
        if number == 1 and isinstance(value, bytes):
            for inner, text in _fields(value):
                if inner == 1:
                    api_version = _text(text)
                elif inner == 2:
                    kind = _text(text)
        elif number == 2 and isinstance(value, bytes):
            raw = value
    return api_version, kind, raw


@cache
def _numbers() -> Mapping[str, Mapping[int, str]]:
    """Field names by message and number."""
    found: dict[str, dict[int, str]] = {}
    table = files("pilothouse.api.data").joinpath("protobuf_numbers.tsv").read_text()
    for line in table.splitlines():
        message, number, name = line.split("\t")
        found.setdefault(message, {})[int(number)] = name
    return found


def _message(name: str, schema: Schema, data: bytes, depth: int) -> dict[str, Any]:
    """A struct. Fields of a number nobody knows are passed over, as protobuf does."""
    if depth > MAX_DEPTH:
        raise MalformedError(TOO_DEEP)
    names = _numbers().get(name, {})
    obj: dict[str, Any] = {}
    for number, value in _fields(data):
        field = names.get(number, "")
        if field == _EMBEDDED:
            obj |= _message(f"{name}>{number}", schema, _bytes(value), depth + 1)
        elif field in schema.properties:
            _put(obj, field, schema.properties[field], value, depth)
    zero_class = schema.zeros.get  # what is no pointer in Go is always on the wire
    for field in [field for field, value in obj.items() if not value and zero_class(field) is value.__class__]:
        del obj[field]
    return obj


def _put(obj: dict[str, Any], field: str, schema: Schema, value: Any, depth: int) -> None:
    if schema.type == "array" and schema.items is not None:
        obj.setdefault(field, []).append(_value(schema.items, value, depth + 1))
    elif schema.additional is not None:
        key, item = _pair(schema.additional, value, depth)
        obj.setdefault(field, {})[key] = item
    else:
        found = _value(schema, value, depth + 1)
        if found is not None:
            obj[field] = found


def _pair(schema: Schema, value: Any, depth: int) -> tuple[str, Any]:
    """One entry of a map: key 1, value 2; what is absent is zero."""
    key, item = "", b""
    for number, part in _fields(_bytes(value)):
        if number == 1:
            key = _text(part)
        elif number == 2:
            item = part
    if schema.type == "array" and schema.items is not None:
        return key, [_value(schema.items, part, depth + 1) for _, part in _fields(_bytes(item))]
    return key, _value(schema, item, depth + 1)


def _value(schema: Schema, value: Any, depth: int) -> Any:
    if schema.is_struct and schema.properties:
        return _message(schema.name, schema, _bytes(value), depth)
    if schema.quantity:
        return next((_text(part) for number, part in _fields(_bytes(value)) if number == 1), "0")
    if schema.int_or_string:
        return _int_or_string(_bytes(value))
    if schema.preserve_unknown or not schema.type:
        raw = next((_bytes(part) for number, part in _fields(_bytes(value)) if number == 1), b"null")
        try:
            return orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise MalformedError(str(error)) from None
    if schema.format == "date-time":
        return _time(schema, _bytes(value))
    if schema.format == "byte":
        return base64.b64encode(_bytes(value)).decode()
    match schema.type:
        case "string":
            return _text(value)
        case "boolean":
            return bool(value)
        case "integer":
            return _signed(value)
        case "number":
            return struct.unpack("<d", value)[0] if isinstance(value, bytes) and len(value) == 8 else 0.0
    return {}


def _int_or_string(data: bytes) -> int | str:
    kind, number, text = 0, 0, ""
    for at, value in _fields(data):
        if at == 1:
            kind = _signed(value)
        elif at == 2:
            number = _signed(value)
        elif at == 3:
            text = _text(value)
    return text if kind else number


def _time(schema: Schema, data: bytes) -> str | None:
    """RFC 3339; None for the zero time, which is an empty message."""
    if not data:
        return None
    seconds = nanos = 0
    for number, value in _fields(data):
        if number == 1:
            seconds = _signed(value)
        elif number == 2:
            nanos = _signed(value)
    if schema.name == _MICRO_TIME:
        return format_micro_time(seconds + nanos / 1e9)
    return format_time(seconds)


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Number and value of each field: an int for a varint, bytes for the rest. Raises MalformedError."""
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        kind, value = key & 7, None
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            size, at = _varint(data, at)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise MalformedError("proto: illegal wireType")
        if at + size > end:
            raise MalformedError("unexpected EOF")
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise MalformedError("unexpected EOF")


def _signed(value: Any) -> int:
    if not isinstance(value, int):
        raise MalformedError("proto: wrong wireType")
    unsigned: int = value & ((1 << 64) - 1)
    return unsigned - (1 << 64) if unsigned >> 63 else unsigned


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise MalformedError("proto: wrong wireType")
    return value


def _text(value: Any) -> str:
    return _bytes(value).decode("utf-8", "replace")
