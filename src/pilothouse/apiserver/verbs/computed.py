"""Shaping objects that no store has: made for one answer, without a resourceVersion."""

from collections.abc import Sequence
from typing import Any

import orjson

from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.machinery.table import IncludeObject, Row, column_definitions, columns, partial_metadata, table
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.verbs.forms import Form
from pilothouse.apiserver.verbs.shape import include_of, respond
from pilothouse.net.http import Response
from pilothouse.runtime.clock import Instant


def one_computed(
    exchange: Exchange, resource: Resource[Any], obj: JsonObject, form: Form, schemas: Schemas, now: Instant
) -> Response:
    """The answer that is one object."""
    if form.shape == "Table":
        return respond(exchange, _table(exchange, resource, [obj], form, schemas, now), form)
    return respond(exchange, orjson.dumps(partial_metadata(obj, form.version) if form.shape else obj), form)


def several_computed(
    exchange: Exchange,
    resource: Resource[Any],
    objects: Sequence[JsonObject],
    form: Form,
    schemas: Schemas,
    now: Instant,
) -> Response:
    """The answer that is a list of objects."""
    if form.shape == "Table":
        return respond(exchange, _table(exchange, resource, objects, form, schemas, now), form)
    kind, api_version, items = resource.list_kind, resource.api_version, objects
    if form.shape:
        kind, api_version = "PartialObjectMetadataList", f"meta.k8s.io/{form.version}"
        items = [partial_metadata(obj, form.version) for obj in objects]
    listed = {"kind": kind, "apiVersion": api_version, "metadata": {}, "items": items}
    return respond(exchange, orjson.dumps(listed), form)


def _table(
    exchange: Exchange,
    resource: Resource[Any],
    objects: Sequence[JsonObject],
    form: Form,
    schemas: Schemas,
    now: Instant,
) -> bytes:
    include = include_of(exchange)
    shown = columns(resource)

    def part(obj: JsonObject) -> bytes:
        if include is IncludeObject.NONE:
            return b"null"
        return orjson.dumps(partial_metadata(obj, form.version) if include is IncludeObject.METADATA else obj)

    rows = [Row(shown, obj).at(now, part(obj)) for obj in objects]
    return b"".join(table(column_definitions(resource, schemas), rows, {}, form.version))
