"""SysctlForbidden: pods set the sysctls that the node allows, no others."""

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.admit_handler import AdmitHandler, NodeView, Refusal


class Sysctls(AdmitHandler):
    """Tells of the first that is not allowed."""

    rank = 20

    def refuse(self, pod: Pod, view: NodeView) -> Refusal | None:
        """Refuse what would reach beyond the pod."""
        network, ipc = bool(pod.spec.hostNetwork), bool(pod.spec.hostIPC)
        for sysctl in pod.spec.securityContext.sysctls:
            if problem := view.sysctls.problem(sysctl.name, host_network=network, host_ipc=ipc):
                return Refusal("SysctlForbidden", f"forbidden sysctl: {problem}")
        return None
