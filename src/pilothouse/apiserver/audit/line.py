"""Lines: events as they are written.

An event without an answer becomes JSON at once: that costs less than keeping its many small values until the thread
that writes them comes.

An answer is in an event as the very body that is sent, and becomes JSON in that thread. That of a list of thousands
takes a while in Python, and must not take it in one call into C, or be in memory as a whole, whose garbage is swept and
freed in one go: either holds the interpreter's lock, and so the loop. What is large is therefore read and written
member by member, and its items one by one. Source: apiserver/pkg/audit/request.go.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import orjson

from pilothouse.api.machinery.codec import protobuf, yaml
from pilothouse.api.machinery.view import JsonObject

_JSON, _YAML = "application/json", "application/yaml"
_LARGE = 256 * 1024
"""Bytes of JSON that are read in one call: a millisecond."""
_MANY = ("items", "rows")
"""Where the items of a list and the rows of a table are."""
Line = bytes | JsonObject
"""The line of an event, or an event whose line is yet to be made."""
_read_value = json.JSONDecoder().raw_decode

Members = Iterable[tuple[str, Any]]
"""The names and values of an object. A value that is an iterator is a list, to be read before what follows."""


class AnswerObject:
    """The object of an answer, in the form in which it is sent."""

    __slots__ = ("_body", "_media_type", "_slim")

    def __init__(self, body: bytes | Sequence[bytes | memoryview], media_type: str, *, slim: bool) -> None:
        self._body = body
        self._media_type = media_type
        self._slim = slim

    @staticmethod
    def is_in(media_type: str) -> bool:
        """Whether what is sent in this form is an object."""
        return media_type in (_JSON, _YAML, protobuf.MEDIA_TYPE)

    def text(self) -> Sequence[bytes | memoryview]:
        """It as JSON, in pieces. Raises ValueError for what is none of its form."""
        if self._media_type == _JSON and not self._slim:
            return (self._body,) if isinstance(self._body, bytes) else self._body
        body = self._body if isinstance(self._body, bytes) else b"".join(self._body)
        if self._media_type == _JSON and len(body) >= _LARGE:
            try:
                return list(self._written(MemberReader(body.decode()).members()))
            except (ValueError, IndexError):  # there are blanks in it
                pass
        return list(self._written(self._members(body)))

    def _members(self, body: bytes) -> Members:
        if self._media_type == protobuf.MEDIA_TYPE:
            found = protobuf.decode_list(body)
            return protobuf.decode(body).items() if found is None else chain(found[0].items(), [("items", found[1])])
        obj: JsonObject = orjson.loads(body) if self._media_type == _JSON else yaml.decode(body)[0]
        return obj.items()

    def _written(self, members: Members) -> Iterator[bytes]:
        between = b"{"
        for name, value in _without_managed(members) if self._slim else members:
            yield b"%b%b:" % (between, orjson.dumps(name))
            between = b","
            many = isinstance(value, Iterator) or (name in _MANY and isinstance(value, list))
            yield from _list_written(value) if many else (orjson.dumps(value),)
        yield b"}"


class MemberReader:
    """Reads an object in JSON without blanks, as our answers are. Raises ValueError or IndexError for other JSON."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def members(self) -> Iterator[tuple[str, Any]]:
        """Its members; of lists of items an iterator."""
        while self._text[self._at] != "}":
            name = self._value()
            many = name in _MANY and self._text.startswith(":[", self._at) and self._text[self._at + 2] != "]"
            yield name, self._items() if many else self._value()

    def _items(self) -> Iterator[Any]:
        self._at += 1
        while self._text[self._at] != "]":
            yield self._value()
        self._at += 1

    def _value(self) -> Any:
        """What follows the sign at which we are."""
        value, self._at = _read_value(self._text, self._at + 1)
        return value


def ready(event: JsonObject) -> Line:
    """The line of an event, or the event itself where making the line is work for the thread."""
    if "responseObject" not in event:
        try:
            return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)
        except TypeError:
            return event  # it is no JSON, which the thread will find and tell
    return event


def line_of(event: Line) -> Sequence[bytes | memoryview]:
    """The line of an event, in pieces."""
    if isinstance(event, bytes):
        return (event,)
    answer = event.get("responseObject")
    if not isinstance(answer, AnswerObject):
        return (orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE),)
    rest = {name: value for name, value in event.items() if name != "responseObject"}
    return (orjson.dumps(rest)[:-1], b',"responseObject":', *answer.text(), b"}\n")


def slimmed(obj: JsonObject) -> JsonObject:
    """Without managed fields: of the object, of a list's items, of a table's rows."""
    return {name: [*value] if isinstance(value, map) else value for name, value in _without_managed(obj.items())}


def _without_managed(members: Members) -> Iterator[tuple[str, Any]]:
    for name, value in members:
        if name == "metadata" and isinstance(value, dict):
            yield name, {key: part for key, part in value.items() if key != "managedFields"}
        elif name == "items" and isinstance(value, list | Iterator):
            yield name, map(_slimmed_item, value)
        elif name == "rows" and isinstance(value, list | Iterator):
            yield name, map(_slimmed_row, value)
        else:
            yield name, value


def _slimmed_item(item: Any) -> Any:
    return slimmed(item) if isinstance(item, dict) else item


def _slimmed_row(row: Any) -> Any:
    if isinstance(row, dict) and isinstance(row.get("object"), dict):
        return {**row, "object": slimmed(row["object"])}
    return row


def _list_written(items: Iterable[Any]) -> Iterator[bytes]:
    between = b"["
    for item in items:
        yield between + orjson.dumps(item)
        between = b","
    yield b"[]" if between == b"[" else b"]"
