"""What a container has, as its status tells: pure. What it is granted is told as `allocatedResources`.

The runtime tells the kernel's numbers, which are written as amounts again. Numbers at the kernel's minimum stand for
any smaller amount: there the granted one is told. Upstream: convertToAPIContainerStatuses in
pkg/kubelet/kubelet_pods.go, pkg/kubelet/kuberuntime/helpers_linux.go.
"""

from collections.abc import Mapping

from pilothouse.api.machinery.quantity import Quantity, QuantityFormat, of_milli, of_units, parse_quantity
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Container, ContainerStatus
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
    granted = parse_quantity(amounts[name]) if name in amounts else of_units(0)
    if not actual:
        if name in old:
            amounts[name] = old[name]
    elif actual != granted and max(actual.milli(), granted.milli()) > least:
        amounts[name] = str(actual)
