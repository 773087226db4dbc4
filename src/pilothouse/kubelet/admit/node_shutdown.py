"""NodeShutdown: a node whose machine is being shut down takes no pods, whatever they are.

Source: pkg/kubelet/nodeshutdown/nodeshutdown_manager_linux.go, Admit.
"""

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.admit_handler import AdmitHandler, NodeView, Refusal

REFUSAL = Refusal("NodeShutdown", "Pod was rejected as the node is shutting down.")


class NodeShutdown(AdmitHandler):
    """Asked last: whatever else speaks against the pod is told."""

    rank = 95

    def refuse(self, pod: Pod, view: NodeView) -> Refusal | None:  # noqa: ARG002 - all are the same to it
        """Refuse everything."""
        return REFUSAL if view.shutting_down else None
