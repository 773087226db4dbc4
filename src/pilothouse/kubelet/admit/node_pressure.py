"""Evicted: a node that has too little of something takes no pods, until it has had enough for a while.

Source: pkg/kubelet/eviction/eviction_manager.go, Admit.
"""

from pilothouse.api.machinery.taints import NO_SCHEDULE, tolerates
from pilothouse.api.types.core_v1 import Pod, Taint
from pilothouse.kubelet.admit_handler import AdmitHandler, NodeView, Refusal, was_begun
from pilothouse.kubelet.critical import is_critical
from pilothouse.kubelet.eviction.messages import REASON
from pilothouse.kubelet.eviction.signals import MEMORY_PRESSURE
from pilothouse.kubelet.resources.qos import BEST_EFFORT, qos_class

_TAINT = Taint({"key": "node.kubernetes.io/memory-pressure", "effect": NO_SCHEDULE})


class NodePressure(AdmitHandler):
    """Where memory alone is scarce, pods are taken that say how much they need, or that tolerate it."""

    rank = 10

    def refuse(self, pod: Pod, view: NodeView) -> Refusal | None:
        """Refuse what might be ended soon."""
        if not view.pressure or was_begun(pod) or is_critical(pod):
            return None
        if tuple(view.pressure) == (MEMORY_PRESSURE,):
            tolerated = any(tolerates(one, _TAINT) for one in pod.spec.tolerations)
            if tolerated or qos_class(pod) != BEST_EFFORT:
                return None
        return Refusal(REASON, f"The node had condition: [{' '.join(view.pressure)}]. ")
