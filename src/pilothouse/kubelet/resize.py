"""What a change of a running pod's resources takes: pure.

Containers are compared by the kernel's numbers, as the runtime tells them: requests of 1m and 2m weigh the same, limits
of 5m and 10m allow the same, and nothing is done about such a change. A container whose `resizePolicy` wants a restart
carries the amounts that it was made with in an annotation, as a request of memory shows in no number of the kernel's.
Sources: KEP-1287; pkg/kubelet/kuberuntime/kuberuntime_manager.go (computePodResizeAction), pkg/kubelet/events.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from pilothouse.api.core.pod.needs import pod_amounts
from pilothouse.api.core.pod.resources import quantity
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Container, Pod
from pilothouse.kubelet.containers import is_sidecar
from pilothouse.kubelet.cri import interface as cri
from pilothouse.kubelet.cri.interface import ContainerState
from pilothouse.kubelet.observed import ObservedPod, ResizeNote
from pilothouse.kubelet.pod_plan import Resize
from pilothouse.kubelet.resources.linux import container_limits
from pilothouse.kubelet.resources.qos import GUARANTEED, qos_class
from pilothouse.kubelet.resources.swap import SwapFacts, swap_limits

MADE_WITH = "io.kubernetes.container.restartingResources"
"""Annotation of a run: the amounts whose change its container is to be restarted for."""
_RESTART = "RestartContainer"
_SOURCE = "kubernetes.io/config.source"
STATIC_POD = "In-place resize of static-pods is not supported"
_FEW = "Node didn't have enough capacity: "
_UNLIMITED = -1


def resizable(pod: Pod) -> list[Container]:
    """Containers whose resources may change while they run."""
    return [*(one for one in pod.spec.initContainers if is_sidecar(one)), *pod.spec.containers]


def _restarting(container: Container) -> set[str]:
    """Resources whose change the container is restarted for."""
    return {one.resourceName for one in container.resizePolicy if one.restartPolicy == _RESTART}


def made_with(container: Container) -> str:
    """The value of the annotation; empty when nothing has the container restarted."""
    limits, resources = container_limits(container), container.resources
    asked = resources.requests.get("memory") or resources.limits.get("memory") or "0"
    amounts: dict[str, Any] = {
        "cpu": [limits.cpu_shares, limits.cpu_quota],
        "memory": [quantity(asked).value(), limits.memory],
    }
    found = {name: value for name, value in amounts.items() if name in _restarting(container)}
    return orjson.dumps(found).decode() if found else ""


def must_restart(container: Container, run: cri.Container) -> bool:
    """Whether the running container can have what it is granted by starting anew alone."""
    wanted = made_with(container)
    if not wanted:
        return False
    made = run.annotations.get(MADE_WITH)
    if made is not None:
        before = orjson.loads(made)
        return any(before.get(name, value) != value for name, value in orjson.loads(wanted).items())
    change = _change(container, run)
    return bool((change.cpu and "cpu" in wanted) or (change.memory and "memory" in wanted))


@dataclass(frozen=True, slots=True)
class _Change:
    """What a running container lacks, in the shape of CRI's LinuxContainerResources."""

    memory: JsonObject
    cpu: JsonObject
    less: bool = False
    """It gets less memory."""

    @property
    def any(self) -> bool:
        """Whether it lacks something."""
        return bool(self.memory or self.cpu)


def _change(container: Container, run: cri.Container, unthrottled: Collection[str] = ()) -> _Change:
    wanted, told = container_limits(container), run.resources
    quota = 0 if container.name in unthrottled else wanted.cpu_quota
    memory: JsonObject = {"memory_limit_in_bytes": wanted.memory or _UNLIMITED}
    time = {"cpu_period": wanted.cpu_period, "cpu_quota": quota or _UNLIMITED}
    cpu: JsonObject = {"cpu_shares": wanted.cpu_shares, **time}
    if told is None:
        return _Change(memory, cpu)
    before = max(told.memory_limit_in_bytes, 0)
    if before == wanted.memory:
        memory = {}
    if (max(told.cpu_shares, 2), max(told.cpu_quota, 0)) == (wanted.cpu_shares, quota):
        cpu = {}
    return _Change(memory, cpu, bool(wanted.memory) and (not before or wanted.memory < before))


