"""What containers and pods have, as their statuses tell: pure. What is granted is told as `allocatedResources`.

The runtime tells the kernel's numbers, which are written as amounts again. Numbers at the kernel's minimum stand for
any smaller amount: there the granted one is told. Upstream: convertToAPIContainerStatuses in
pkg/kubelet/kubelet_pods.go, pkg/kubelet/kuberuntime/helpers_linux.go.
"""

from collections.abc import Mapping

from pilothouse.api.core.pod.needs import pod_amounts
from pilothouse.api.core.pod.resources import Amounts, quantity
from pilothouse.api.machinery.quantity import Quantity, QuantityFormat, of_milli, of_units
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Container, ContainerStatus, Pod
from pilothouse.kubelet.cri import interface as cri
from pilothouse.kubelet.cri.interface import ContainerState
from pilothouse.kubelet.observed import ResizeState

_MIN_SHARES = 2
_MIN_MILLI_LIMIT = 10
"""Below these, amounts make no difference to the kernel: shares, and thousandths of a processor."""


def actual_resources(
    container: Container, run: cri.Container, before: ContainerStatus, resize: ResizeState
) -> JsonObject:
    """`resources` of the status of a container as it is granted. `before`: the last status, if it was of this run."""
    found: JsonObject = container.resources.literal()
    if run.state is not ContainerState.RUNNING:
        return found
    told, kept = run.resources, before.resources
    quota = told.cpu_quota * 1000 // (told.cpu_period or 100_000) if told is not None and told.cpu_quota > 0 else 0
    memory = max(told.memory_limit_in_bytes, 0) if told is not None else 0
    weight = -(-told.cpu_shares * 1000 // 1024) if told is not None else 0
    if "limits" in found:
        limits, old = found["limits"], kept.limits
        _tell(limits, "cpu", of_milli(quota), _MIN_MILLI_LIMIT, old)
        _tell(limits, "memory", of_units(memory, QuantityFormat.BINARY), 0, old)
    if "requests" in found:
        requests, old = found["requests"], kept.requests
        _tell(requests, "cpu", of_milli(weight), _MIN_SHARES, old)
        if resize.in_progress is not None and not resize.fitted:
            # No number of the kernel's shows it: it is told with the others.
            _tell(requests, "memory", of_units(0), 0, old)
    return found


def _tell(amounts: JsonObject, name: str, actual: Quantity, least: int, old: Mapping[str, str]) -> None:
    """Put what is had in place of what is granted; what is not known stays as it was last told."""
    granted = quantity(amounts[name]) if name in amounts else of_units(0)
    if not actual:
        if name in old:
            amounts[name] = old[name]
    elif actual != granted and max(actual.milli(), granted.milli()) > least:
        amounts[name] = str(actual)


def pod_resources(pod: Pod, resize: ResizeState) -> JsonObject:
    """`resources` and `allocatedResources` of the status of a pod as it is granted: its containers' together.

    Of a running pod only those that its control group has. Upstream: convertToAPIPodLevelResourcesStatus.
    """
    spec = {"spec": pod.raw["spec"]}
    requests, limits = pod_amounts(spec, "requests"), pod_amounts(spec, "limits")
    allocated = {"allocatedResources": _written(requests)} if requests else {}
    if pod.status.phase == "Running":
        if resize.in_progress is not None and not resize.fitted and pod.status.resources:
            return {"resources": pod.status.resources.literal(), **allocated}
        stated = pod.spec.resources
        held = {"memory"} | ({"cpu"} if "cpu" in requests and requests["cpu"].milli() > _MIN_SHARES else set())
        requests = _only(requests, held | set(stated.requests))
        every = [container.resources.limits for container in (*pod.spec.initContainers, *pod.spec.containers)]
        held = {name for name in ("cpu", "memory") if all(name in listed for listed in every)}
        limits = _only(limits, held | set(stated.limits))
    has = {kind: _written(found) for kind, found in (("requests", requests), ("limits", limits)) if found}
    return {"resources": has, **allocated}


def _only(amounts: Amounts, names: set[str]) -> Amounts:
    return {name: amount for name, amount in amounts.items() if name in names}


def _written(amounts: Amounts) -> JsonObject:
    return {name: str(amount) for name, amount in sorted(amounts.items())}
