"""AppArmor: pods that want a profile enforced need a kernel that enforces some."""

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.admit_handler import AdmitHandler, NodeView, Refusal
from pilothouse.kubelet.containers import every


class AppArmor(AdmitHandler):
    """Whether a profile is loaded, the runtime finds out."""

    rank = 80

    def refuse(self, pod: Pod, view: NodeView) -> Refusal | None:
        """Refuse what the kernel would silently ignore."""
        if view.app_armor or pod.status.phase not in ("", "Pending"):
            return None
        contexts = (pod.spec.securityContext, *(one.securityContext for one in every(pod)))
        if any(context.appArmorProfile.type not in ("", "Unconfined") for context in contexts):
            return Refusal("AppArmor", "Cannot enforce AppArmor: AppArmor is not enabled on the host")
        return None
