"""The cgroups of pods: `/ROOT/kubepods/[CLASS/]podUID`, made and limited before the pod's sandbox exists.

Guaranteed pods stand beside the groups of the two other classes, so these must weigh what is in them: the burstable
ones as much CPU as they asked for together, the best-effort ones as good as nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.resources.linux import pod_limits, requested_cpu, shares
from pilothouse.kubelet.resources.qos import BEST_EFFORT, BURSTABLE, GUARANTEED, qos_class
from pilothouse.linux import cgroup_limits, cgroup_usage
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

    def resize(self, pod: Pod, *, grow: bool) -> None:
        """Change the limits of the pod's group: those that become wider, or those that become narrower too."""
        ...

    def excess(self, pod: Pod) -> tuple[int, int] | None:
        """The limit of memory that the pod would get and what it uses, if it is to have less than it uses now."""
        ...

    def remove(self, pod: Pod) -> bool:
        """Take it away; False while something in it still lives."""
        ...

    def weigh(self, pods: Iterable[Pod]) -> None:
        """Have the classes weigh what is in them, of `pods`, which are all that have their place."""
        ...

    def remove_strangers(self, uids: set[str]) -> None:
        """Take away groups of pods that are not among `uids`, and the processes in them."""
        ...


class KernelPodCgroups:
    """`PodCgroups` on this machine. `root` is empty, or a group that all of this node lies in."""

    def __init__(self, cgroups: Cgroups, root: str, pids_limit: int = 0, page_sizes: Sequence[int] = ()) -> None:
        self._cgroups = cgroups
        # With a slash before it, or the runtime would look for it below its own group.
        self._root = f"/{root.strip('/')}".rstrip("/")
        self._pids_limit = pids_limit
        self._page_sizes = page_sizes
        self.unthrottled: Callable[[str], bool] = lambda _uid: False
        """By a pod's uid, whether a container of it has all the time of processors of its own."""
        self._burstable: dict[str, int] = {}
        """CPU asked for, by uid."""
        self._light = False
        """The best-effort ones weigh as little as they should, however many they are."""

    def parent(self, pod: Pod) -> str:
        """The path that the runtime gets."""
        return f"{self._root}/kubepods{_DIRECTORIES[qos_class(pod)]}/pod{pod.metadata.uid}"

    def create(self, pod: Pod) -> None:
        """Have the pod's group with its limits."""
        path = self.parent(pod)
        # A group with nothing in it is perhaps one that an earlier kubelet had no time to limit.
        if not self._cgroups.children(path):
            self._cgroups.create(path)
            self._cgroups.limit(path, self._limits(pod))
        if qos_class(pod) == BEST_EFFORT and not self._light:
            self._light = True
            self._weigh_class(BEST_EFFORT, 0)
        self._weigh(pod, present=True)

    def _limits(self, pod: Pod) -> GroupLimits:
        asked = pod_limits(pod, self._pids_limit, self._page_sizes)
        quota = 0 if self.unthrottled(pod.metadata.uid) else asked.cpu_quota
        return GroupLimits(asked.cpu_shares, quota, asked.cpu_period, asked.memory, asked.pids, asked.hugepages)

    def resize(self, pod: Pod, *, grow: bool) -> None:
        """Change the limits of the pod's group."""
        path = self.parent(pod)
        present, wanted = cgroup_limits.limits(self._cgroups, path), self._limits(pod)
        if present is None:
            return
        if grow:
            quota, memory = _wider(present.cpu_quota, wanted.cpu_quota), _wider(present.memory, wanted.memory)
            wanted = replace(wanted, cpu_quota=quota, memory=memory)
        self._cgroups.limit(path, wanted)
        self._weigh(pod, present=True)

    def excess(self, pod: Pod) -> tuple[int, int] | None:
        """Whether the pod would get less memory than it uses."""
        path, limit = self.parent(pod), self._limits(pod).memory
        present = cgroup_limits.limits(self._cgroups, path)
        if not limit or present is None or _wider(present.memory, limit) == limit:
            return None
        used = cgroup_usage.usage(self._cgroups, path)
        return (limit, used.memory) if used is not None and used.memory >= limit else None

    def remove(self, pod: Pod) -> bool:
        """Take it away."""
        self._weigh(pod, present=False)
        return self._cgroups.remove(self.parent(pod))

    def weigh(self, pods: Iterable[Pod]) -> None:
        """Have the classes weigh what is in them: pods that an earlier kubelet made, and what has been resized."""
        found = {pod.metadata.uid: requested_cpu(pod) for pod in pods if qos_class(pod) == BURSTABLE}
        here = self._cgroups.children(f"{self._root}/kubepods{_DIRECTORIES[BURSTABLE]}")
        self._burstable = {uid: cpu for uid, cpu in found.items() if f"pod{uid}" in here}
        self._weigh_class(BURSTABLE, sum(self._burstable.values()))
        self._weigh_class(BEST_EFFORT, 0)

    def _weigh(self, pod: Pod, *, present: bool) -> None:
        """Have the burstable ones weigh what they ask for now."""
        uid, kind = pod.metadata.uid, qos_class(pod)
        cpu = requested_cpu(pod) if present and kind == BURSTABLE else None
        if self._burstable.get(uid) == cpu:
            return
        if cpu is None:
            del self._burstable[uid]
        else:
            self._burstable[uid] = cpu
        self._weigh_class(BURSTABLE, sum(self._burstable.values()))

    def _weigh_class(self, kind: str, milli_cpu: int) -> None:
        group = f"{self._root}/kubepods{_DIRECTORIES[kind]}"
        if self._cgroups.exists(group):
            self._cgroups.limit(group, GroupLimits(shares(milli_cpu)))

    def remove_strangers(self, uids: set[str]) -> None:
        """Take away groups of pods that are not among `uids`."""
        for directory in _DIRECTORIES.values():
            parent = f"{self._root}/kubepods{directory}"
            for name in self._cgroups.children(parent):
                group = f"{parent}/{name}"
                if name.startswith("pod") and name[3:] not in uids and not self._cgroups.remove(group):
                    # The runtime knows nothing of what lives there; the group goes when it has ended.
                    self._cgroups.kill(group)


def _wider(one: int | None, other: int | None) -> int:
    """The limit that allows more; 0 is none at all."""
    return max(one, other) if one and other else 0
