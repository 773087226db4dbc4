"""An OpenAPI 2.0 document as protobuf: `application/com.github.proto-openapi.spec.v2.v1.0+protobuf`.

kubectl up to 1.27 reads the document in this form alone. The numbers are those of OpenAPIv2.proto in google/gnostic;
the table has the fields that our documents use. The writer needs no message classes: a field is a tag and its bytes
(https://protobuf.dev/programming-guides/encoding/), and a message is its fields one after the other.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

MEDIA_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
JsonObject = Mapping[str, Any]
_Encode = Callable[[Any], bytes]


def encode(document: JsonObject) -> bytes:
    """The protobuf form of a document."""
    return _message(_DOCUMENT)(document)


def _varint(number: int) -> bytes:
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)


def _field(number: int, value: bytes) -> bytes:
    """A field with a length: text, bytes or a message."""
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _bool(number: int, value: Any) -> bytes:
    return _varint(number << 3) + b"\x01" if value else b""


def _text(value: Any) -> bytes:
    return str(value).encode()


class _One:
    """A field that occurs once."""

    def __init__(self, number: int, encode: _Encode = _text) -> None:
        self.number, self.encode = number, encode

    def __call__(self, value: Any) -> bytes:
        return _field(self.number, self.encode(value))


class _Many:
    """A field that occurs once for each item of a list."""

    def __init__(self, number: int, encode: _Encode = _text) -> None:
        self.number, self.encode = number, encode

    def __call__(self, value: Iterable[Any]) -> bytes:
        return b"".join(_field(self.number, self.encode(item)) for item in value)


class _Flag:
    """A boolean field."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __call__(self, value: Any) -> bytes:
        return _bool(self.number, value)


def _message(fields: Mapping[str, _Encode], extensions: int = 0) -> _Encode:
    """A message of the fields named; what begins with x- goes to the field numbered `extensions`."""

    def write(value: JsonObject) -> bytes:
        parts = []
        for key, inner in value.items():
            if key in fields:
                parts.append(fields[key](inner))
            elif extensions and key.startswith("x-"):
                parts.append(_field(extensions, _named(_any)((key, inner))))
            else:
                raise ValueError(f"no field of the OpenAPI message is known for {key!r}")
        return b"".join(parts)

    return write


def _named(encode_value: _Encode) -> _Encode:
    """An entry of a map: its name and its value."""
    return lambda pair: _field(1, pair[0].encode()) + _field(2, encode_value(pair[1]))


def _map(number: int, encode_value: _Encode) -> _Encode:
    """A map, as a repeated field of entries."""
    entry = _named(encode_value)
    return lambda value: b"".join(_field(number, entry(pair)) for pair in value.items())


def _any(value: Any) -> bytes:
    """Any value, as YAML; JSON is YAML."""
    return _field(2, orjson.dumps(value) + b"\n")


def _schema(value: JsonObject) -> bytes:
    return _write_schema(value)


def _additional(value: Any) -> bytes:
    return _bool(2, value) if isinstance(value, bool) else _field(1, _schema(value))


_write_schema = _message(
    {
        "$ref": _One(1), "format": _One(2), "description": _One(4), "required": _Many(19),
        "additionalProperties": _One(21, _additional),
        "type": _One(22, lambda value: _field(1, _text(value))),
        "items": _One(23, lambda value: _field(1, _schema(value))),
        "properties": _One(25, _map(1, _schema)),
    },
    extensions=31,
)  # fmt: skip
_BODY = _message(
    {"description": _One(1), "name": _One(2), "in": _One(3), "required": _Flag(4), "schema": _One(5, _schema)}
)
_QUERY = _message({
    "required": _Flag(1), "in": _One(2), "description": _One(3), "name": _One(4), "type": _One(6),
    "uniqueItems": _Flag(20),
})  # fmt: skip
_PATH = _message({
    "required": _Flag(1), "in": _One(2), "description": _One(3), "name": _One(4), "type": _One(5),
    "uniqueItems": _Flag(19),
})  # fmt: skip


def _parameter(value: JsonObject) -> bytes:
    """ParametersItem > Parameter > body, or non-body > query or path."""
    if value["in"] == "body":
        return _field(1, _field(1, _BODY(value)))
    inner = _field(3, _QUERY(value)) if value["in"] == "query" else _field(4, _PATH(value))
    return _field(1, _field(2, inner))


_RESPONSE = _message({"description": _One(1), "schema": _One(2, lambda value: _field(1, _schema(value)))})
_OPERATION = _message(
    {
        "tags": _Many(1), "description": _One(3), "operationId": _One(5), "produces": _Many(6), "consumes": _Many(7),
        "parameters": _Many(8, _parameter), "schemes": _Many(10),
        "responses": _One(9, _map(1, lambda value: _field(1, _RESPONSE(value)))),
    },
    extensions=13,
)  # fmt: skip
_PATH_ITEM = _message({
    method: _One(number, _OPERATION)
    for method, number in {"get": 2, "put": 3, "post": 4, "delete": 5, "options": 6, "head": 7, "patch": 8}.items()
})  # fmt: skip
_API_KEY = _message({"type": _One(1), "name": _One(2), "in": _One(3), "description": _One(4)})
_DOCUMENT: Mapping[str, _Encode] = {
    "swagger": _One(1),
    "info": _One(2, _message({"title": _One(1), "version": _One(2)})),
    "paths": _One(8, _map(2, _PATH_ITEM)),
    "definitions": _One(9, _map(1, _schema)),
    "security": _Many(12, _map(1, _Many(1))),
    "securityDefinitions": _One(13, _map(1, lambda value: _field(2, _API_KEY(value)))),
}
