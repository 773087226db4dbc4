"""Shaping: entries into the bytes of the form that the client accepts.

The object itself is spliced from what is stored. Metadata alone, messages of protobuf, and rows with their ages left
open, stay with the entry.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from pilothouse.api.machinery.codec import protobuf, yaml
from pilothouse.api.machinery.errors import BadRequest
from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.table import (
    IncludeObject,
    Row,
    column_definitions,
    columns,
    partial_metadata,
    separated,
    table,
)
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.registry.entry import Entry
from pilothouse.apiserver.registry.served import Served
from pilothouse.apiserver.verbs.forms import PROTOBUF, YAML, Form
from pilothouse.net.http import Response
from pilothouse.runtime.clock import Clock

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Shaper:
    """Makes answers of entries."""

    def __init__(self, served: Served, clock: Clock) -> None:
        self._served = served
        self._clock = clock

    def one(self, exchange: Exchange, resource: Resource[Any], entry: Entry, form: Form, status: int = 200) -> Response:
        """The answer that is one object."""
        body = self.encoded(exchange, resource, entry, form)
        if form.media_type == PROTOBUF:
            return Response(status, body, warnings_of(exchange), PROTOBUF)
        return respond(exchange, body, form, status)

    def encoded(
        self, exchange: Exchange, resource: Resource[Any], entry: Entry, form: Form, *, headed: bool = True
    ) -> bytes:
        """One entry in its form, YAML as JSON; `headed` says whether a Table carries its columns."""
        if form.media_type == PROTOBUF:
            api_version, kind = _kind(resource, form)
            return protobuf.sealed(api_version, kind, [self._message(resource, entry, form)])
        if not form.shape:
            return self._served.wire(resource, entry)
        if form.shape == "Table":
            head = column_definitions(resource, self._served.schemas) if headed else None
            shown = self._row(resource, entry, include_of(exchange), form.version)
            return b"".join(table(head, [shown], {"resourceVersion": str(entry.revision)}, form.version))
        return self._metadata(resource, entry, form.version)

    def list(
        self,
        exchange: Exchange,
        resource: Resource[Any],
        entries: Iterable[Entry],
        metadata: Mapping[str, Any],
        form: Form,
    ) -> Response:
        """The answer that is a list of objects."""
        if form.media_type == PROTOBUF:
            api_version, kind = _kind(resource, form, listed=True)
            message = protobuf.list_of(metadata, [self._message(resource, entry, form) for entry in entries])
            body = protobuf.sealed(api_version, kind, message)
            return Response(200, body, warnings_of(exchange), PROTOBUF)
        pieces: Sequence[bytes | memoryview]
        if form.shape == "Table":
            include = include_of(exchange)
            rows = [self._row(resource, entry, include, form.version) for entry in entries]
            pieces = table(column_definitions(resource, self._served.schemas), rows, dict(metadata), form.version)
        else:
            pieces = [_list_head(resource, metadata, form), *self._items(exchange, resource, entries, form), b"]}"]
        if form.media_type == YAML:
            return respond(exchange, b"".join(pieces), form)
        return Response(200, pieces, warnings_of(exchange))

    def _items(
        self, exchange: Exchange, resource: Resource[Any], entries: Iterable[Entry], form: Form
    ) -> Sequence[bytes | memoryview]:
        if form.shape or resource.stored_as is not None:
            return separated(self.encoded(exchange, resource, entry, form) for entry in entries)
        pieces = [piece for entry in entries for piece in (*entry.parts, b",")]
        return pieces[:-1]

    def _message(self, resource: Resource[Any], entry: Entry, form: Form) -> bytes:
        """The object, or its metadata alone, as a message."""
        api_version, kind = _kind(resource, form)
        name = protobuf.message_of(api_version, kind)
        return entry.variant(
            (resource.api_version, name), lambda found: protobuf.message(name, self._served.decode(resource, found))
        )

    def _row(self, resource: Resource[Any], entry: Entry, include: IncludeObject, version: str) -> bytes:
        def made(found: Entry) -> Row:
            obj = self._served.decode(resource, found)
            if include is IncludeObject.METADATA:
                found.variant((resource.api_version, version), lambda _: _encoded_metadata(obj, version))
            conditions = resource.row_conditions(obj) if resource.row_conditions is not None else ()
            return Row(columns(resource), obj, conditions)

        row = entry.variant((resource.api_version, "row"), made)
        if include is IncludeObject.METADATA:
            return row.at(self._clock.now(), self._metadata(resource, entry, version))
        part = self._served.wire(resource, entry) if include is IncludeObject.OBJECT else b"null"
        return row.at(self._clock.now(), part)

    def _metadata(self, resource: Resource[Any], entry: Entry, version: str) -> bytes:
        return entry.variant(
            (resource.api_version, version),
            lambda found: _encoded_metadata(self._served.decode(resource, found), version),
        )


def _encoded_metadata(obj: JsonObject, version: str) -> bytes:
    return orjson.dumps(partial_metadata(obj, version))


def _kind(resource: Resource[Any], form: Form, *, listed: bool = False) -> tuple[str, str]:
    """apiVersion and kind of what is sent."""
    if form.shape:
        return f"meta.k8s.io/{form.version}", f"{form.shape}{'List' if listed else ''}"
    return resource.api_version, resource.list_kind if listed else resource.name


def _list_head(resource: Resource[Any], metadata: Mapping[str, Any], form: Form) -> bytes:
    api_version, kind = _kind(resource, form, listed=True)
    return b'{"kind":"%b","apiVersion":"%b","metadata":%b,"items":[' % (
        kind.encode(), api_version.encode(), orjson.dumps(dict(metadata)),
    )  # fmt: skip


def include_of(exchange: Exchange) -> IncludeObject:
    """How much of the object a row carries."""
    text = exchange.info.value("includeObject")
    try:
        return IncludeObject(text) if text else IncludeObject.METADATA
    except ValueError:
        raise BadRequest(f'unrecognized includeObject value: "{text}"') from None


def respond(exchange: Exchange, body: bytes, form: Form, status: int = 200) -> Response:
    """An encoded document in its media type, with the warnings of the exchange."""
    if form.media_type == YAML:
        return Response(status, yaml.encode(orjson.loads(body)), warnings_of(exchange), YAML)
    return Response(status, body, warnings_of(exchange))


def warnings_of(exchange: Exchange) -> dict[str, str]:
    """The Warning header: one value a text, in the form of RFC 7234, its bytes those of UTF-8.

    A text with line breaks or the like says nothing, as upstream's does: policies and webhooks make some.
    """
    if not exchange.warnings:
        return {}
    texts = [text for text in dict.fromkeys(exchange.warnings) if text and not _CONTROL.search(text)]
    if not texts:
        return {}
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    whole = ", ".join(f'299 - "{text}"' for text in quoted)
    return {"Warning": whole if whole.isascii() else whole.encode(errors="replace").decode("latin-1")}
