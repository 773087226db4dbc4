"""Has the kernel call when memory passes a threshold, between two looks.

The kernel counts all that a group uses, a threshold only what cannot be taken back: how much that differs is known from
each look, after which the kernel is told anew. Source: pkg/kubelet/eviction/memory_threshold_notifier.go.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from pilothouse.kubelet.eviction.signals import MEMORY, PODS_MEMORY, Levels, MemoryLevel
from pilothouse.kubelet.eviction.thresholds import Threshold
from pilothouse.linux.memory_notice import MemoryNotice
from pilothouse.runtime.log import Log

log = Log(__name__)


def use_at(threshold: Threshold, level: MemoryLevel) -> int:
    """How much is used in all when the threshold is met."""
    reclaimable = level.usage - level.working_set
    return level.capacity - threshold.limit(level.capacity).value() + reclaimable


@dataclass(slots=True)
class Notices:
    """Of all thresholds of memory. A context manager."""

    thresholds: Iterable[Threshold]
    whole: Path
    """The root of the memory hierarchy."""
    pods: Path
    """The group of all pods in it."""
    alarm: Callable[[], None]
    _open: list[MemoryNotice] = field(default_factory=list)

    def renew(self, levels: Levels) -> None:
        """What was seen at a look."""
        self.close()
        places = {MEMORY: (self.whole, levels.memory), PODS_MEMORY: (self.pods, levels.pods_memory)}
        for threshold in self.thresholds:
            place, level = places.get(threshold.signal, (self.whole, None))
            if level is None:
                continue
            try:
                self._open.append(MemoryNotice(place, use_at(threshold, level), self.alarm))
            except OSError as error:
                log.warning("Eviction manager: failed to update notifier", of=threshold.signal, err=str(error))

    def close(self) -> None:
        """Hear no more."""
        for notice in self._open:
            notice.close()
        self._open.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
