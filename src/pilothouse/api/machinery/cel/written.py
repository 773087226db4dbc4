"""Values as text, the way Go writes them: `string(1e6)` is `1e+06`, a duration is seconds, a timestamp RFC 3339.

Sources: strconv.FormatFloat and time.Format of Go's documentation; common/types of google/cel-go for which form is
used.
"""

import math
from datetime import UTC, datetime, timedelta

from pilothouse.api.machinery.cel.values import Duration, Timestamp

_SECOND = 10**9
_EXPONENT_FROM = 6


def double(value: float) -> str:
    """The shortest digits, with an exponent below 10^-4 and from 10^6 on."""
    special = _special(value)
    if special is not None:
        return special
    digits, exponent, sign = _shortest(value)
    if -4 <= exponent < _EXPONENT_FROM:
        return sign + _plain(digits, exponent)
    mantissa = digits[0] + (f".{digits[1:]}" if len(digits) > 1 else "")
    return f"{sign}{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def plain_double(value: float) -> str:
    """The shortest digits without an exponent."""
    special = _special(value)
    if special is not None:
        return special
    digits, exponent, sign = _shortest(value)
    return sign + _plain(digits, exponent)


def _special(value: float) -> str | None:
    if math.isnan(value):
        return "NaN"
    return None if math.isfinite(value) else ("+Inf" if value > 0 else "-Inf")


def _shortest(value: float) -> tuple[str, int, str]:
    """Digits without trailing zeros, the exponent of the first, and the sign."""
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    text = repr(abs(value))
    mantissa, _, power = text.partition("e")
    whole, _, rest = mantissa.partition(".")
    exponent = int(power or 0) + len(whole) - 1
    digits = whole + rest
    stripped = digits.lstrip("0")
    exponent -= len(digits) - len(stripped)
    return (stripped.rstrip("0") or "0"), (exponent if stripped else 0), sign


def _plain(digits: str, exponent: int) -> str:
    if exponent < 0:
        return f"0.{'0' * (-exponent - 1)}{digits}"
    if exponent + 1 >= len(digits):
        return digits.ljust(exponent + 1, "0")
    return f"{digits[: exponent + 1]}.{digits[exponent + 1 :]}"


def duration(value: Duration) -> str:
    """Seconds: `3600s`, `1.5s`."""
    return f"{plain_double(value.nanos / _SECOND)}s"


def timestamp(value: Timestamp) -> str:
    """RFC 3339 in UTC, with as many decimals as there are."""
    seconds, nanos = divmod(value.nanos, _SECOND)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
    return f"{moment.strftime('%Y').zfill(4)}{moment.strftime('-%m-%dT%H:%M:%S')}{fraction}Z"
