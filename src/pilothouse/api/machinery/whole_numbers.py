"""Whole numbers written as text, read as Go's strconv reads them.

Python's `int` is not fit for what strangers write: it takes `1_000`, ` 5` and the digits of every script, and raises
for more than 4,300 of them.
"""

import re

INT64 = range(-(2**63), 2**63)
UINT64 = range(2**64)
UINT16 = range(2**16)

_SIGNED = re.compile(r"[+-]?[0-9]+")
_UNSIGNED = re.compile(r"[0-9]+")
_MOST_DIGITS = 20


def parse_int(text: str, *, function: str = "ParseInt", within: range = INT64) -> int:
    """The number. Raises ValueError in the words of Go's `function`."""
    shape = _SIGNED if within.start < 0 else _UNSIGNED
    if not shape.fullmatch(text):
        raise ValueError(f'strconv.{function}: parsing "{text}": invalid syntax')
    digits = text.lstrip("+-0")
    found = int(digits or 0) if len(digits) <= _MOST_DIGITS else within.stop
    found = -found if text[0] == "-" else found
    if found not in within:
        raise ValueError(f'strconv.{function}: parsing "{text}": value out of range')
    return found


def int_or(default: int, text: str) -> int:
    """The number, or `default` where the text is none that Go takes."""
    try:
        return parse_int(text)
    except ValueError:
        return default
