"""PodOSNotSupported, PodOSSelectorNodeLabelDoesNotMatch: pods for other systems."""

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.admit_handler import AdmitHandler, NodeView, Refusal

_OURS = "linux"
_LABEL = "kubernetes.io/os"


class PodOs(AdmitHandler):
    """Reads the pod's own label, as upstream does, and then `spec.os`."""

    rank = 40

    def refuse(self, pod: Pod, view: NodeView) -> Refusal | None:  # noqa: ARG002 - the same on every node
        """Refuse what is not for Linux."""
        if pod.metadata.labels.get(_LABEL, _OURS) != _OURS:
            text = f"Failed to admit pod as the `{_LABEL}` label doesn't match node label"
            return Refusal("PodOSSelectorNodeLabelDoesNotMatch", text)
        if pod.spec.os and pod.spec.os.name != _OURS:
            return Refusal("PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS")
        return None
