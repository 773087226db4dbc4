"""Whether a text is a schedule: the five fields of cron, or a word for them such as `@daily`.

Errors are worded as the library does with which upstream reads schedules (robfig/cron v3, ParseStandard): users see
them. Of the five fields the first wrong one is named.
"""

import re
from zoneinfo import ZoneInfo

from pilothouse.api.machinery.whole_numbers import parse_int

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NO_NAMES: dict[str, int] = {}
_FIELDS = (
    (0, 59, _NO_NAMES),
    (0, 23, _NO_NAMES),
    (1, 31, _NO_NAMES),
    (1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    (0, 6, {name: number for number, name in enumerate(_DAYS)}),
)
"""Lowest and highest number of minute, hour, day, month and day of the week, and names for them."""
_WORDS = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
_EVERY = "@every "
_DURATION = re.compile(r"[-+]?(0|(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)")
_ZONE_PREFIXES = ("TZ=", "CRON_TZ=")


def check_schedule(text: str) -> None:
    """Raise ValueError, saying why, where the text is no schedule."""
    if text.startswith(_ZONE_PREFIXES):
        name, _, text = text.partition("=")[2].partition(" ")
        if not is_time_zone(name):
            raise ValueError(f"provided bad location {name}: unknown time zone {name}")
        text = text.strip()
    if text.startswith("@"):
        _check_word(text)
        return
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]")
    for field, (low, high, names) in zip(fields, _FIELDS, strict=True):
        for part in filter(None, field.split(",")):
            _check_range(part, low, high, names)


def is_time_zone(name: str) -> bool:
    """Whether the machine's time zone database, or Python's, knows the name."""
    if name in ("", "UTC"):
        return True
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # a name of a directory is refused by the operating system
        return False
    return True


def _check_word(text: str) -> None:
    if text.startswith(_EVERY):
        if not _DURATION.fullmatch(text.removeprefix(_EVERY)):
            length = text.removeprefix(_EVERY)
            raise ValueError(f'failed to parse duration {text}: time: invalid duration "{length}"')
    elif text not in _WORDS:
        raise ValueError(f"unrecognized descriptor: {text}")


def _check_range(text: str, low: int, high: int, names: dict[str, int]) -> None:
    """One part of a field: a number, a range or everything, with or without a step."""
    span, *steps = text.split("/")
    ends = span.split("-")
    if ends[0] in ("*", "?"):
        start, end = low, high
    else:
        start = _number(ends[0], names)
        if len(ends) > 2:
            raise ValueError(f"too many hyphens: {text}")
        end = _number(ends[1], names) if len(ends) == 2 else start
    if len(steps) > 1:
        raise ValueError(f"too many slashes: {text}")
    step = _number(steps[0], _NO_NAMES) if steps else 1
    if steps and len(ends) == 1:
        end = high
    if start < low:
        raise ValueError(f"beginning of range ({start}) below minimum ({low}): {text}")
    if end > high:
        raise ValueError(f"end of range ({end}) above maximum ({high}): {text}")
    if start > end:
        raise ValueError(f"beginning of range ({start}) beyond end of range ({end}): {text}")
    if step == 0:
        raise ValueError(f"step of range should be a positive number: {text}")


def _number(text: str, names: dict[str, int]) -> int:
    named = names.get(text.lower())
    if named is not None:
        return named
    try:
        number = parse_int(text, function="Atoi")
    except ValueError as error:
        raise ValueError(f"failed to parse int from {text}: {error}") from None
    if number < 0:
        raise ValueError(f"negative number ({number}) not allowed: {text}")
    return number
