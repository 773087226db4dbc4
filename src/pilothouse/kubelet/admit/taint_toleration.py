"""TaintToleration: a node that drives pods away takes no new ones either, unless they tolerate it or are its own."""

from pilothouse.api.machinery.taints import NO_EXECUTE, tolerates
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.admit_handler import AdmitHandler, NodeView, Refusal, failed_check, was_begun
from pilothouse.kubelet.critical import is_static


class TaintToleration(AdmitHandler):
    """Taints that only keep schedulers away are not the node's business."""

    rank = 75

    def refuse(self, pod: Pod, view: NodeView) -> Refusal | None:
        """Refuse what would be driven away at once."""
        if was_begun(pod) or is_static(pod):
            return None
        for taint in view.taints:
            if taint.effect == NO_EXECUTE and not any(tolerates(one, taint) for one in pod.spec.tolerations):
                return failed_check("TaintToleration", "node(s) had taints that the pod didn't tolerate")
        return None
