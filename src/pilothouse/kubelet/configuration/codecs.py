"""How a field is written on the wire and how our configuration holds it, both ways."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pilothouse.api.machinery.quantity import QuantityFormat, of_units, parse_quantity
from pilothouse.kubelet.images.policy import Verify
from pilothouse.kubelet.managers.memory_policy import NodeReservation
from pilothouse.kubelet.shutdown.policy import Period
from pilothouse.runtime.durations import go_duration, parse_duration


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Codec:
    """From the wire and back."""

    read: Callable[[Any], Any] = _same
    write: Callable[[Any], Any] = _same


def _durations(texts: dict[str, str]) -> dict[str, float]:
    return {name: parse_duration(text) for name, text in texts.items()}


def _go_durations(found: dict[str, float]) -> dict[str, str]:
    return {name: go_duration(seconds) for name, seconds in found.items()}


def _size(text: str) -> int:
    return parse_quantity(text).nano // 10**9


def _reservations(found: list[Any]) -> tuple[NodeReservation, ...]:
    return tuple(NodeReservation(one.get("numaNode") or 0, one.get("limits") or {}) for one in found)


def _reserved(found: tuple[NodeReservation, ...]) -> list[Any]:
    return [{"numaNode": one.node, "limits": dict(one.limits)} for one in found]


def _periods(found: list[Any]) -> tuple[Period, ...]:
    return tuple(Period(one.get("priority") or 0, one.get("shutdownGracePeriodSeconds") or 0) for one in found)


def _priorities(found: tuple[Period, ...]) -> list[Any]:
    return [{"priority": one.priority, "shutdownGracePeriodSeconds": one.seconds} for one in found]


def _no_file(path: Path) -> str:
    return "" if str(path) == os.devnull else str(path)


PLAIN = Codec()
SECONDS = Codec(parse_duration, go_duration)
SECONDS_BY_NAME = Codec(_durations, _go_durations)
LIST = Codec(tuple, list)
MAP = Codec(dict, dict)
LISTS_BY_NAME = Codec(dict, lambda found: {name: list(values) for name, values in found.items()})
SIZE = Codec(_size, lambda size: str(of_units(size, QuantityFormat.BINARY)))
PATH = Codec(Path, str)
OPTIONAL_PATH = Codec(lambda text: Path(text) if text else None, lambda path: str(path or ""))
RESOLVER = Codec(lambda text: Path(text or os.devnull), _no_file)
"""No file at all means that pods ask nobody."""
PROCESSES = Codec(lambda limit: max(limit, 0), lambda limit: limit or -1)
"""No limit is -1 there, and 0 here."""
VERIFY = Codec(Verify, lambda verify: verify.value)
RESERVED_MEMORY = Codec(_reservations, _reserved)
PERIODS = Codec(_periods, _priorities)
