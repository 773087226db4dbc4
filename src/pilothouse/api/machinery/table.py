"""Tables: what `kubectl get` prints, computed by the server from a kind's columns.

Follows the meta.k8s.io/v1 Table of the API reference. A row carries, besides its cells, as much of the object as the
client asked for with `includeObject`: nothing, its metadata (kubectl needs name and namespace), or all of it. Rows are
bytes: what the time of asking does not change is encoded once.
"""

import re
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any

import orjson

from pilothouse.api.machinery.columns import AGE, LATER, MARK, human_duration
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.machinery.schema.load import META
from pilothouse.api.machinery.view import JsonObject
from pilothouse.runtime.clock import Instant


class IncludeObject(Enum):
    """How much of each object its row carries; the values of `?includeObject=`."""

    NONE = "None"
    METADATA = "Metadata"
    OBJECT = "Object"


def _name(obj: JsonObject, _now: Instant) -> Any:
    return (obj.get("metadata") or {}).get("name", "")


NAME = Column("Name", _name, format="name")
_AGE = re.compile(f"{MARK}(-?[0-9.]+){MARK}".encode())
_DESCRIBED = {"Name": "name", "Age": "creationTimestamp"}
"""Columns that are described by a field of ObjectMeta."""


def columns(resource: Resource[Any]) -> tuple[Column, ...]:
    """All columns of a kind: Name first, unless the kind places it itself."""
    own = resource.columns or (AGE,)
    return own if any(column.name == NAME.name for column in own) else (NAME, *own)


def column_definitions(resource: Resource[Any], schemas: Schemas) -> list[JsonObject]:
    """The head of a kind's tables."""
    fields = schemas.raw[f"{META}.ObjectMeta"]["properties"]
    return [
        {
            "name": column.name,
            "type": column.type,
            "format": column.format or ("name" if column.name == NAME.name else ""),
            "description": column.description
            or (fields[_DESCRIBED[column.name]]["description"] if column.name in _DESCRIBED else ""),
            "priority": column.priority,
        }
        for column in columns(resource)
    ]


class Row:
    """The cells of one object as bytes, made once; ages are put in whenever somebody asks."""

    __slots__ = ("_conditions", "_pieces")

    def __init__(self, shown: Sequence[Column], obj: JsonObject, conditions: Sequence[JsonObject] = ()) -> None:
        """`shown` is what `columns` returns, `conditions` what the kind says of the whole row."""
        cells = orjson.dumps([column.cell(obj, LATER) for column in shown])
        texts_and_moments = _AGE.split(cells)
        self._pieces = [
            float(piece) if number % 2 else piece for number, piece in enumerate(texts_and_moments)
        ]  # fmt: skip
        self._conditions = b'"conditions":%b,' % orjson.dumps(conditions) if conditions else b""

    def at(self, now: Instant, part: bytes) -> bytes:
        """The row as of `now`; `part` is as much of the object as it carries, encoded."""
        filled = [human_duration(now - piece).encode() if isinstance(piece, float) else piece for piece in self._pieces]
        return b'{"cells":%b,%b"object":%b}' % (b"".join(filled), self._conditions, part)


def partial_metadata(obj: JsonObject, version: str = "v1") -> JsonObject:
    """The metadata of an object alone, as a kind of its own."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": obj.get("metadata") or {},
    }


def table(
    head: Sequence[JsonObject] | None, rows: Iterable[bytes], metadata: JsonObject, version: str = "v1"
) -> list[bytes]:
    """The pieces of a Table. `head` is None in all events of a watch but the first; `metadata` is that of the list."""
    kept = {
        key: metadata[key]
        for key in ("resourceVersion", "continue", "remainingItemCount")
        if metadata.get(key) not in (None, "")
    }
    begin = {"kind": "Table", "apiVersion": f"meta.k8s.io/{version}", "metadata": kept, "columnDefinitions": head}
    return [orjson.dumps(begin)[:-1], b',"rows":[', *separated(rows), b"]}"]


def separated(items: Iterable[bytes]) -> list[bytes]:
    """The items of a JSON list, with the commas between them."""
    pieces = [piece for item in items for piece in (item, b",")]
    return pieces[:-1]
