"""The leaves of an object: times, base64 and quantities, brought to the one form in which upstream stores them.

Each function takes what a client wrote and returns what is kept; it raises ValueError with upstream's words. The words
for a time are those of Go's time.Parse with the layouts of metav1.Time and metav1.MicroTime.
"""

import binascii
import re
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

SECONDS = "2006-01-02T15:04:05Z07:00"
MICROSECONDS = "2006-01-02T15:04:05.000000Z07:00"
_CANONICAL = re.compile(
    r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ", re.ASCII
).fullmatch
"""Times that are right as they stand; the last days of a month take the slower way."""
_PARTS = (
    (r"\d{4}", "2006"), ("-", "-"), (r"\d\d", "01"), ("-", "-"), (r"\d\d", "02"), ("T", "T"), (r"\d\d", "15"),
    (":", ":"), (r"\d\d", "04"), (":", ":"), (r"\d\d", "05"), (r"(?:[.,]\d+)?", ""), (r"Z|[+-]\d\d:\d\d", "Z07:00"),
)  # fmt: skip
_LIMITS = {"01": (1, 12, "month"), "02": (1, 31, "day"), "15": (0, 23, "hour"), "04": (0, 59, "minute"),
           "05": (0, 59, "second")}  # fmt: skip
_PLAIN_QUANTITY = re.compile(r"0|[1-9]\d{0,2}(?:m|k|M|G|Ki|Mi|Gi)?", re.ASCII).fullmatch
"""Quantities that are canonical for certain."""


def time_text(text: str, *, micro: bool = False) -> str:
    """An RFC 3339 time in UTC, cut to whole seconds, or to microseconds where `micro` is set."""
    if not micro and _CANONICAL(text):
        return text
    moment = _parse(text, MICROSECONDS if micro else SECONDS, micro)
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds" if micro else "seconds") + "Z"


def _parse(text: str, layout: str, micro: bool) -> datetime:
    """Read `text` part by part, to say at which part it goes wrong."""
    rest, numbers, fraction, zone = text, [], "", ""
    for pattern, part in _PARTS:
        if micro and not part:
            pattern, part = r"[.,]\d{6}", ".000000"
        found = re.match(pattern, rest, re.ASCII)
        if found is None:
            raise ValueError(f'parsing time "{text}" as "{layout}": cannot parse "{rest}" as "{part}"')
        rest = rest[found.end() :]
        if part in _LIMITS:
            low, high, word = _LIMITS[part]
            if not low <= int(found[0]) <= high:
                raise ValueError(f'parsing time "{text}": {word} out of range')
        if part == "Z07:00":
            zone = found[0]
        elif part in ("", ".000000"):
            fraction = found[0][1:]
        elif found[0].isdigit():
            numbers.append(int(found[0]))
    if rest:
        raise ValueError(f'parsing time "{text}": extra text: "{rest}"')
    year, month, day, hour, minute, second = numbers
    micros = int(fraction[:6].ljust(6, "0")) if fraction else 0
    try:
        moment = datetime(year, month, day, hour, minute, second, micros, UTC)
        return moment if zone == "Z" else moment - _offset(zone)
    except (ValueError, OverflowError):
        raise ValueError(f'parsing time "{text}": day out of range') from None


def _offset(zone: str) -> timedelta:
    sign = -1 if zone[0] == "-" else 1
    return sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))


def base64_text(text: str) -> str:
    """Standard base64 with padding; line breaks are allowed and dropped."""
    try:
        binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        plain = text.replace("\n", "").replace("\r", "")
        try:
            return b64encode(binascii.a2b_base64(plain, strict_mode=True)).decode()
        except ValueError:
            raise ValueError(f"illegal base64 data at input byte {_first_bad(plain)}") from None
    return text


def _first_bad(text: str) -> int:
    """Where Go's decoder stops: the first foreign character, or the last whole group of four."""
    found = re.search(r"[^A-Za-z0-9+/]", text)
    if found is None:
        return len(text) // 4 * 4
    return found.start()


def quantity_text(value: Any) -> str:
    """A quantity in its canonical form, such as 500m of 0.5."""
    if value.__class__ is str and _PLAIN_QUANTITY(value):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
    from pilothouse.api.machinery.quantity import parse_quantity

    return str(parse_quantity(value.strip() if isinstance(value, str) else value))
