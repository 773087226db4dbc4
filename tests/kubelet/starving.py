"""A node that has too little, and pods that use too much: what tests of evictions are told with."""

from collections.abc import Mapping
from typing import Any

from kubelet.harness import pod as manifest
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.disk_usage import FilesystemUse
from pilothouse.kubelet.eviction.signals import Levels, MemoryLevel
from pilothouse.kubelet.machine import Disk, Processes
from pilothouse.kubelet.stats import GroupUse, PodUse
from pilothouse.linux.cgroup_usage import Usage

MI = 1 << 20
GI = 1 << 30
DISK = Disk(100 * GI, 60 * GI, 1000, 900)


def levels(
    memory: int = GI, disk: Disk = DISK, images: Disk = DISK, pids: int = 5, pods_memory: int | None = None
) -> Levels:  # fmt: skip
    """What is left: of memory so many bytes, of processes so many of 10."""
    return Levels(
        memory=MemoryLevel(4 * GI, 4 * GI - memory, 4 * GI),
        pods_memory=None if pods_memory is None else MemoryLevel(3 * GI, 3 * GI - pods_memory, 3 * GI),
        disk=disk, images=images, processes=Processes(10, 10 - pids),
    )  # fmt: skip


def full(share: float = 0.01, inodes: float = 0.9) -> Disk:
    """A disk of which a share is left."""
    return Disk(100 * GI, int(share * 100 * GI), 1000, int(inodes * 1000))


def asking(name: str, requests: Mapping[str, str] | None = None, priority: int | None = None, **spec: Any) -> Pod:
    """A pod of one container."""
    resources = {"requests": dict(requests or {}), "limits": spec.pop("limits", {})}
    spec.setdefault("containers", [{"name": "app", "image": "app:1", "resources": resources}])
    return Pod(manifest(name, **spec, **({} if priority is None else {"priority": priority})))


def share(used: int, inodes: int = 0) -> FilesystemUse:
    """Of a disk."""
    return FilesystemUse(used, inodes, 100 * GI, 60 * GI, 1000, 900, 0.0)


def _usage(memory: int, pids: int = 1) -> Usage:
    return Usage(0, memory + 7, memory, memory, 0, 0, pids, 0)


def used(pod: Pod, memory: int = 0, pids: int = 1, **disks: Any) -> PodUse:
    """What a pod uses, all of it in its container `app`. `disks` are fields of `PodUse`."""
    whole = GroupUse(path="/p", at=0.0, usage=_usage(memory, pids))
    meta = pod.metadata
    return PodUse(
        uid=meta.uid, name=meta.name, namespace=meta.namespace, pod=pod, containers={"app": _usage(memory)},
        whole=whole, **disks,
    )  # fmt: skip
