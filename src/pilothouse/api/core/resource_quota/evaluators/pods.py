"""What pods use: `pods`, CPU, memory, storage, huge pages and extended resources, until they end.

Source: pkg/quota/v1/evaluator/core/pods.go.
"""

from collections.abc import Hashable, Iterable, Iterator

from pilothouse.api.core.pod.needs import pod_amounts
from pilothouse.api.core.pod.qos import qos_class
from pilothouse.api.core.pod.resources import Amounts, amounts, is_pod_level
from pilothouse.api.core.pod.validation.requirements import is_extended, is_native
from pilothouse.api.core.resource_quota.evaluator import ONE, Change, Evaluator
from pilothouse.api.core.resource_quota.scopes import selects
from pilothouse.api.machinery.view import JsonObject
from pilothouse.runtime.clock import Instant, parse_time

_COMPUTE = ("cpu", "memory")
_LIMITED = (*_COMPUTE, "ephemeral-storage")
_HUGE = "hugepages-"
_REQUESTS, _LIMITS = "requests.", "limits."
_NAMES = frozenset({"pods", *(f"{prefix}{name}" for prefix in ("", _REQUESTS, _LIMITS) for name in _LIMITED)})
_TO_BE_STATED = frozenset({f"{prefix}{name}" for prefix in ("", _REQUESTS, _LIMITS) for name in _COMPUTE})
"""What each container must state where it is counted. Upstream regrets this, and has it for no other resource."""


class Pods(Evaluator):
    """What pods use."""

    def __init__(self) -> None:
        super().__init__("", "pods")

    def counts(self, name: str) -> bool:
        """Whether pods use it."""
        if name in _NAMES or name == self.object_count or name.startswith((_HUGE, f"{_REQUESTS}{_HUGE}")):
            return True
        return name.startswith(_REQUESTS) and not is_native(name)

    def handles(self, change: Change) -> bool:
        """Pods are made, and resized."""
        return (change.operation, change.part) in (("CREATE", ""), ("UPDATE", "resize"))

    def missing(self, names: Iterable[str], obj: JsonObject) -> str:
        """What its containers must state."""
        needed = [name for name in sorted(names) if name in _TO_BE_STATED]
        spec = obj.get("spec") or {}
        if not needed or _states_for_all(spec):
            return ""
        containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
        stated = [(one.get("name") or "", _compute_usage(*_stated(one))) for one in containers]
        wrong = {name: sorted({container for container, has in stated if name not in has}) for name in needed}
        texts = [f"{name} for: {','.join(found)}" for name, found in wrong.items() if found]
        return f"must specify {'; '.join(texts)}" if texts else ""

    def in_scope(self, selector: JsonObject, obj: JsonObject) -> bool:
        """Whether a pod is in a scope."""
        spec = obj.get("spec") or {}
        match selector.get("scopeName"):
            case "Terminating":
                return _is_terminating(spec)
            case "NotTerminating":
                return not _is_terminating(spec)
            case "BestEffort":
                return _is_best_effort(obj)
            case "NotBestEffort":
                return not _is_best_effort(obj)
            case "PriorityClass":
                return selects(selector, spec.get("priorityClassName") or "")
            case "CrossNamespacePodAffinity":
                return any(term.get("namespaces") or term.get("namespaceSelector") is not None for term in _terms(spec))
            case _:
                return False

    def usage(self, obj: JsonObject, now: Instant) -> Amounts:
        """One that has ended is only an object."""
        found = {self.object_count: ONE}
        if _is_counted(obj, now):
            found.update(_compute_usage(pod_amounts(obj, "requests"), pod_amounts(obj, "limits")))
        return found

    def traits(self, obj: JsonObject) -> Hashable:
        """A deadline may be set later."""
        return _is_terminating(obj.get("spec") or {})


def _stated(container: JsonObject) -> tuple[Amounts, Amounts]:
    resources = container.get("resources")
    return amounts(resources, "requests"), amounts(resources, "limits")


def _states_for_all(spec: JsonObject) -> bool:
    """Whether the pod as a whole states amounts, so that its containers need not."""
    resources = spec.get("resources") or {}
    return any(is_pod_level(name) for kind in ("requests", "limits") for name in resources.get(kind) or ())


def _compute_usage(requests: Amounts, limits: Amounts) -> Amounts:
    found = {"pods": ONE}
    for name, amount in requests.items():
        if name in _LIMITED or name.startswith(_HUGE):
            found[name] = found[f"{_REQUESTS}{name}"] = amount
        elif is_extended(name):
            found[f"{_REQUESTS}{name}"] = amount
    for name in _LIMITED:
        if name in limits:
            found[f"{_LIMITS}{name}"] = limits[name]
    return found


def _is_terminating(spec: JsonObject) -> bool:
    deadline: int | None = spec.get("activeDeadlineSeconds")
    return deadline is not None and deadline >= 0


def _is_best_effort(pod: JsonObject) -> bool:
    found: str = (pod.get("status") or {}).get("qosClass") or qos_class(pod)
    return found == "BestEffort"


def _is_counted(pod: JsonObject, now: Instant) -> bool:
    """Whether it runs or will. One that should be gone by now is the node's trouble and not the user's."""
    if (pod.get("status") or {}).get("phase") in ("Failed", "Succeeded"):
        return False
    metadata = pod.get("metadata") or {}
    going: str | None = metadata.get("deletionTimestamp")
    grace: int | None = metadata.get("deletionGracePeriodSeconds")
    return going is None or grace is None or now <= parse_time(going) + grace


def _terms(spec: JsonObject) -> Iterator[JsonObject]:
    """All terms of affinity to other pods."""
    affinity = spec.get("affinity") or {}
    for name in ("podAffinity", "podAntiAffinity"):
        found = affinity.get(name) or {}
        yield from found.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
        for weighted in found.get("preferredDuringSchedulingIgnoredDuringExecution") or ():
            yield weighted.get("podAffinityTerm") or {}
