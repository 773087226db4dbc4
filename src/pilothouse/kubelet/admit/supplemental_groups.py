"""SupplementalGroupsPolicyNotSupported: pods that want no groups from their images need a runtime that can do that."""

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.admit_handler import AdmitHandler, NodeView, Refusal

_MESSAGE = "SupplementalGroupsPolicy=Strict is not supported in this node"


class SupplementalGroups(AdmitHandler):
    """KEP-3619."""

    rank = 45

    def refuse(self, pod: Pod, view: NodeView) -> Refusal | None:
        """Refuse what the runtime would silently ignore."""
        strict = pod.spec.securityContext.supplementalGroupsPolicy == "Strict"
        return Refusal("SupplementalGroupsPolicyNotSupported", _MESSAGE) if strict and not view.strict_groups else None
