"""Tables: what `kubectl get` prints, computed by the server from a kind's columns.

Follows the meta.k8s.io/v1 Table of the API reference. A row carries, besides its cells, as much of the object as the
client asked for with `includeObject`: nothing, its metadata (kubectl needs name and namespace), or all of it.
"""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any

from pilothouse.api.machinery.columns import AGE
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


def row(
    shown: Sequence[Column], obj: JsonObject, now: Instant, include: IncludeObject, version: str = "v1"
) -> JsonObject:
    """One object as a row; `shown` is what `columns` returns, `version` that of the Table."""
    part: JsonObject | None = None
    if include is IncludeObject.OBJECT:
        part = obj
    elif include is IncludeObject.METADATA:
        part = partial_metadata(obj, version)
    return {"cells": [column.cell(obj, now) for column in shown], "object": part}


def partial_metadata(obj: JsonObject, version: str = "v1") -> JsonObject:
    """The metadata of an object alone, as a kind of its own."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": obj.get("metadata") or {},
    }


def table(
    head: Sequence[JsonObject] | None, rows: Iterable[JsonObject], metadata: JsonObject, version: str = "v1"
) -> JsonObject:
    """A Table. `head` is None in all events of a watch but the first; `metadata` is that of the list or object."""
    kept = {
        key: metadata[key]
        for key in ("resourceVersion", "continue", "remainingItemCount")
        if metadata.get(key) not in (None, "")
    }
    return {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": kept,
        "columnDefinitions": None if head is None else list(head),
        "rows": list(rows),
    }
