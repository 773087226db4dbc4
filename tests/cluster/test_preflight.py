"""Preflight: one sentence for each thing that would keep a node from coming up."""

import socket
from pathlib import Path

import pytest

from pilothouse.cluster.errors import ClusterError
from pilothouse.cluster.preflight import check_kernel, check_machine, check_programs, check_space
from pilothouse.cluster.settings import Settings

MOUNTS = "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n"


def test_a_port_in_use() -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        settings = Settings(port=taken.getsockname()[1], node=False)
        with pytest.raises(ClusterError, match=r"port \d+ is in use: choose another with --port"):
            check_machine(settings, root=True)


def test_a_node_needs_root() -> None:
    """Said first: with another port it would still not come up."""
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        settings = Settings(port=taken.getsockname()[1], node=True, advertise="192.0.2.1")
        with pytest.raises(ClusterError, match=r"a node needs root.*--no-node"):
            check_machine(settings, root=False)


def test_a_node_needs_an_address() -> None:
    with pytest.raises(ClusterError, match="no address but loopback"):
        check_machine(Settings(port=0, node=True, advertise=""), root=True)


def test_an_address_that_the_machine_no_longer_has() -> None:
    settings = Settings(port=0, node=True, advertise="192.0.2.1", node_ip="192.0.2.1")
    with pytest.raises(ClusterError, match=r"192.0.2.1 is no address of this machine: .*--node-ip"):
        check_machine(settings, root=True)


def test_a_control_plane_alone_needs_neither() -> None:
    check_machine(Settings(port=0, node=False, advertise=""), root=False)


def test_a_full_disk() -> None:
    with pytest.raises(ClusterError, match=r"the disk of /data/home has 3 MiB left, 20 are needed: free some, or name"):
        check_space(Path("/data/home"), 3 << 20)
    check_space(Path("/data/home"), 1 << 30)


def test_missing_programs_are_named_by_their_packages(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="apt-get install containerd nftables iptables conntrack catatonit runc"):
        check_programs(str(tmp_path))


def test_a_kernel_that_cannot() -> None:
    with pytest.raises(ClusterError, match=r"overlayfs .* and control groups"):
        check_kernel("nodev\tproc\n", "")
    check_kernel("nodev\toverlay\n", MOUNTS)


def test_a_runtime_of_somebody_else_s_needs_none_of_ours(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="apt-get install nftables iptables conntrack;"):
        check_programs(str(tmp_path), own_runtime=False)
    settings = Settings(port=0, advertise="192.0.2.1", runtime_endpoint=f"unix://{tmp_path}/none.sock")
    with pytest.raises(ClusterError, match=r"no container runtime listens at .*/none.sock: start it"):
        check_machine(settings, root=True)
