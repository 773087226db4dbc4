"""Images on the cluster's nodes."""

from pathlib import Path

from pilothouse.cluster.errors import ClusterError
from pilothouse.cluster.home import Home
from pilothouse.cluster.node_places import containerd_config
from pilothouse.cluster.settings import Settings
from pilothouse.kubelet.containerd import Containerd, RuntimeMissing
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.cri.interface import CriUnavailable, Image
from pilothouse.runtime.clock import SystemClock


async def load(home: Home, archive: Path) -> None:
    """Put the images of an archive on every node. Raises ClusterError."""
    check_node(home)
    config = containerd_config(home)
    try:
        await Containerd(config, SystemClock()).import_image(archive)
    except RuntimeMissing as error:
        raise ClusterError(f"{error}: give an archive from docker save, podman save or buildah push") from error


async def images(home: Home) -> list[Image]:
    """The images that the nodes have. Raises ClusterError."""
    check_node(home)
    config = containerd_config(home)
    async with CriClient(str(config.socket), SystemClock()) as cri:
        try:
            return await cri.images()
        except CriUnavailable as error:
            raise ClusterError(f"the node's containerd does not answer: {error}") from error


def check_node(home: Home) -> None:
    """Raise ClusterError unless the cluster has a node that runs."""
    if not Settings.load(home).node:
        raise ClusterError("this cluster has no node that could hold images: it was made with --no-node")
    if not containerd_config(home).socket.exists():
        raise ClusterError("the cluster does not run: start it with `pilothouse up`")
