"""Pods that write more than they may: pure. Each limit that is exceeded ends the pod, pressure or not.

Limits are those of emptyDir volumes, of all containers together, and of each. API page: "Local ephemeral storage".
"""

from dataclasses import dataclass

from pilothouse.api.core.pod.needs import stated_amounts
from pilothouse.api.machinery.quantity import Quantity, parse_quantity
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.eviction.ranking import kept_shares
from pilothouse.kubelet.stats import PodUse

_DISK = "ephemeral-storage"


@dataclass(frozen=True, slots=True)
class Excess:
    """Of which kind, as metrics call it, and what is told."""

    signal: str
    message: str


def is_limited(pod: Pod) -> bool:
    """Whether there is any limit to look at."""
    return any(volume.emptyDir.sizeLimit for volume in pod.spec.volumes) or _pod_limit(pod) is not None


def excess(pod: Pod, use: PodUse, *, images_apart: bool) -> Excess | None:
    """The first limit that the pod exceeds. What containers write on the images' disk counts for the pod alone."""
    for volume in pod.spec.volumes:
        text, found = volume.emptyDir.sizeLimit, use.volumes.get(volume.name)
        limit = parse_quantity(text) if text else None
        if limit is not None and found is not None and found.used > limit.value() > 0:
            told = f'Usage of EmptyDir volume "{volume.name}" exceeds the limit "{limit}". '
            return Excess("emptydirfs.limit", told)
    whole, used = _pod_limit(pod), sum(one.used for one in (*use.writable.values(), *kept_shares(use)))
    if whole is not None and used > whole.value():
        told = f"Pod ephemeral local storage usage exceeds the total limit of containers {whole}. "
        return Excess("ephemeralpodfs.limit", told)
    for container in pod.spec.containers:
        text = container.resources.limits.get(_DISK, "")
        limit = parse_quantity(text) if text else None
        parts = [use.logs.get(container.name), None if images_apart else use.writable.get(container.name)]
        if limit is not None and sum(one.used for one in parts if one is not None) > limit.value() > 0:
            told = f'Container {container.name} exceeded its local ephemeral storage limit "{limit}". '
            return Excess("ephemeralcontainerfs.limit", told)
    return None


def _pod_limit(pod: Pod) -> Quantity | None:
    return stated_amounts(dict(pod.raw.get("spec") or {}), "limits").get(_DISK)
