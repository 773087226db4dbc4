"""Parts of moments and durations: `timestamp(...).getHours('Europe/Berlin')`, `duration('1h').getMinutes()`.

Without a zone a moment is read in UTC. Source: google/cel-spec (doc/langdef.md, "Timestamp and Duration").
"""

from collections.abc import Callable

from pilothouse.api.machinery.cel.declarations import library
from pilothouse.api.machinery.cel.times import SECOND, local
from pilothouse.api.machinery.cel.values import Duration, Timestamp

_MILLI = 10**6
_HOUR, _MINUTE = 3600 * SECOND, 60 * SECOND

_PARTS: dict[str, tuple[str, Callable[[Timestamp, str], int]]] = {
    "getFullYear": ("year", lambda moment, zone: local(moment, zone).year),
    "getMonth": ("month", lambda moment, zone: local(moment, zone).month - 1),
    "getDayOfYear": ("day_of_year", lambda moment, zone: local(moment, zone).timetuple().tm_yday - 1),
    "getDayOfMonth": ("day_of_month", lambda moment, zone: local(moment, zone).day - 1),
    "getDate": ("day_of_month_1_based", lambda moment, zone: local(moment, zone).day),
    "getDayOfWeek": ("day_of_week", lambda moment, zone: local(moment, zone).isoweekday() % 7),
    "getHours": ("hours", lambda moment, zone: local(moment, zone).hour),
    "getMinutes": ("minutes", lambda moment, zone: local(moment, zone).minute),
    "getSeconds": ("seconds", lambda moment, zone: local(moment, zone).second),
    "getMilliseconds": ("milliseconds", lambda moment, _zone: moment.nanos % SECOND // _MILLI),
}
_UNITS = {"getHours": _HOUR, "getMinutes": _MINUTE, "getSeconds": SECOND, "getMilliseconds": _MILLI}


def _part(name: str) -> Callable[..., int]:
    of_moment = _PARTS[name][1]

    def run(value: Timestamp | Duration, zone: str = "UTC") -> int:
        if isinstance(value, Timestamp):
            return of_moment(value, zone)
        count = abs(value.nanos) // _UNITS[name]
        return count if value.nanos >= 0 else -count

    return run


_TABLE = "\n".join(
    (
        *(f"{name} timestamp_to_{word} timestamp.() int" for name, (word, _) in _PARTS.items()),
        *(f"{name} timestamp_to_{word}_with_tz timestamp.(string) int" for name, (word, _) in _PARTS.items()),
        *(f"{name} duration_to_{_PARTS[name][0]} duration.() int" for name in _UNITS),
    )
)
MOMENTS = library(_TABLE, {name: _part(name) for name in _PARTS})
