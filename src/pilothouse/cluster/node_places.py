"""Where the node's parts lie, for the process that runs it and for whoever removes it."""

from pathlib import Path

from pilothouse.cluster.home import Home
from pilothouse.cluster.settings import Settings
from pilothouse.kubelet.containerd import ContainerdConfig
from pilothouse.kubelet.cri.access import socket_of
from pilothouse.kubelet.layout import Layout


def containerd_config(home: Home, mirrors: str = "") -> ContainerdConfig:
    """The cluster's own containerd; `mirrors` is where somebody says where registries' images are to be had instead."""
    return ContainerdConfig(
        root=home.node / "containerd",
        state=home.node / "run",
        cni_config=home.node / "cni",
        registry_config=home.node / "registries",
        mirrors=Path(mirrors) if mirrors else None,
    )


def containerd_as_started(home: Home, settings: Settings) -> ContainerdConfig:
    """The same, to be met where it runs: told of other mirrors, or of none, it would be started anew.

    A directory of mirrors that is gone is no reason not to start it.
    """
    mirrors = settings.registry_mirrors
    return containerd_config(home, mirrors if mirrors and Path(mirrors).is_dir() else "")


def runtime_socket(home: Home, settings: Settings) -> str:
    """Where the node's runtime answers, its own or somebody else's."""
    return socket_of(settings.runtime_endpoint) if settings.runtime_endpoint else str(containerd_config(home).socket)


def layout(home: Home) -> Layout:
    """Where things of pods lie, unless somebody has named another place for their logs."""
    return Layout(home.node / "kubelet", home.node / "logs")


def pods_here(home: Home) -> set[str]:
    """The uids of pods with a directory on this node: it is made before their sandboxes, and goes after them."""
    place = layout(home).pods
    return {each.name for each in place.iterdir()} if place.is_dir() else set()


def cgroup_root(home: Home) -> str:
    """The control group that all pods of this cluster lie in; the name is this cluster's alone."""
    return f"/pilothouse-{home.cluster}"
