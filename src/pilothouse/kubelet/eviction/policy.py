"""When a node begins to end pods, and how."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pilothouse.api.machinery.quantity import ZERO, Quantity
from pilothouse.kubelet.eviction.signals import CONTAINER_DISK, CONTAINER_INODES
from pilothouse.kubelet.eviction.thresholds import Threshold, of_pods, parse
from pilothouse.kubelet.reservations import PODS, Reservations

DEFAULT_HARD: Mapping[str, str] = MappingProxyType({
    "memory.available": "100Mi",
    "nodefs.available": "10%",
    "nodefs.inodesFree": "5%",
    "imagefs.available": "15%",
    "imagefs.inodesFree": "5%",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class EvictionPolicy:
    """Upstream: evictionHard, evictionSoft, evictionSoftGracePeriod, evictionMinimumReclaim, evictionMaxPodGracePeriod,
    evictionPressureTransitionPeriod, mergeDefaultEvictionSettings, kernelMemcgNotification and
    localStorageCapacityIsolation of KubeletConfiguration.
    """

    hard: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_HARD))
    """By signal, what must be left at all times: an amount or a percentage. Those that are not named are not watched.

    The file system that containers write to is that of images or of pods: what is said of `containerfs` is not heeded.
    """
    soft: Mapping[str, str] = field(default_factory=dict)
    """The same of what may be missing for a while."""
    soft_grace: Mapping[str, float] = field(default_factory=dict)
    """For how many seconds; each soft one must have it."""
    minimum_reclaim: Mapping[str, str] = field(default_factory=dict)
    """How much more than what must be left is made free, once something is done."""
    max_pod_grace: int = 0
    """Seconds that a pod has at most to end where a soft one is met; below 0: as many as it asks for."""
    transition: float = 300.0
    """Seconds for which the node says that it is under pressure after it was last seen to be."""
    merge_defaults: bool = False
    """Whether what `hard` does not name is as it is by default."""
    kernel_notification: bool = False
    """Whether the kernel is to call when memory runs out, beside what is looked at every ten seconds."""
    local_storage: bool = True
    """Whether pods end that write more than they may."""

    def __post_init__(self) -> None:
        self.thresholds()

    def thresholds(self, reservations: Reservations | None = None) -> list[Threshold]:
        """Those to watch. All pods together are limited where room that is kept for others is enforced.

        Raises ValueError with upstream's words.
        """
        hard = {**DEFAULT_HARD, **self.hard} if self.merge_defaults else self.hard
        found = parse(hard, self.soft, self.soft_grace, self.minimum_reclaim)
        found = [one for one in found if one.signal not in (CONTAINER_DISK, CONTAINER_INODES)]
        return [*found, *(of_pods(found) if reservations is not None and PODS in reservations.enforce else ())]

    def kept(self, signal: str, capacity: int) -> Quantity:
        """What no pod may have of so much, because the node would end pods for it."""
        limits = (one.limit(capacity) for one in self.thresholds() if one.hard and one.signal == signal)
        return next(limits, ZERO)
