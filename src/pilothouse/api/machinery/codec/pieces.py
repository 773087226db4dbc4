"""A long JSON text decoded in pieces, so that no call into the decoder lasts long: others may run between two.

One call to orjson keeps the interpreter for itself: three megabytes of small values take it a tenth of a second. Here
the text is gone over once for its strings and brackets; what lies between two of them is decoded by orjson as a
container of its own, as soon as there is enough of it, and put together. Costs three times as much in all.
"""

import re
from typing import Any

import orjson

LONG = 512 * 1024
"""What is shorter is decoded at once."""
_PIECE = 16 * 1024
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],]', re.DOTALL)
_KEY = re.compile(rb'[ \t\r\n]*("[^"\\]*(?:\\.[^"\\]*)*")[ \t\r\n]*:[ \t\r\n]*', re.DOTALL)
_SPACE = b" \t\r\n"
_DEEPEST = 1024
"""What orjson reads no deeper than."""


class _Open:
    """A list or object whose end has not come."""

    __slots__ = ("begin", "done", "member", "put", "start", "value")

    def __init__(self, start: int, value: Any) -> None:
        self.start = start
        self.value = value
        self.begin = self.member = start + 1
        """Where what is not decoded yet begins, and where its last member does."""
        self.done = False
        """Whether some of it is decoded."""
        self.put = False
        """Whether the last member has been put in by itself."""


def loads(body: bytes, piece: int = _PIECE) -> Any:
    """What orjson makes of it. Raises JSONDecodeError for what it refuses."""
    try:
        found = _loads(body, piece)
    except _Amiss:
        return orjson.loads(body)  # which says what is wrong
    return found.value


class _Amiss(Exception):
    """Something is not as it should be."""


def _loads(body: bytes, piece: int) -> _Open:
    stack: list[_Open] = []
    for token in _TOKEN.finditer(body):
        at = token.start()
        char = body[at]
        if char in b"{[":
            stack.append(_Open(at, {} if char == 0x7B else []))
            if len(stack) > _DEEPEST:
                break
        elif char == 0x22:
            continue
        elif not stack:
            break
        elif char == 0x2C:
            here = stack[-1]
            if here.put or at - here.begin >= piece:
                _take(body, here, at)
            here.member = at + 1
        else:
            here = stack.pop()
            if stack and not here.done and at - here.start < piece:
                continue  # it is decoded with what it lies in
            if isinstance(here.value, dict) is not (char == 0x7D):
                break
            _take(body, here, at)
            if not stack:
                if body[: here.start].strip(_SPACE) or body[at + 1 :].strip(_SPACE):
                    break
                return here
            _put(body, stack[-1], here, at + 1)
    raise _Amiss


def _take(body: bytes, here: _Open, end: int) -> None:
    """Decode what has come since the last time; `end` is a comma's place, or the end of all."""
    text = body[here.begin : end]
    blank = not text.strip(_SPACE)
    if here.put:
        if not blank:
            raise _Amiss
    elif blank and (here.done or body[end] == 0x2C):
        raise _Amiss
    elif isinstance(here.value, dict):
        here.value.update(orjson.loads(b"{%b}" % text))
    else:
        here.value += orjson.loads(b"[%b]" % text)
    here.begin, here.done, here.put = end + 1, True, False


def _put(body: bytes, here: _Open, inner: _Open, after: int) -> None:
    """Put in a member that is decoded by itself."""
    if here.put:
        raise _Amiss
    if here.member > here.begin:
        _take(body, here, here.member - 1)
    name = body[here.member : inner.start]
    if isinstance(here.value, list):
        if name.strip(_SPACE):
            raise _Amiss
        here.value.append(inner.value)
    else:
        found = _KEY.fullmatch(name)
        if found is None:
            raise _Amiss
        here.value[orjson.loads(found.group(1))] = inner.value
    here.begin = here.member = after
    here.done = here.put = True
