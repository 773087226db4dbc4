"""PodFeatureUnsupported: the pod needs what not every node can do, and this one does not say that it can (KEP-5328)."""

from collections.abc import Callable

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.admit_handler import AdmitHandler, NodeView, Refusal
from pilothouse.kubelet.containers import may_restart_all


def _maps_users_of_the_host_network(pod: Pod) -> bool:
    return bool(pod.spec.hostNetwork) and pod.spec.hostUsers is False


_NEEDS: dict[str, Callable[[Pod], bool]] = {
    "RestartAllContainersOnContainerExits": may_restart_all,
    "UserNamespacesHostNetworkSupport": _maps_users_of_the_host_network,
}
"""By the feature's name: which pods need it."""


class Features(AdmitHandler):
    """Names all that is missing."""

    rank = 90

    def refuse(self, pod: Pod, view: NodeView) -> Refusal | None:
        """Refuse what would run otherwise than its owner thinks."""
        missing = [name for name, needed in _NEEDS.items() if name not in view.declared and needed(pod)]
        text = f"Pod requires node features that are not available: {', '.join(missing)}"
        return Refusal("PodFeatureUnsupported", text) if missing else None
