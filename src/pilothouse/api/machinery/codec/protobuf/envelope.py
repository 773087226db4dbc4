"""The envelope: what stands around a message, and bodies made of messages that are there already."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pilothouse.api.machinery.codec.protobuf.reader import read, text
from pilothouse.api.machinery.codec.protobuf.table import fields_of, message_of
from pilothouse.api.machinery.codec.protobuf.wire import entries, field, varint
from pilothouse.api.machinery.codec.protobuf.writer import message
from pilothouse.api.machinery.codec.syntax import MalformedError

MAGIC = b"k8s\x00"
_PLAIN = b"\x1a\x00\x22\x00"
"""contentEncoding and contentType, which say nothing."""
JsonObject = dict[str, Any]


def decode(body: bytes, *, api_version: str = "", kind: str = "") -> JsonObject:
    """The object in a body, of the kind given where it does not say. Raises MalformedError.

    An unknown kind comes back without fields, for others to refuse.
    """
    if not body.startswith(MAGIC):
        raise MalformedError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    found_version, found_kind, raw = _opened(body[len(MAGIC) :])
    obj: JsonObject = {"kind": found_kind or kind, "apiVersion": found_version or api_version}
    name = message_of(obj["apiVersion"], obj["kind"])
    return obj | read(name, raw) if name else obj


def decode_list(body: bytes) -> tuple[JsonObject, Iterator[JsonObject]] | None:
    """A list without its items, and these one by one as they are asked for; None for what is no list.

    Raises MalformedError, also while the items are read.
    """
    api_version, kind, raw = _opened(body[len(MAGIC) :])
    name = message_of(api_version, kind)
    items = next((one for one in fields_of(name) if one.name == "items"), None) if kind.endswith("List") else None
    if items is None:
        return None
    parts = [(number, value) for number, _, value in entries(raw) if isinstance(value, bytes)]
    rest = b"".join(field(number, value) for number, value in parts if number != items.number)
    found = {"kind": kind, "apiVersion": api_version, **read(name, rest)}
    return found, (read(items.type, value) for number, value in parts if number == items.number)


def encode(obj: Mapping[str, Any]) -> bytes:
    """The body of an object. Raises LookupError for a kind without a message."""
    api_version, kind = obj.get("apiVersion", ""), obj["kind"]
    name = message_of(api_version, kind)
    if not name:
        raise LookupError(f"no message for {kind} in {api_version}")
    return sealed(api_version, kind, [message(name, obj)])


def sealed(api_version: str, kind: str, pieces: Iterable[bytes]) -> bytes:
    """The body that holds a message, given in pieces."""
    parts = list(pieces)
    size = sum(map(len, parts))
    head = field(1, field(1, api_version.encode()) + field(2, kind.encode()))
    return b"".join((MAGIC, head, b"\x12", varint(size), *parts, _PLAIN))


def list_of(metadata: Mapping[str, Any], items: Iterable[bytes]) -> list[bytes]:
    """The message of a list, in pieces: metadata, then messages made before."""
    pieces = [field(1, message("meta.v1.ListMeta", metadata))]
    for item in items:
        pieces += (b"\x12", varint(len(item)), item)
    return pieces


def watch_event(kind: str, body: bytes) -> bytes:
    """The frame of one event of a watch; `body` is the object's, envelope included."""
    event = field(1, kind.encode()) + field(2, field(1, body))
    return len(event).to_bytes(4, "big") + event


def _opened(data: bytes) -> tuple[str, str, bytes]:
    """apiVersion, kind and message of an envelope."""
    api_version = kind = ""
    raw = b""
    for number, _, value in entries(data):
        if number == 1 and isinstance(value, bytes):
            for inner, _, part in entries(value):
                if inner == 1:
                    api_version = text(part)
                elif inner == 2:
                    kind = text(part)
        elif number == 2 and isinstance(value, bytes):
            raw = value
    return api_version, kind, raw
