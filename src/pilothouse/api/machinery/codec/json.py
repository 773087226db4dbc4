"""JSON in and out. orjson does the work; what it refuses or hides is looked at again, more slowly.

Go's decoder, which upstream uses, replaces invalid UTF-8 and lone surrogates by U+FFFD; orjson refuses them. orjson
silently keeps the last of duplicate keys; a body that encodes to itself has none, and almost every client writes such
bodies. Whole numbers are kept to 64 bits exactly, beyond that as floats, on both sides.
"""

import json
import math
from typing import Any

import orjson

from pilothouse.api.machinery.codec import pieces
from pilothouse.api.machinery.codec.pairs import Pairs
from pilothouse.api.machinery.codec.syntax import MAX_DEPTH, TOO_DEEP, MalformedError, explain


def decode(body: bytes, *, duplicates: bool = False) -> Any:
    """The value of a JSON text. Raises MalformedError, in Go's words.

    With `duplicates`, a text that repeats a key comes back with a `Pairs` for each of its objects.
    """
    try:
        value = orjson.loads(body) if len(body) < pieces.LONG else pieces.loads(body)
    except orjson.JSONDecodeError:
        return _decode_slowly(body, duplicates=duplicates)
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and too_deep(value):
        raise MalformedError(TOO_DEEP)
    if duplicates and orjson.dumps(value) != body.rstrip(b"\n"):
        return _with_pairs(body.decode(), value)
    return value


def encode(value: Any) -> bytes:
    """The compact JSON text of a value."""
    return orjson.dumps(value)


def too_deep(value: Any) -> bool:
    """Whether objects and lists lie within each other deeper than MAX_DEPTH."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        inner: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                inner += one.values()
            elif isinstance(one, list):
                inner += one
        level = inner
        if not level:
            return False
    return True


def _decode_slowly(body: bytes, *, duplicates: bool) -> Any:
    """A text that orjson refuses: Go may read it all the same, or has its own words for what is wrong."""
    wrong = explain(body)
    if wrong is not None:
        raise MalformedError(wrong)
    text = body.decode("utf-8", "replace")
    try:
        value = json.loads(text, parse_float=_finite, parse_int=_whole)
        text = json.dumps(value, ensure_ascii=False).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    except RecursionError:
        raise MalformedError(TOO_DEEP) from None
    value = orjson.loads(text)
    if too_deep(value):
        raise MalformedError(TOO_DEEP)
    return _with_pairs(body.decode("utf-8", "replace"), value) if duplicates else value


def _whole(text: str) -> int | float:
    """A number without fraction; Python would convert no more than 4,300 digits, and Go stops at 309."""
    return int(text) if len(text) <= 20 else _finite(text)


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise MalformedError(f"json: cannot unmarshal number {text} into Go value of type float64")
    return value


def _with_pairs(text: str, value: Any) -> Any:
    """The value of `text` with every occurrence of every key, if there is a key that occurs twice; else `value`."""
    repeated = False

    def look(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeated
        found = dict(pairs)
        repeated = repeated or len(found) != len(pairs)
        return found

    json.loads(text, object_pairs_hook=look)
    return json.loads(text, object_pairs_hook=Pairs) if repeated else value
