"""Messages out: an object to the bytes that Go's generated code writes for it.

Fields go by number, maps by key, and what is no pointer in Go is written even when it is zero. A writer is compiled
for each message when it is first needed.
"""

import base64
import struct
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import orjson

from pilothouse.api.machinery.codec.protobuf.table import Field, Presence, fields_of
from pilothouse.api.machinery.codec.protobuf.wire import BYTES, FIXED64, VARINT, field, tag, varint

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZERO_TIME = datetime(1, 1, 1, tzinfo=UTC)
_Payload = Callable[[Any], bytes]
"""From a value to its bytes, with the length in front where there is one."""
_Put = Callable[[Mapping[str, Any], list[bytes]], None]


def message(name: str, obj: Mapping[str, Any]) -> bytes:
    """The message of an object; kind and apiVersion are the envelope's."""
    parts: list[bytes] = []
    for put in _compiled(name):
        put(obj, parts)
    return b"".join(parts)


@cache
def _compiled(name: str) -> tuple[_Put, ...]:
    return tuple(_put(one) for one in fields_of(name))


@cache
def _zero(kind: str) -> bytes:
    """The payload of a type's zero value."""
    if kind in ("string", "bytes", "time", "microTime", "raw") or kind.startswith("[]"):
        return b"\x00"
    if kind in ("bool", "int32", "int64"):
        return b"\x00"
    if kind == "double":
        return bytes(8)
    simple = {"quantity": "0", "intOrString": 0}.get(kind)
    return _payload(kind)({} if simple is None else simple)


def _put(one: Field) -> _Put:
    name, payload = one.name, _payload(one.type)
    head = tag(one.number, _WIRES.get(one.type, BYTES))
    match one.presence:
        case Presence.INLINE:
            return lambda obj, parts: parts.extend((head, payload(obj)))
        case Presence.MAP:
            return _put_map(name, tag(one.number, BYTES), one.type)
        case Presence.REPEATED:
            return _put_all(name, head, payload, one.type)
        case Presence.POINTER:

            def put(obj: Mapping[str, Any], parts: list[bytes]) -> None:
                value = obj.get(name)
                if value is not None:
                    parts.append(head + payload(value))

            return put

    def put_always(obj: Mapping[str, Any], parts: list[bytes]) -> None:
        value = obj.get(name)
        parts.append(head + (_zero(one.type) if value is None else payload(value)))

    return put_always


def _put_all(name: str, head: bytes, payload: _Payload, kind: str) -> _Put:
    def put(obj: Mapping[str, Any], parts: list[bytes]) -> None:
        values = obj.get(name) or ()
        parts.extend(head + (_zero(kind) if value is None else payload(value)) for value in values)

    return put


def _put_map(name: str, head: bytes, kind: str) -> _Put:
    payload, inner = _payload(kind), tag(2, _WIRES.get(kind, BYTES))

    def put(obj: Mapping[str, Any], parts: list[bytes]) -> None:
        for key, value in sorted((obj.get(name) or {}).items()):
            entry = field(1, _utf8(key)) + inner + (_zero(kind) if value is None else payload(value))
            parts.extend((head, varint(len(entry)), entry))

    return put


def _payload(kind: str) -> _Payload:
    simple = _PAYLOADS.get(kind)
    if simple is not None:
        return simple
    if kind.startswith("[]"):
        item = _payload(kind[2:])
        head = tag(1, BYTES)
        return lambda values: _sized(b"".join(head + item(value) for value in values))
    return lambda obj: _sized(message(kind, obj))


def _sized(data: bytes) -> bytes:
    return varint(len(data)) + data


def _utf8(value: str) -> bytes:
    return value.encode("utf-8", "replace")


def _seconds(value: str) -> tuple[int, int] | None:
    """Seconds and microseconds since 1970; None for Go's zero time."""
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if moment == _ZERO_TIME:
        return None
    since = moment - _EPOCH
    return since.days * 86400 + since.seconds, since.microseconds


def _time(value: str) -> bytes:
    found = _seconds(value)
    return b"\x00" if found is None else _sized(b"\x08" + varint(found[0]) + b"\x10\x00")


def _micro_time(value: str) -> bytes:
    found = _seconds(value)
    return b"\x00" if found is None else _sized(b"\x08" + varint(found[0]) + b"\x10" + varint(found[1] * 1000))


def _int_or_string(value: int | str) -> bytes:
    if isinstance(value, str):
        return _sized(b"\x08\x01\x10\x00" + field(3, _utf8(value)))
    return _sized(b"\x08\x00\x10" + varint(value) + b"\x1a\x00")


_PAYLOADS: Mapping[str, _Payload] = {
    "string": lambda value: _sized(_utf8(value)),
    "bool": lambda value: b"\x01" if value else b"\x00",
    "int32": varint,
    "int64": varint,
    "double": lambda value: struct.pack("<d", value),
    "bytes": lambda value: _sized(base64.b64decode(value)),
    "time": _time,
    "microTime": _micro_time,
    "quantity": lambda value: _sized(field(1, _utf8(str(value)))),
    "intOrString": _int_or_string,
    "raw": lambda value: _sized(field(1, orjson.dumps(value))),
}
_WIRES: Mapping[str, int] = {"bool": VARINT, "int32": VARINT, "int64": VARINT, "double": FIXED64}
