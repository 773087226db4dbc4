"""Which pod goes first when a node runs out of something: pure.

First those that use more than they asked for, then those that matter least, then those that use most of what they did
not ask for. Of a pod of which nothing is known the worst is assumed.
"""

from collections.abc import Callable, Mapping, Sequence

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.disk_usage import FilesystemUse
from pilothouse.kubelet.eviction.signals import (
    IMAGE_DISK,
    IMAGE_INODES,
    MEMORY,
    NODE_DISK,
    NODE_INODES,
    PODS_MEMORY,
    PROCESSES,
)
from pilothouse.kubelet.resources.needs import pod_needs
from pilothouse.kubelet.stats import PodUse
from pilothouse.kubelet.summary import local_volumes

Uses = Mapping[str, PodUse]
"""By uid."""
_Order = tuple[float, ...]
_Place = Callable[[Pod, PodUse | None], _Order]
_DISK = "ephemeral-storage"


def rank(signal: str, pods: Sequence[Pod], uses: Uses, *, images_apart: bool) -> list[Pod]:
    """The first to go first. `images_apart`: images and what containers write lie on a disk of their own."""
    place = _placing(signal, images_apart=images_apart)
    return sorted(pods, key=lambda pod: place(pod, uses.get(pod.metadata.uid)))


def _placing(signal: str, *, images_apart: bool) -> _Place:
    if signal in (MEMORY, PODS_MEMORY):
        return _by_memory
    if signal == PROCESSES:
        return _by_processes
    written = not images_apart or signal in (IMAGE_DISK, IMAGE_INODES)
    kept = not images_apart or signal in (NODE_DISK, NODE_INODES)
    inodes = signal in (NODE_INODES, IMAGE_INODES)

    def by_disk(pod: Pod, use: PodUse | None) -> _Order:
        if use is None:
            return 0, 0, _priority(pod), 0
        shares = [*(use.writable.values() if written else ()), *(kept_shares(use) if kept else ())]
        used = sum(one.inodes_used if inodes else one.used for one in shares)
        asked = pod_needs(pod).get(_DISK, 0)
        # Nobody asks for inodes. Upstream subtracts the bytes all the same.
        return 1, used <= (0 if inodes else asked), _priority(pod), asked - used

    return by_disk


def kept_shares(use: PodUse) -> list[FilesystemUse]:
    """What a pod has on the node's own disk beside what its containers wrote: logs, and volumes."""
    return [*use.logs.values(), *local_volumes(use)]


def _by_memory(pod: Pod, use: PodUse | None) -> _Order:
    if use is None:
        return 0, 0, _priority(pod), 0
    used, asked = memory(use), pod_needs(pod).get("memory", 0)
    return 1, used <= asked, _priority(pod), asked - used


def _by_processes(pod: Pod, use: PodUse | None) -> _Order:
    """Nobody asks for processes: priority alone protects."""
    count = use.whole.usage.pids if use is not None and use.whole is not None else 0
    return _priority(pod), use is not None, -count


def memory(use: PodUse) -> int:
    """What a pod uses that the kernel could not easily take back."""
    return use.whole.usage.working_set if use.whole is not None else 0


def _priority(pod: Pod) -> int:
    return pod.spec.priority or 0
