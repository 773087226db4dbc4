"""Who asks the kubelet for something, and decisions about callers that are remembered for a while."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pilothouse.runtime.clock import Clock

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
_MOST = 4096
"""Decisions kept; beyond it those go that were not asked for the longest."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A user as the API server knows them."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()


class Remembered(Generic[K, T]):
    """Decisions by question, each for its own time."""

    def __init__(self, clock: Clock, most: int = _MOST) -> None:
        self._clock = clock
        self._most = most
        self._kept: OrderedDict[K, tuple[float, T]] = OrderedDict()

    def get(self, question: K) -> T | None:
        """The decision, if there is one that still counts."""
        found = self._kept.get(question)
        if found is None:
            return None
        if found[0] <= self._clock.monotonic():
            del self._kept[question]
            return None
        self._kept.move_to_end(question)
        return found[1]

    def put(self, question: K, decision: T, seconds: float) -> None:
        """Remember for `seconds`."""
        self._kept[question] = (self._clock.monotonic() + seconds, decision)
        self._kept.move_to_end(question)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
