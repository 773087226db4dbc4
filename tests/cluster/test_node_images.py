"""Images on the node: what only a containerd of its own can do, and what is said where it has none."""

import asyncio
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilothouse.cluster.errors import ClusterError
from pilothouse.cluster.home import Home
from pilothouse.cluster.node_images import check_loading, check_node, images, load
from pilothouse.cluster.settings import Settings


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


def cluster(place: Path, endpoint: str = "", *, node: bool = True) -> Home:
    Settings(node=node, runtime_endpoint=endpoint).save(Home(place))
    return Home(place)


def test_a_runtime_that_is_not_ours(place: Path) -> None:
    path = place / "foreign.sock"
    home = cluster(place, f"unix://{path}")
    with pytest.raises(ClusterError, match=f"the container runtime at unix://{path} does not run: start it"):
        check_node(home)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        assert check_node(home).runtime_endpoint == f"unix://{path}"
        why = f"images cannot be loaded into the container runtime at unix://{path}, which is not ours: load them with"
        with pytest.raises(ClusterError, match=why):
            check_loading(home)
        with pytest.raises(ClusterError, match=why):
            asyncio.run(load(home, place / "image.tar"))
        with pytest.raises(ClusterError, match="the node's container runtime does not answer"):
            asyncio.run(images(home))


def test_a_cluster_that_does_not_run_and_one_without_a_node(place: Path) -> None:
    with pytest.raises(ClusterError, match="the cluster does not run"):
        check_loading(cluster(place))
    with pytest.raises(ClusterError, match="made with --no-node"):
        check_loading(cluster(place, node=False))
