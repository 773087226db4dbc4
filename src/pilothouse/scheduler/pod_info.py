"""PodInfo: what the scheduler needs of a pod, read from its view once.

Amounts are whole numbers: thousandths of a CPU, bytes, pieces. A pod that asks for nothing would look free of charge to
a score, so `non_zero` counts 100m and 200 MB for each container that states no request. Source: the scheduler's
NodeInfo in pkg/scheduler/framework, KEP-753 (sidecars), KEP-1287 (resize in place), KEP-2837 (pod-level resources).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from pilothouse.api.core.pod.needs import will_not_grow, with_actual
from pilothouse.api.core.pod.resources import Amounts, amounts, container_sum, is_pod_level, is_sidecar
from pilothouse.api.machinery.quantity import Quantity
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod
from pilothouse.client.key import Key
from pilothouse.scheduler.taints import Toleration

CPU, MEMORY, STORAGE, PODS = "cpu", "memory", "ephemeral-storage", "pods"
ANY_ADDRESS = "0.0.0.0"
ASSUMED_REQUESTS = {CPU: "100m", MEMORY: "200Mi"}
"""What a container counts for in scores when it states no request."""

Units = dict[str, int]
"""Amounts by resource, in whole numbers."""


class HostPort(NamedTuple):
    """A port of the node itself that a pod occupies."""

    ip: str
    protocol: str
    port: int


@dataclass(slots=True)
class PodInfo:
    """A pod, as the scheduler computes with it."""

    pod: Pod
    key: Key
    uid: str
    priority: int
    requests: Units
    """What it needs, without zeros; always one of `pods`."""
    non_zero: Units
    """CPU and memory as scores count them."""
    ports: tuple[HostPort, ...]
    tolerations: tuple[Toleration, ...]
    images: tuple[str, ...]
    """What its containers and volumes are made from."""
    node_name: str = ""
    """The node it is on, or assumed to be on."""
    nominated: str = ""
    """The node on which there is, or will be, room for it."""
    remembered: dict[str, object] = field(default_factory=dict)
    """What plugins have computed from the pod alone, by plugin name."""

    @classmethod
    def of(cls, pod: Pod) -> "PodInfo":
        """Read a pod."""
        raw = pod.raw
        meta: JsonObject = raw.get("metadata") or {}
        spec: JsonObject = raw.get("spec") or {}
        requests, non_zero = pod_requests(raw)
        return cls(
            pod, Key(meta.get("namespace") or "", meta.get("name") or ""), meta.get("uid") or "",
            spec.get("priority") or 0, requests, non_zero, _ports(spec), _tolerations(spec), _images(spec),
            spec.get("nodeName") or "", (raw.get("status") or {}).get("nominatedNodeName") or "",
        )  # fmt: skip

    def take_over(self, pod: Pod) -> bool:
        """Whether a newer state of the pod needs the same, so that it can simply take the place of the older."""
        if needs_changed(self.pod, pod):
            return False
        self.pod = pod
        return True


def units(name: str, amount: Quantity) -> int:
    """The whole number that stands for an amount of a resource."""
    return amount.milli() if name == CPU else amount.value()


def pod_requests(pod: Mapping[str, object]) -> tuple[Units, Units]:
    """What a pod needs, and its CPU and memory as scores count them. Not to be changed: siblings share it."""
    spec: JsonObject = pod.get("spec") or {}  # type: ignore[assignment]
    status: JsonObject = pod.get("status") or {}  # type: ignore[assignment]
    if not _PLAIN.isdisjoint(spec) or "containerStatuses" in status:
        return _requests(with_actual(spec, status, "requests"))
    return _plain_requests(tuple([tuple(one.items()) for one in _stated(spec)]))


_PLAIN = frozenset({"initContainers", "overhead", "resources"})
"""Without these, a pod needs what its containers state."""


@lru_cache(maxsize=4096)
def _plain_requests(stated: tuple[tuple[tuple[str, str], ...], ...]) -> tuple[Units, Units]:
    """Remembered: most pods have siblings."""
    return _requests({"containers": [{"resources": {"requests": dict(one)}} for one in stated]})


def _requests(spec: JsonObject) -> tuple[Units, Units]:
    exact = _whole(spec, container_sum(spec, "requests"))
    assumed = exact
    if not all(CPU in one and MEMORY in one for one in _stated(spec)):
        assumed = _whole(spec, container_sum(_with_assumed(spec), "requests"))
    requests = {name: number for name, amount in exact.items() if (number := units(name, amount))}
    requests[PODS] = 1
    return requests, {name: units(name, assumed[name]) if name in assumed else 0 for name in (CPU, MEMORY)}


def needs_changed(old: Pod, new: Pod) -> bool:
    """Whether anything has changed from which amounts and ports are read."""
    return _needs(old.raw) != _needs(new.raw)


def _needs(pod: Mapping[str, object]) -> list[object]:
    spec: JsonObject = pod.get("spec") or {}  # type: ignore[assignment]
    status: JsonObject = pod.get("status") or {}  # type: ignore[assignment]
    parts = [spec.get(name) for name in ("containers", "initContainers", "overhead", "resources")]
    running = (*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ()))
    held = [(one.get("name"), one.get("resources"), one.get("allocatedResources")) for one in running]
    return [*parts, [one for one in held if one[1] or one[2]], will_not_grow(status)]


def _whole(spec: JsonObject, total: Amounts) -> Amounts:
    """Amounts stated for the pod as a whole win over the sum; overhead comes on top."""
    for name, amount in amounts(spec.get("resources"), "requests").items():
        if is_pod_level(name):
            total[name] = amount
    for name, amount in amounts({"requests": spec.get("overhead")}, "requests").items():
        total[name] = total[name] + amount if name in total else amount
    return total


def _stated(spec: JsonObject) -> list[JsonObject]:
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    return [(container.get("resources") or {}).get("requests") or {} for container in containers]


def _with_assumed(spec: JsonObject) -> JsonObject:
    """The same pod, in which every container states a request."""

    def complete(container: JsonObject) -> JsonObject:
        stated = (container.get("resources") or {}).get("requests") or {}
        return {**container, "resources": {"requests": {**ASSUMED_REQUESTS, **stated}}}

    return {name: [complete(one) for one in spec.get(name) or ()] for name in ("containers", "initContainers")}


def _ports(spec: JsonObject) -> tuple[HostPort, ...]:
    """Those of the containers that run while the pod does: of sidecars too."""
    sidecars = [one for one in spec.get("initContainers") or () if is_sidecar(one)]
    found = [
        HostPort(port.get("hostIP") or ANY_ADDRESS, port.get("protocol") or "TCP", port["hostPort"])
        for container in (*(spec.get("containers") or ()), *sidecars)
        for port in container.get("ports") or ()
        if port.get("hostPort")
    ]
    return tuple(found)


def _images(spec: JsonObject) -> tuple[str, ...]:
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    mounted = [(one["image"] or {}).get("reference") for one in spec.get("volumes") or () if "image" in one]
    return tuple([image for image in (*(one.get("image") for one in containers), *mounted) if image])


def _tolerations(spec: JsonObject) -> tuple[Toleration, ...]:
    return tuple([
        Toleration(one.get("key") or "", one.get("operator") or "Equal", one.get("value") or "",
                   one.get("effect") or "")
        for one in spec.get("tolerations") or ()
    ])  # fmt: skip
