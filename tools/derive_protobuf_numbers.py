"""Derives the protobuf field numbers of the API's messages from objects that exist in JSON and in protobuf.

    python tools/derive_protobuf_numbers.py DIR > src/pilothouse/api/data/protobuf_numbers.tsv

DIR holds pairs `group.version.Kind.json` and `.pb` of one object with every field set. A number belongs to the field
whose value it carries. Structs that Go embeds are messages of their own on the wire; they get a row without a field
and the name of the outer message with `>` and the number. What two readings fit (booleans, mostly) goes by the order
of declaration, in which upstream numbers fields.
"""

import base64
import struct
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from pilothouse.api.machinery.schema import Schema, Schemas

MAGIC = b"k8s\x00"
Entries = list[tuple[int, int, Any]]
KNOWN = {"io.k8s.api.core.v1.PodSpec": {2: "containers", 20: "initContainers", 21: "automountServiceAccountToken"}}
"""Where upstream did not number in the order of declaration."""
CHANGED = frozenset({"io.k8s.api.core.v1.PodStatus"})
"""Messages with one field whose shape is another in the schema than in the objects: taken as what is left."""
NOT_THIS = (ValueError, AttributeError, TypeError, LookupError)
Rows = dict[str, dict[int, str]]


class MismatchError(ValueError):
    """The bytes are not this value."""


