"""A pod's quality of service: who is stopped first when a node runs out of memory.

Source: "Pod Quality of Service Classes" of the Kubernetes documentation; pkg/apis/core/helper/qos. Guaranteed: every
container limits both CPU and memory and requests exactly that. BestEffort: none asks for anything. Else Burstable.
"""

from pilothouse.api.core.pod.resources import Amounts, amounts
from pilothouse.api.machinery.quantity import parse_quantity
from pilothouse.api.machinery.view import JsonObject

_COUNTED = frozenset({"cpu", "memory"})
_ZERO = parse_quantity("0")


def qos_class(pod: JsonObject) -> str:
    """The class by the pod's spec: Guaranteed, Burstable or BestEffort."""
    spec = pod.get("spec") or {}
    whole = spec.get("resources")
    if whole:
        owners = [whole]
    else:
        containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
        owners = [container.get("resources") or {} for container in containers]
    requests: Amounts = {}
    limits: Amounts = {}
    all_limited = True
    for resources in owners:
        _collect(requests, amounts(resources, "requests"))
        own = _collect(limits, amounts(resources, "limits"))
        all_limited = all_limited and own == _COUNTED
    if not requests and not limits:
        return "BestEffort"
    return "Guaranteed" if all_limited and requests == limits else "Burstable"


def _collect(total: Amounts, more: Amounts) -> frozenset[str]:
    """Add what counts, and say which resources those were."""
    counted = [name for name in more if name in _COUNTED and more[name] > _ZERO]
    for name in counted:
        total[name] = total[name] + more[name] if name in total else more[name]
    return frozenset(counted)
