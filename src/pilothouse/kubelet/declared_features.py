"""Features that the node says it has, as not every node has them: pods and changes of pods may need them. KEP-5328."""

from pilothouse.kubelet.cri.interface import RuntimeStatus

_OURS = frozenset({"GuaranteedQoSPodCPUResize", "RestartAllContainersOnContainerExits"})
"""Of the kubelet, whatever runtime it has. No processors are set aside for single pods: all CPU can be resized."""
_MAPPED_HOST_NETWORK = "UserNamespacesHostNetworkSupport"


def declared_features(runtime: RuntimeStatus | None) -> frozenset[str]:
    """Those of this node. `runtime` is None while it does not say what it can do."""
    if runtime is not None and runtime.features is not None and runtime.features.user_namespaces_host_network:
        return _OURS | {_MAPPED_HOST_NETWORK}
    return _OURS