def parse(data: bytes) -> Entries:
    """Read a message as (number, wire type, value)."""
    found: Entries = []
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        number, kind = key >> 3, key & 7
        value: Any
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 1:
            value, at = data[at : at + 8], at + 8
        elif kind == 2:
            length, at = varint(data, at)
            value, at = data[at : at + length], at + length
        elif kind == 5:
            value, at = data[at : at + 4], at + 4
        else:
            raise MismatchError
        if at > len(data) or not number:
            raise MismatchError
        found.append((number, kind, value))
    return found


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Read a varint."""
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise MismatchError
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


class Deriver:
    """Collects rows of all messages."""

    def __init__(self) -> None:
        self.doubtful: set[tuple[str, int, str]] = set()

    def message(
        self, name: str, properties: dict[str, Schema], obj: dict[str, Any], data: bytes, *, whole: bool = True
    ) -> Rows:
        """Match the fields of `obj` to the entries of `data`; the rows it takes. Raises MismatchError."""
        groups: dict[int, list[tuple[int, Any]]] = {}
        for number, kind, value in parse(data):
            groups.setdefault(number, []).append((kind, value))
        fields = [field for field in obj if field in properties]
        fits: dict[int, dict[str, Rows]] = {}
        for number, entries in groups.items():
            fits[number] = {}
            for field in fields:
                try:
                    fits[number][field] = self.value(properties[field], obj[field], entries)
                except NOT_THIS:
                    continue
        rows: Rows = {name: {}}
        known = {number: field for number, field in KNOWN.get(name, {}).items() if field in fits.get(number, ())}
        chosen = assign({number: list(found) for number, found in fits.items()}, fields, known)
        for number, field in chosen.items():
            rows[name][number] = field
            merge(rows, fits[number][field])
        embedded = [number for number in groups if number not in chosen]
        rest = {field: obj[field] for field in fields if field not in chosen.values()}
        if name in CHANGED and len(embedded) == len(rest) == 1:
            rows[name][embedded.pop()] = rest.popitem()[0]
        for number in embedded:
            kind, value = groups[number][0]
            if kind != 2 or not isinstance(value, bytes):
                raise MismatchError
            inner = self.message(f"{name}>{number}", properties, rest, value, whole=False)
            used = {
                field for inside, found in inner.items() if inside.startswith(name + ">") for field in found.values()
            }
            rest = {field: item for field, item in rest.items() if field not in used}
            rows[name][number] = ">"
            merge(rows, inner)
        expect(not (whole and rest))
        self.doubtful.update(
            (name, number, field)
            for number, field in chosen.items()
            if any(number in fits and field in found and other != number for other, found in fits.items())
        )
        return rows

    def value(self, schema: Schema, value: Any, entries: list[tuple[int, Any]]) -> Rows:
        """Whether the entries carry the value. Raises MismatchError."""
        rows: Rows = {}
        if schema.type == "array" and schema.format != "byte":
            if not isinstance(value, list) or schema.items is None or len(value) != len(entries):
                raise MismatchError
            for item, entry in zip(value, entries, strict=True):
                merge(rows, self.single(schema.items, item, entry))
            return rows
        if schema.additional is not None:
            if not isinstance(value, dict) or len(value) != len(entries):
                raise MismatchError
            for kind, data in entries:
                merge(rows, self.pair(schema.additional, value, kind, data))
            return rows
        if len(entries) != 1:
            raise MismatchError
        return self.single(schema, value, entries[0])

    def pair(self, schema: Schema, value: dict[str, Any], kind: int, data: Any) -> Rows:
        """One entry of a map."""
        parts = {number: (at, item) for number, at, item in parse(submessage(kind, data))}
        if 1 not in parts or 2 not in parts or set(parts) != {1, 2}:
            raise MismatchError
        key = text(*parts[1])
        if key not in value:
            raise MismatchError
        if schema.type == "array" and schema.items is not None:
            items = parse(submessage(*parts[2]))
            return self.value(schema, value[key], [(at, item) for _, at, item in items])
        return self.single(schema, value[key], parts[2])

    def single(self, schema: Schema, value: Any, entry: tuple[int, Any]) -> Rows:
        """One value."""
        kind, data = entry
        if schema.is_struct and schema.properties:
            if not isinstance(value, dict):
                raise MismatchError
            return self.message(schema.name, dict(schema.properties), value, submessage(kind, data))
        if schema.preserve_unknown or (not schema.type and not schema.quantity and not schema.int_or_string):
            expect(orjson.loads(raw(submessage(kind, data))) == value)
        elif schema.quantity:
            expect(raw(submessage(kind, data)).decode() == value)
        elif schema.int_or_string:
            parts = {number: item for number, _, item in parse(submessage(kind, data))}
            expect(set(parts) == {1, 2, 3} and (parts[2] if parts[1] == 0 else parts[3].decode()) == value)
        elif schema.format == "date-time" and value is None:
            expect(submessage(kind, data) == b"")
        elif schema.format == "date-time":
            parts = {number: item for number, _, item in parse(submessage(kind, data))}
            expect(isinstance(value, str) and int(datetime.fromisoformat(value).timestamp()) == parts.get(1))
        elif schema.format == "byte":
            expect(kind == 2 and isinstance(value, str) and base64.b64decode(value) == data)
        elif schema.type == "string":
            expect(text(kind, data) == value)
        elif schema.type == "boolean":
            expect(kind == 0 and data in (0, 1) and value is bool(data))
        elif schema.type == "integer":
            expect(kind == 0 and not isinstance(value, bool) and value == data)
        elif schema.type == "number":
            expect(kind == 1 and struct.unpack("<d", data)[0] == value)
        else:
            raise MismatchError
        return {}


def raw(data: bytes) -> bytes:
    """The JSON text that an untyped value carries as its field 1."""
    for number, kind, value in parse(data):
        if number == 1 and kind == 2:
            return bytes(value)
    raise MismatchError


def expect(held: bool) -> None:
    """Raise MismatchError unless it holds."""
    if not held:
        raise MismatchError


def text(kind: int, data: Any) -> str:
    """A string. Raises MismatchError."""
    expect(kind == 2)
    try:
        return str(data.decode())
    except UnicodeDecodeError:
        raise MismatchError from None


def submessage(kind: int, data: Any) -> bytes:
    """The bytes of an embedded message. Raises MismatchError."""
    expect(kind == 2)
    return bytes(data)


def assign(candidates: dict[int, list[str]], order: list[str], known: dict[int, str]) -> dict[int, str]:
    """Choose a field for each number: what is known, those with one candidate, then by the order of declaration."""
    chosen = dict(known)
    while True:
        open_numbers = {
            number: [field for field in fields if field not in chosen.values()]
            for number, fields in candidates.items()
            if number not in chosen
        }
        open_numbers = {number: fields for number, fields in open_numbers.items() if fields}
        if not open_numbers:
            return chosen
        single = next((number for number, fields in open_numbers.items() if len(fields) == 1), None)
        number = single if single is not None else min(open_numbers)
        chosen[number] = min(open_numbers[number], key=order.index)


def merge(into: Rows, rows: Rows) -> None:
    """Add rows of other messages."""
    for name, numbers in rows.items():
        into.setdefault(name, {}).update(numbers)


def main(directory: Path) -> None:
    """Print the table."""
    schemas, deriver, failed = Schemas(), Deriver(), []
    total: Rows = {}
    for path in sorted(directory.glob("*.pb")):
        *group, version, kind = path.stem.split(".")
        name = ".".join(group)
        key = ("" if name == "core" else name, version, kind)
        if key not in schemas.names:
            continue
        data = path.read_bytes()
        assert data.startswith(MAGIC)
        body = next(value for number, _, value in parse(data[4:]) if number == 2)
        obj = orjson.loads(path.with_suffix(".json").read_bytes())
        schema = schemas.kind(*key)
        properties = {field: node for field, node in schema.properties.items() if field not in ("kind", "apiVersion")}
        fields = {field: value for field, value in obj.items() if field in properties}
        try:
            merge(total, deriver.message(schema.name, properties, fields, body))
        except NOT_THIS:
            failed.append(path.stem)
    for name in sorted(total):
        outer, _, number_text = name.rpartition(">")
        if outer and total.get(outer, {}).get(int(number_text)) != ">":
            continue
        for number, field in sorted(total[name].items()):
            print(f"{name}\t{number}\t{field}")
    for name, number, field in sorted(deriver.doubtful):
        print("doubtful:", name, number, field, file=sys.stderr)
    print("not understood:", *failed, file=sys.stderr)


main(Path(sys.argv[1]))
