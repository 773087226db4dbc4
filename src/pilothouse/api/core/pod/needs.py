"""What a pod as a whole needs, by requests or by limits.

Its containers' sum; what is stated for the pod as a whole wins over that; overhead comes on top. While a resize is
under way, a container needs the larger of what it asks for and what it has. Source: KEP-753 (sidecars), KEP-1287
(resize in place), KEP-2837 (pod-level resources), component-helpers/resource/helpers.go.
"""

from collections.abc import Mapping

from pilothouse.api.core.pod.resources import Amounts, amounts, container_sum, is_pod_level
from pilothouse.api.machinery.view import JsonObject

_CONTAINERS = ("containers", "initContainers")


def pod_amounts(pod: JsonObject, kind: str) -> Amounts:
    """The `requests` or `limits` of a pod, with overhead and with what its containers have at the moment."""
    spec: JsonObject = pod.get("spec") or {}
    total = stated_amounts(with_actual(spec, pod.get("status") or {}, kind), kind)
    for name, amount in amounts({kind: spec.get("overhead")}, kind).items():
        if name in total:
            total[name] = total[name] + amount
        elif kind == "requests":
            total[name] = amount
    return total


def stated_amounts(spec: JsonObject, kind: str) -> Amounts:
    """The `requests` or `limits` as the spec states them: without overhead."""
    total = container_sum(spec, kind)
    for name, amount in amounts(spec.get("resources"), kind).items():
        if is_pod_level(name):
            total[name] = amount
    return total


def will_not_grow(status: Mapping[str, object]) -> bool:
    """Whether the kubelet has found that a resize can never happen here."""
    conditions: list[JsonObject] = status.get("conditions") or []  # type: ignore[assignment]
    return any(one.get("type") == "PodResizePending" and one.get("reason") == "Infeasible" for one in conditions)


def with_actual(spec: JsonObject, status: JsonObject, kind: str) -> JsonObject:
    """The spec in which each container asks for no less than it has. Where it can never have it, what it asks for does
    not count."""
    has = {
        one.get("name"): one
        for name in ("containerStatuses", "initContainerStatuses")
        for one in status.get(name) or ()
        if one.get("resources") or (kind == "requests" and one.get("allocatedResources"))
    }
    if not has:
        return spec
    stuck = will_not_grow(status)

    def larger(container: JsonObject) -> JsonObject:
        found = has.get(container.get("name"))
        if found is None:
            return container
        needs = {} if stuck else amounts(container.get("resources"), kind)
        allocated = found.get("allocatedResources") if kind == "requests" else None
        for held in (amounts(found.get("resources"), kind), amounts({kind: allocated}, kind)):
            for name, amount in held.items():
                if name not in needs or needs[name] < amount:
                    needs[name] = amount
        return {**container, "resources": {kind: {name: str(amount) for name, amount in needs.items()}}}

    return {**spec, **{name: [larger(one) for one in spec.get(name) or ()] for name in _CONTAINERS}}
