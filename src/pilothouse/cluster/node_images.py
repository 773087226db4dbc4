"""Images on the cluster's nodes."""

from pathlib import Path

from pilothouse.cluster.errors import ClusterError
from pilothouse.cluster.home import Home
from pilothouse.cluster.node_configuration import document
from pilothouse.cluster.node_places import containerd_config, runtime_socket
from pilothouse.cluster.settings import Settings
from pilothouse.kubelet.containerd import Containerd, RuntimeMissing
from pilothouse.kubelet.cri.access import socket_of
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.cri.interface import CriUnavailable, Image
from pilothouse.runtime.clock import SystemClock


async def load(home: Home, archive: Path) -> None:
    """Put the images of an archive on every node. Raises ClusterError."""
    check_loading(home)
    try:
        await Containerd(containerd_config(home), SystemClock()).import_image(archive)
    except RuntimeMissing as error:
        raise ClusterError(f"{error}: give an archive from docker save, podman save or buildah push") from error


async def images(home: Home) -> list[Image]:
    """The images that the nodes have. Raises ClusterError."""
    settings = check_node(home)
    elsewhere = document(home, settings).get("imageServiceEndpoint")
    socket = socket_of(elsewhere) if elsewhere else runtime_socket(home, settings)
    async with CriClient(socket, SystemClock()) as cri:
        try:
            return await cri.images()
        except CriUnavailable as error:
            raise ClusterError(f"the node's container runtime does not answer: {error}") from error


def check_loading(home: Home) -> None:
    """Raise ClusterError unless archives can be loaded: the CRI knows no such call, the node's own containerd does."""
    if endpoint := check_node(home).runtime_endpoint:
        raise ClusterError(
            f"images cannot be loaded into the container runtime at {endpoint}, which is not ours: load them with its "
            "own tools (ctr --namespace k8s.io images import, podman load, ...), or have it pull them from a registry"
        )


def check_node(home: Home) -> Settings:
    """The cluster's settings. Raises ClusterError unless it has a node that runs."""
    settings = Settings.load(home)
    if not settings.node:
        raise ClusterError("this cluster has no node that could hold images: it was made with --no-node")
    if settings.runtime_endpoint and not Path(runtime_socket(home, settings)).exists():
        raise ClusterError(f"the container runtime at {settings.runtime_endpoint} does not run: start it")
    if not settings.runtime_endpoint and not containerd_config(home).socket.exists():
        raise ClusterError("the cluster does not run: start it with `pilothouse up`")
    return settings
