"""Pods that the node did not take, and those that had to go for others. Source: pkg/kubelet/allocation."""

from pilothouse.runtime.metrics import Metrics

_KNOWN = frozenset({
    "AppArmor", "PodOSSelectorNodeLabelDoesNotMatch", "PodOSNotSupported", "InvalidNodeInfo",
    "InitContainerRestartPolicyForbidden", "SupplementalGroupsPolicyNotSupported", "UnexpectedAdmissionError",
    "UnknownReason", "UnexpectedPredicateFailureType", "OutOfcpu", "OutOfmemory", "OutOfephemeral-storage",
    "OutOfpods", "TaintToleration", "Evicted", "SysctlForbidden", "TopologyAffinityError", "NodeShutdown",
})  # fmt: skip
"""Reasons that stand for themselves: any resource may be in one."""


class AdmissionCounts:
    """Those of one node."""

    def __init__(self, metrics: Metrics) -> None:
        self._refused = metrics.counter(
            "kubelet_admission_rejections_total",
            "[ALPHA] Cumulative number pod admission rejections by the Kubelet.", ("reason",),
        )  # fmt: skip
        self._preempted = metrics.tally(
            "kubelet_preemptions", "[ALPHA] Cumulative number of pod preemptions by preemption resource",
            ("preemption_signal",),
        )  # fmt: skip

    def refused(self, reason: str) -> None:
        """A pod is not taken."""
        other = "OutOfExtendedResources" if reason.startswith("OutOf") else "Other"
        self._refused.labels(reason if reason in _KNOWN else other).inc()

    def preempted(self, resource: str) -> None:
        """A pod has gone for another that lacked this."""
        self._preempted.labels(resource).inc()