def steps(pod: Pod, observed: ObservedPod) -> tuple[Resize, ...]:
    """What the running containers of a pod need to have what they are granted; those that get less memory first.

    A runtime that does not tell what containers have is told once.
    """
    less: list[Resize] = []
    more: list[Resize] = []
    for container in resizable(pod):
        run = observed.active(container.name)
        if run is None or run.state is not ContainerState.RUNNING or must_restart(container, run):
            continue
        change = _change(container, run, observed.unthrottled)
        linux = change.memory | change.cpu
        if linux and (run.resources is not None or not observed.resize.fitted):
            (less if change.less else more).append(Resize(run.id, container.name, linux))
    return (*less, *more)


def in_force(pod: Pod, observed: ObservedPod) -> bool:
    """Whether all that runs has what the pod asks for, as far as the runtime tells."""
    return not any(
        run is not None and run.state is ContainerState.RUNNING and run.resources is not None
        and (must_restart(container, run) or _change(container, run, observed.unthrottled).any)
        for container, run in ((one, observed.active(one.name)) for one in resizable(pod))
    )  # fmt: skip


def infeasible(pod: Pod, allocatable: Mapping[str, str]) -> str:
    """Why this node can never grant what a pod asks for; empty when it might."""
    if pod.metadata.annotations.get(_SOURCE, "api") != "api":
        return STATIC_POD
    asked = pod_amounts({"spec": pod.raw["spec"]}, "requests")
    for name in ("memory", "cpu"):
        if name in asked and name in allocatable:
            needs, has = asked[name], quantity(allocatable[name])
            if needs > has:
                amounts = (needs.milli(), has.milli()) if name == "cpu" else (needs.value(), has.value())
                return f"{_FEW}{name}, requested: {amounts[0]}, capacity: {amounts[1]}"
    return ""


def swaps(pod: Pod, granted: Pod, swap: SwapFacts) -> bool:
    """Whether what a container may swap would have to change with its request of memory while it runs."""
    before = {one.name: one for one in resizable(granted)}

    def may(of: Pod, container: Container) -> bool:
        share: str = swap_limits(of, container, swap).get("unified", {}).get("memory.swap.max", "0")
        return share != "0"

    return any(
        one.resources.requests.get("memory") != old.resources.requests.get("memory")
        and "memory" not in _restarting(old)
        and (may(pod, one) or may(granted, old))
        for one in resizable(pod)
        if (old := before.get(one.name)) is not None
    )


def repins(pod: Pod, granted: Pod, name: str) -> bool:
    """Whether a guaranteed pod asks for other amounts of CPU or memory: it may have some of its own."""
    before = {one.name: one for one in resizable(granted)}
    return qos_class(pod) == GUARANTEED and any(
        quantity(one.resources.requests.get(name, "0")) != quantity(old.resources.requests.get(name, "0"))
        for one in resizable(pod)
        if (old := before.get(one.name)) is not None
    )


def precedence(pod: Pod, granted: Pod) -> tuple[bool, int, bool]:
    """Whose change is looked at first: those that ask for no more, the important ones, the guaranteed ones."""
    new, old = (pod_amounts({"spec": one.raw["spec"]}, "requests") for one in (pod, granted))
    grows = any(name in new and (name not in old or new[name] > old[name]) for name in ("cpu", "memory"))
    return grows, -(pod.spec.priority or 0), qos_class(pod) != GUARANTEED


def event_message(pod: Pod, what: str, note: ResizeNote) -> str:
    """What an event says: the resources as JSON, and what went wrong."""
    told: JsonObject = {
        listing: [{"name": one.name, "resources": _sorted(one.resources.raw)} for one in containers]
        for listing, containers in (("initContainers", pod.spec.initContainers), ("containers", pod.spec.containers))
        if containers
    }
    told["generation"] = note.generation
    if note.message:
        told["error"] = note.message
    return f"Pod resize {what}: {orjson.dumps(told).decode()}"


def _sorted(resources: Mapping[str, Any]) -> JsonObject:
    kinds = ((kind, resources.get(kind)) for kind in ("limits", "requests"))
    found: JsonObject = {kind: dict(sorted(amounts.items())) for kind, amounts in kinds if amounts}
    return found | ({"claims": resources["claims"]} if resources.get("claims") else {})
