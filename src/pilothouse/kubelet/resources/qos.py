"""Quality of service class of a pod, and how soon its containers are killed when memory runs out.

API page: "Pod Quality of Service Classes"; scores from "Node-pressure Eviction", section on oom_score_adj.
"""

from collections.abc import Mapping

from pilothouse.api.machinery.quantity import Quantity, parse_quantity
from pilothouse.api.types.core_v1 import Container, Pod

GUARANTEED = "Guaranteed"
BURSTABLE = "Burstable"
BEST_EFFORT = "BestEffort"
_COUNTED = ("cpu", "memory")
_GUARANTEED_SCORE = -997
_BEST_EFFORT_SCORE = 1000
_NODE_CRITICAL = "system-node-critical"
_CRITICAL_PRIORITY = 2_000_000_000
"""Priority of system-cluster-critical, the lowest of the critical ones."""


def _amounts(listed: Mapping[str, str]) -> dict[str, Quantity]:
    parsed = {name: parse_quantity(listed[name]) for name in _COUNTED if name in listed}
    return {name: amount for name, amount in parsed.items() if amount}


def qos_class(pod: Pod) -> str:
    """Guaranteed, Burstable or BestEffort; from pod-level resources where they are set."""
    if pod.spec.resources:
        everything = [pod.spec.resources]
    else:
        everything = [container.resources for container in (*pod.spec.initContainers, *pod.spec.containers)]
    parsed = [(_amounts(one.requests), _amounts(one.limits)) for one in everything]
    if not any(requests or limits for requests, limits in parsed):
        return BEST_EFFORT
    # A request that is not given is its limit, so equal means: every one that is given.
    guaranteed = all(
        len(limits) == len(_COUNTED) and all(requests.get(name, limits[name]) == limits[name] for name in _COUNTED)
        for requests, limits in parsed
    )
    return GUARANTEED if guaranteed else BURSTABLE


def oom_score_adjust(pod: Pod, container: Container, node_memory: int) -> int:
    """How readily the kernel kills a container: more than 2 when it asked for little, below 0 when guaranteed."""
    spec = pod.spec
    if (spec.priority or 0) >= _CRITICAL_PRIORITY and spec.priorityClassName == _NODE_CRITICAL:
        return _GUARANTEED_SCORE
    match qos_class(pod):
        case "Guaranteed":
            return _GUARANTEED_SCORE
        case "BestEffort":
            return _BEST_EFFORT_SCORE
    asked = _memory(container) + _share(pod)
    if any(one.name == container.name for one in spec.initContainers) and container.restartPolicy == "Always":
        # A sidecar is not killed before the container that it serves.
        asked = max(asked, min(_memory(one) + _share(pod) for one in spec.containers))
    score = 1000 - (1000 * asked) // max(node_memory, 1)
    # Between the guaranteed and the best-effort ones, with room for the pod's other processes.
    return min(max(score, 1000 + _GUARANTEED_SCORE), _BEST_EFFORT_SCORE - 1)


def _memory(container: Container) -> int:
    asked = container.resources.requests.get("memory") or container.resources.limits.get("memory") or "0"
    return parse_quantity(asked).value()


def _share(pod: Pod) -> int:
    """Of what the pod asked for as a whole and no container for itself: each one's part."""
    whole = pod.spec.resources.requests.get("memory")
    if not whole:
        return 0
    sharing = [*pod.spec.containers, *(one for one in pod.spec.initContainers if one.restartPolicy == "Always")]
    return max(parse_quantity(whole).value() - sum(map(_memory, sharing)), 0) // max(len(sharing), 1)
