"""How much time pods have when the machine is shut down."""

from dataclasses import dataclass
from functools import cached_property

from pilothouse.kubelet.critical import SYSTEM_CRITICAL
from pilothouse.runtime.durations import go_duration


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Of the pods with this priority, and with those above it up to the next period's."""

    priority: int
    seconds: int


@dataclass(frozen=True, kw_only=True)
class ShutdownPolicy:
    """Upstream: shutdownGracePeriod, shutdownGracePeriodCriticalPods and shutdownGracePeriodByPodPriority of
    KubeletConfiguration. Without any of them, nothing holds up a shutdown.
    """

    grace_period: float = 0.0
    """Seconds by which the shutdown is held up for all pods."""
    critical_pods: float = 0.0
    """How many of them are for critical pods alone."""
    by_priority: tuple[Period, ...] = ()
    """Instead of these two."""

    def __post_init__(self) -> None:
        for name, seconds in (("", self.grace_period), ("CriticalPods", self.critical_pods)):
            if seconds < 0 or 0 < seconds < 1:
                told = f"shutdownGracePeriod{name} {_shown(seconds)} must be either zero or otherwise >= 1 sec"
                raise ValueError(f"invalid configuration: {told}")
        if self.critical_pods > self.grace_period:
            told = f"{_shown(self.critical_pods)} must be <= shutdownGracePeriod {_shown(self.grace_period)}"
            raise ValueError(f"invalid configuration: shutdownGracePeriodCriticalPods {told}")
        if self.by_priority and self.grace_period:
            told = "Cannot specify both shutdownGracePeriodByPodPriority and shutdownGracePeriod at the same time"
            raise ValueError(f"invalid configuration: {told}")

    @cached_property
    def periods(self) -> tuple[Period, ...]:
        """In their turn, the lowest priority first."""
        if self.by_priority or not self.grace_period:
            return tuple(sorted(self.by_priority))
        others = int(self.grace_period - self.critical_pods)
        return Period(0, others), Period(SYSTEM_CRITICAL, int(self.critical_pods))

    @property
    def requested(self) -> float:
        """Seconds that all of them take."""
        return float(sum(period.seconds for period in self.periods))


def _shown(seconds: float) -> str:
    """As upstream's messages have it."""
    return f"{{{go_duration(seconds)}}}"
