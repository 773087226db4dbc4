"""Durations as Go writes them, such as `1h30m0.5s`: flags, queries and configuration files have them, messages too.

People and tools match on the form. Source: the documentation of Go's time.ParseDuration, whose refusals these are.
"""

import re

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"([0-9.]+)([^0-9.]*)", re.ASCII)


def parse_duration(text: str) -> float:
    """Seconds. Raises ValueError."""
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return 0.0
    if not rest:
        raise ValueError(f'time: invalid duration "{text}"')
    seconds = 0.0
    while rest:
        found = _PART.match(rest)
        if found is None or found[1].count(".") > 1 or found[1] == ".":
            raise ValueError(f'time: invalid duration "{text}"')
        if not found[2]:
            raise ValueError(f'time: missing unit in duration "{text}"')
        if found[2] not in _UNITS:
            raise ValueError(f'time: unknown unit "{found[2]}" in duration "{text}"')
        seconds += float(found[1]) * _UNITS[found[2]]
        rest = rest[found.end() :]
    return -seconds if text.startswith("-") else seconds


def go_duration(seconds: float) -> str:
    """`0s`, `393ms`, `10s`, `1m20s`, `5m0s`, `1h0m0s`; fractions down to the nanosecond."""
    nanos = round(seconds * 1e9)
    if nanos == 0:
        return "0s"
    sign = "-" if nanos < 0 else ""
    nanos = abs(nanos)
    if nanos < 10**9:
        for unit, size in (("ms", 10**6), ("µs", 10**3), ("ns", 1)):
            if nanos >= size:
                return f"{sign}{_decimal(nanos, size)}{unit}"
    minutes, rest = divmod(nanos, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{text}{_decimal(rest, 10**9)}s"


def _decimal(amount: int, unit: int) -> str:
    whole, rest = divmod(amount, unit)
    digits = str(rest).rjust(len(str(unit)) - 1, "0").rstrip("0") if rest else ""
    return f"{whole}.{digits}" if digits else str(whole)
