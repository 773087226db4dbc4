"""NodeAffinity: the node is none of those that the pod may run on."""

from pilothouse.api.machinery.node_selectors import may_run_on
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.admit_handler import AdmitHandler, NodeView, Refusal, failed_check, was_begun


class NodeAffinity(AdmitHandler):
    """Looks at the labels that the node has now."""

    rank = 60

    def refuse(self, pod: Pod, view: NodeView) -> Refusal | None:
        """Refuse what selects other nodes."""
        if was_begun(pod) or may_run_on(pod.raw.get("spec") or {}, view.name, view.labels):
            return None
        return failed_check("NodeAffinity", "node(s) didn't match Pod's node affinity/selector")
