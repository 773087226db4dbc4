"""Where the node's parts lie, for the process that runs it and for whoever removes it."""

from pilothouse.cluster.home import Home
from pilothouse.kubelet.containerd import ContainerdConfig


def containerd_config(home: Home) -> ContainerdConfig:
    """The cluster's own containerd."""
    return ContainerdConfig(
        root=home.node / "containerd",
        state=home.node / "run",
        cni_config=home.node / "cni",
        registry_config=home.node / "registries",
    )


def cgroup_root(home: Home) -> str:
    """The control group that all pods of this cluster lie in; the name is this cluster's alone."""
    return f"/pilothouse-{home.cluster}"
