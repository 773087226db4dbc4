"""Changes of pods' resources: asked for, granted at last, never to be granted, put into force.

Source: pkg/kubelet/allocation/allocation_manager.go, pod_resizes_admit_handler.go; KEP-1287.
"""

from collections.abc import Mapping

from pilothouse.api.machinery.quantity import Quantity, parse_quantity
from pilothouse.api.types.core_v1 import Container, Pod
from pilothouse.kubelet.resize import resizable
from pilothouse.runtime.metrics import Metrics

UPDATED, RESIZED, REMOVED, PERIODIC = "pod_updated", "pod_resized", "pods_removed", "periodic_retry"
"""What has changes that wait looked at again."""
_MILLISECONDS = (10, 50, 100, 500, 1000, 2000, 5000, 10000, 20000, 30000, 60000, 120000, 300000, 600000)
_NOTHING = Quantity(0)


class ResizeCounts:
    """Those of one node."""

    def __init__(self, metrics: Metrics) -> None:
        self._asked = metrics.counter(
            "kubelet_container_requested_resizes_total",
            "[ALPHA] Number of requested resizes, counted at the container level. Different resources on the same "
            "container are counted separately. The 'requirement' label refers to 'memory' or 'limits'; the 'operation' "
            "label can be one of 'add', 'remove', 'increase' or 'decrease'.",
            ("resource", "requirement", "operation"),
        )  # fmt: skip
        self._infeasible = metrics.counter(
            "kubelet_pod_infeasible_resizes_total", "[ALPHA] Number of infeasible resizes for pods.",
            ("reason_detail",),
        )  # fmt: skip
        self._late = metrics.counter(
            "kubelet_pod_deferred_accepted_resizes_total",
            "[ALPHA] Cumulative number of resizes that were accepted after being deferred.", ("retry_trigger",),
        )  # fmt: skip
        self._milliseconds = metrics.histogram(
            "kubelet_pod_resize_duration_milliseconds", "[ALPHA] Duration in milliseconds to actuate a pod resize",
            ("success",), buckets=_MILLISECONDS,
        )  # fmt: skip

    def asked(self, pod: Pod, before: Pod) -> None:
        """A pod is to have other resources than before."""
        old = {one.name: one for one in resizable(before)}
        for container in resizable(pod):
            if (other := old.get(container.name)) is not None:
                for labels in changes(container, other):
                    self._asked.labels(*labels).inc()

    def infeasible(self, why: str) -> None:
        """It never can on this node."""
        self._infeasible.labels(why).inc()

    def late(self, trigger: str) -> None:
        """What had to wait is granted, when this has happened."""
        self._late.labels(trigger).inc()

    def actuated(self, seconds: float, *, good: bool) -> None:
        """The runtime was told of it."""
        self._milliseconds.labels(str(good).lower()).observe(1000 * seconds)


def changes(new: Container, old: Container) -> list[tuple[str, str, str]]:
    """What changes: the resource, where it stands, and how."""
    return [
        (resource, kind, how)
        for resource in ("cpu", "memory")
        for kind, wanted, had in (
            ("limits", new.resources.limits, old.resources.limits),
            ("requests", new.resources.requests, old.resources.requests),
        )
        if (how := _how(_amount(wanted, resource), _amount(had, resource)))
    ]


def _amount(amounts: Mapping[str, str], resource: str) -> Quantity:
    return parse_quantity(amounts[resource]) if resource in amounts else _NOTHING


def _how(new: Quantity, old: Quantity) -> str:
    if new == old:
        return ""
    if old == _NOTHING:
        return "add"
    if new == _NOTHING:
        return "remove"
    return "increase" if new > old else "decrease"
