"""Lines: events as they are written, by the thread that writes them.

An answer is in an event as the very body that is sent, and becomes JSON here. That of a list of thousands takes a while
in Python, and must not take it in one call into C, which would hold the interpreter's lock and so the loop: what is
large is read and written item by item. Source: apiserver/pkg/audit/request.go.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress

import orjson

from pilothouse.api.machinery.codec import protobuf, yaml
from pilothouse.api.machinery.view import JsonObject

_JSON, _YAML = "application/json", "application/yaml"
_LARGE = 256 * 1024
"""Bytes of JSON that are read in one call: a millisecond."""
_MANY = ("items", "rows")
"""Where the items of a list and the rows of a table are."""
_read_value = json.JSONDecoder().raw_decode


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

    def text(self) -> Iterator[bytes | memoryview]:
        """It as JSON, in pieces."""
        if self._media_type == _JSON and not self._slim:
            yield from (self._body,) if isinstance(self._body, bytes) else self._body
            return
        body = self._body if isinstance(self._body, bytes) else b"".join(self._body)
        match self._media_type:
            case protobuf.MEDIA_TYPE:
                found = protobuf.decode(body)
            case media_type if media_type == _YAML:
                found = yaml.decode(body)[0]
            case _:
                found = _read(body)
        yield from _text_by_items(slimmed(found) if self._slim else found)


def line_of(event: JsonObject) -> Sequence[bytes | memoryview]:
    """The line of an event, in pieces."""
    answer = event.get("responseObject")
    if not isinstance(answer, AnswerObject):
        return (orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE),)
    rest = {name: value for name, value in event.items() if name != "responseObject"}
    return (orjson.dumps(rest)[:-1], b',"responseObject":', *answer.text(), b"}\n")


def slimmed(obj: JsonObject) -> JsonObject:
    """Without managed fields: of the object, of a list's items, of a table's rows."""
    slim = dict(obj)
    if isinstance(slim.get("metadata"), dict):
        slim["metadata"] = {key: value for key, value in slim["metadata"].items() if key != "managedFields"}
    if isinstance(slim.get("items"), list):
        slim["items"] = [slimmed(item) if isinstance(item, dict) else item for item in slim["items"]]
    if isinstance(slim.get("rows"), list):
        slim["rows"] = [
            {**row, "object": slimmed(row["object"])} if isinstance(row.get("object"), dict) else row
            for row in slim["rows"]
        ]
    return slim


def _read(body: bytes) -> JsonObject:
    if len(body) >= _LARGE:
        with suppress(ValueError, IndexError):  # there are blanks in it
            return read_by_items(body.decode())
    found: JsonObject = orjson.loads(body)
    return found


def read_by_items(text: str) -> JsonObject:
    """An object in JSON without blanks, as our answers are, whose items are read one by one.

    Raises ValueError or IndexError for other JSON.
    """
    found: JsonObject = {}
    at = 0
    while text[at] != "}":
        name, at = _read_value(text, at + 1)
        at += 1
        if name in _MANY and text[at : at + 2] not in ("[]", "nu"):
            found[name] = []
            while text[at] != "]":
                item, at = _read_value(text, at + 1)
                found[name].append(item)
            at += 1
        else:
            found[name], at = _read_value(text, at)
    return found


def _text_by_items(obj: JsonObject) -> Iterator[bytes]:
    name = next((name for name in _MANY if isinstance(obj.get(name), list) and obj[name]), "")
    if not name:
        yield orjson.dumps(obj)
        return
    between = b"{"
    for key, value in obj.items():
        if key != name:
            yield b"%b%b:%b" % (between, orjson.dumps(key), orjson.dumps(value))
            between = b","
    yield b"%b%b:" % (between, orjson.dumps(name))
    between = b"["
    for item in obj[name]:
        yield between + orjson.dumps(item)
        between = b","
    yield b"]}"
