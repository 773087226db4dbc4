"""Which pods the node must run before all others: its static ones, and those of the system's priority classes.

Upstream: pkg/kubelet/types/pod_update.go.
"""

from pilothouse.api.types.core_v1 import Pod

_SOURCE = "kubernetes.io/config.source"
_MIRROR = "kubernetes.io/config.mirror"
SYSTEM_CRITICAL = 2_000_000_000
"""Priority of system-cluster-critical, the lowest of the critical ones."""


def is_static(pod: Pod) -> bool:
    """Whether the node itself was told of the pod, not by the API server: PodSources sees to it that this is true."""
    return pod.metadata.annotations.get(_SOURCE, "api") != "api"


def is_critical(pod: Pod) -> bool:
    """Whether others make room for it."""
    return is_static(pod) or _MIRROR in pod.metadata.annotations or (pod.spec.priority or 0) >= SYSTEM_CRITICAL


def may_displace(pod: Pod, other: Pod) -> bool:
    """Whether `other` may be ended for the sake of `pod`."""
    if is_critical(pod) and not is_critical(other):
        return True
    return pod.spec.priority is not None and other.spec.priority is not None and pod.spec.priority > other.spec.priority
