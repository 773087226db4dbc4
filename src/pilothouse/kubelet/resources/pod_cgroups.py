"""The cgroups of pods: `/ROOT/kubepods/[CLASS/]podUID`, made and limited before the pod's sandbox exists."""

from typing import Protocol

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.resources.linux import pod_limits
from pilothouse.kubelet.resources.qos import BEST_EFFORT, BURSTABLE, GUARANTEED, qos_class
from pilothouse.linux.cgroups import Cgroups, GroupLimits

_DIRECTORIES = {GUARANTEED: "", BURSTABLE: "/burstable", BEST_EFFORT: "/besteffort"}


class PodCgroups(Protocol):
    """Where pods are accounted and limited."""

    def parent(self, pod: Pod) -> str:
        """The path that the runtime gets."""
        ...

    def create(self, pod: Pod) -> None:
        """Have the pod's group with its limits."""
        ...

    def remove(self, pod: Pod) -> bool:
        """Take it away; False while something in it still lives."""
        ...

    def remove_strangers(self, uids: set[str]) -> None:
        """Take away groups of pods that are not among `uids`."""
        ...


class KernelPodCgroups:
    """`PodCgroups` on this machine. `root` is empty, or a group that all of this node lies in."""

    def __init__(self, cgroups: Cgroups, root: str, pids_limit: int = 0) -> None:
        self._cgroups = cgroups
        self._root = root.rstrip("/")
        self._pids_limit = pids_limit

    def parent(self, pod: Pod) -> str:
        """The path that the runtime gets."""
        return f"{self._root}/kubepods{_DIRECTORIES[qos_class(pod)]}/pod{pod.metadata.uid}"

    def create(self, pod: Pod) -> None:
        """Have the pod's group with its limits."""
        path = self.parent(pod)
        if self._cgroups.exists(path):
            return
        self._cgroups.create(path)
        limits = pod_limits(pod, self._pids_limit)
        self._cgroups.limit(
            path, GroupLimits(limits.cpu_shares, limits.cpu_quota, limits.cpu_period, limits.memory, limits.pids)
        )

    def remove(self, pod: Pod) -> bool:
        """Take it away."""
        return self._cgroups.remove(self.parent(pod))

    def remove_strangers(self, uids: set[str]) -> None:
        """Take away groups of pods that are not among `uids`."""
        for directory in _DIRECTORIES.values():
            parent = f"{self._root}/kubepods{directory}"
            for name in self._cgroups.children(parent):
                if name.startswith("pod") and name[3:] not in uids:
                    self._cgroups.remove(f"{parent}/{name}")
