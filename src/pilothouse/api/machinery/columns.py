"""Columns of the server-side table that many kinds share: ages, counts, containers, selectors.

A column is data (`Column`): a name and a function from the object and the time of asking to the cell. The functions
here build the ones that only read a field, and hold the texts that `kubectl get` shows for absence. A kind whose list
of columns names `Name` itself places it there; for all others Name comes first.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pilothouse.api.machinery.resource import Column
from pilothouse.api.machinery.selectors import from_label_selector
from pilothouse.api.machinery.view import JsonObject
from pilothouse.runtime.clock import Instant, parse_time

Cell = Callable[[JsonObject, Instant], Any]

NONE = "<none>"
UNSET = "<unset>"
UNKNOWN = "<unknown>"


def dig(obj: Any, *path: str) -> Any:
    """The value below `path`, None where a step is missing or null."""
    for step in path:
        if not isinstance(obj, dict):  # much cheaper than to ask for a Mapping, and asked for every write
            return None
        obj = obj.get(step)
    return obj


def show(*path: str, absent: Any = "") -> Cell:
    """Make a cell that shows the field at `path`, or `absent` where it is not set."""

    def cell(obj: JsonObject, _now: Instant) -> Any:
        value = dig(obj, *path)
        return absent if value is None else value

    return cell


def show_text(*path: str, absent: str) -> Cell:
    """Make a cell that shows a text, or `absent` where it is not set or empty."""
    return lambda obj, _now: dig(obj, *path) or absent


def count(*path: str) -> Cell:
    """Make a cell that counts the items of the list or map at `path`."""
    return lambda obj, _now: len(dig(obj, *path) or ())


def show_bool(*path: str) -> Cell:
    """Make a cell that shows a boolean as True, False or <unset>."""

    def cell(obj: JsonObject, _now: Instant) -> str:
        value = dig(obj, *path)
        return UNSET if value is None else str(bool(value))

    return cell


def field_text(*path: str, absent: str = "") -> Callable[[JsonObject], str]:
    """Make a selectable field: the text at `path`, booleans and numbers as JSON writes them."""

    def read(obj: JsonObject) -> str:
        value = dig(obj, *path)
        if isinstance(value, bool):
            return "true" if value else "false"
        return absent if value is None else str(value)

    return read


MARK = "\ufdd0"
"""Stands on both sides of a moment in a text whose age is left open. No character, by Unicode, so in no other text."""


class _Elapsed(float):
    """What passes between a moment and a time of asking that is not known."""

    moment: float


class _Later(float):
    """A time of asking that is not known. Ages are the only thing that a cell makes of the time."""

    def __sub__(self, moment: float, /) -> float:
        elapsed = _Elapsed()
        elapsed.moment = moment
        return elapsed


LATER: Instant = _Later()
"""Ask a cell with this, and for each age it has the moment between two marks; `human_duration` fills it in later."""


def human_duration(seconds: float) -> str:
    """A duration as kubectl writes it, with two units at most: `45s`, `3m12s`, `5h3m`, `2d4h`, `3y27d`.

    Source: apimachinery/pkg/util/duration/duration.go.
    """
    if isinstance(seconds, _Elapsed):
        return f"{MARK}{seconds.moment!r}{MARK}"
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    whole = max(whole, 0)
    minutes, hours = whole // 60, whole // 3600
    days = hours // 24
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return _two(minutes, "m", whole % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if hours < 24 * 8:
        return _two(days, "d", hours % 24, "h")
    if days < 2 * 365:
        return f"{days}d"
    if days < 8 * 365:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"


def since(moment: str | None, now: Instant) -> str:
    """How long ago an RFC 3339 moment was."""
    return human_duration(now - parse_time(moment)) if moment else UNKNOWN


def age(obj: JsonObject, now: Instant) -> str:
    """How long ago the object was created."""
    return since(dig(obj, "metadata", "creationTimestamp"), now)


AGE = Column("Age", age)


def containers(*path: str) -> tuple[Column, Column]:
    """Make the wide columns Containers and Images of the pod spec at `path`."""

    def joined(key: str) -> Cell:
        return lambda obj, _now: ",".join(c.get(key) or "" for c in dig(obj, *path, "containers") or ())

    return Column("Containers", joined("name"), priority=1), Column("Images", joined("image"), priority=1)


def labels_text(labels: Mapping[str, str] | None) -> str:
    """Labels as `a=b,c=d`, or <none>."""
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or NONE


def show_labels(*path: str) -> Cell:
    """Make a cell that shows the map of labels at `path`."""
    return lambda obj, _now: labels_text(dig(obj, *path))


def selector_text(selector: Mapping[str, Any] | None) -> str:
    """A metav1.LabelSelector in the syntax of `?labelSelector=`; empty for none and for everything."""
    try:
        return str(from_label_selector(selector))
    except ValueError:
        return "<error>"


def show_selector(*path: str, absent: str = NONE) -> Cell:
    """Make a cell that shows the metav1.LabelSelector at `path`."""
    return lambda obj, _now: selector_text(dig(obj, *path)) or absent


def some(items: Sequence[str], limit: int, absent: str, total: int | None = None) -> str:
    """The first items, and how many more there are: `a,b,c + 2 more...`."""
    more = (len(items) if total is None else total) - limit
    text = ",".join(items[:limit])
    if len(items) > limit:
        return f"{text} + {more} more..."
    return text or absent


def access_modes(modes: Iterable[str] | None) -> str:
    """Access modes of volumes in their short forms, in a fixed order: `RWO,RWX`."""
    given = set(modes or ())
    return ",".join(short for mode, short in _ACCESS_MODES.items() if mode in given)


_ACCESS_MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}
