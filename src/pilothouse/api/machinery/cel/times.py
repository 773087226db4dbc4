"""Durations and timestamps: how they are read, their ranges, and the parts of a moment.

A duration fits 64 bits of nanoseconds and is written as Go writes it (`1h30m`, `-1.5s`); a timestamp is RFC 3339 and
lies between the years 1 and 9999. Sources: time.ParseDuration of Go's documentation, common/types/timestamp.go of
google/cel-go.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pilothouse.api.machinery.cel.errors import EvaluationError
from pilothouse.api.machinery.cel.values import Duration, Timestamp

SECOND = 10**9
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = 1000
_FIRST, _LAST = -62135596800, 253402300799
_UNITS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3600 * SECOND,
}
_PART = re.compile(r"(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)")
_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
_OFFSET = re.compile(r"([+-]?)(\d\d):(\d\d)", re.ASCII)


def parse_duration(text: str) -> Duration | None:
    """The duration, None for what is none."""
    sign = -1 if text.startswith("-") else 1
    rest = text[1:] if text[:1] in ("-", "+") else text
    if len(rest) > _LONGEST:
        return None
    if rest == "0":
        return Duration(0)
    total, at = 0, 0
    while at < len(rest):
        part = _PART.match(rest, at)
        if part is None or not (part[1] or part[2]):
            return None
        unit = _UNITS[part[3]]
        total += int(part[1] or 0) * unit
        if part[2]:
            total += int(part[2][:18]) * unit // 10 ** min(len(part[2]), 18)
        at = part.end()
    if not rest or total > 2**63 - (1 if sign > 0 else 0):
        return None
    return Duration(sign * total)


def parse_timestamp(text: str) -> Timestamp | None:
    """The moment, None for what is none."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(match[part]) for part in range(1, 7))
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    seconds = int((moment - _EPOCH).total_seconds())
    if match[8]:
        if int(match[9]) > 24 or int(match[10]) > 60:
            return None
        seconds -= int(f"{match[8]}1") * (int(match[9]) * 3600 + int(match[10]) * 60)
    nanos = int((match[7] or "0")[:9].ljust(9, "0"))
    return Timestamp(seconds * SECOND + nanos) if _FIRST <= seconds <= _LAST else None


def timestamp_of(nanos: int) -> Timestamp:
    """The moment; outside its range that is an error."""
    if not _FIRST <= nanos // SECOND <= _LAST:
        raise EvaluationError("timestamp overflow")
    return Timestamp(nanos)


def duration_of(nanos: int) -> Duration:
    """The duration; outside its range that is an error."""
    if not -(2**63) <= nanos < 2**63:
        raise EvaluationError("duration overflow")
    return Duration(nanos)


def local(moment: Timestamp, zone: str) -> datetime:
    """The moment as a calendar and clock in that zone show it: a name of the tz database, or `+hh:mm`."""
    return _at(moment, _zone(zone))


def _at(moment: Timestamp, zone: tzinfo) -> datetime:
    try:
        return (_EPOCH + timedelta(seconds=moment.nanos // SECOND)).astimezone(zone)
    except OverflowError as error:
        raise EvaluationError("timestamp overflow") from error


def _zone(name: str) -> tzinfo:
    if name in ("", "UTC"):
        return UTC
    offset = _OFFSET.fullmatch(name)
    if offset is not None:
        seconds = (int(offset[2]) * 60 + int(offset[3])) * 60
        return timezone(timedelta(seconds=-seconds if offset[1] == "-" else seconds))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise EvaluationError(f"unknown time zone {name}") from error
