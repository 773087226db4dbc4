"""Preflight: what would keep a cluster from coming up, found before anything is made. One sentence each."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from pilothouse.cluster.addresses import is_free, is_ours
from pilothouse.cluster.errors import ClusterError
from pilothouse.cluster.settings import Settings
from pilothouse.kubelet.containerd import RuntimeMissing, plugin_directory
from pilothouse.kubelet.cri.access import socket_of
from pilothouse.kubelet.handlers import detect_handlers

_PROGRAMS = {
    "containerd": "containerd",
    "ctr": "containerd",
    "nft": "nftables",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "catatonit": "catatonit",
}
"""What a node runs, and the Debian package that brings it."""
_RUNTIME = ("containerd", "ctr", "catatonit")
"""Those that a node needs for a containerd of its own alone."""
_SPACE = 20 << 20
_NODELESS = "--no-node makes a control plane alone, --simulated-nodes N adds nodes without containers"


def check_machine(settings: Settings, *, root: bool) -> None:
    """Raise ClusterError if a new cluster with these settings cannot start here."""
    if settings.node and not root:
        raise ClusterError(f"a node needs root: run this as root; {_NODELESS}")
    if not is_free(settings.port):
        raise ClusterError(f"port {settings.port} is in use: choose another with --port, or end who listens there")
    if not settings.node:
        return
    if not settings.advertise:
        raise ClusterError(f"this machine has no address but loopback, a node needs one; {_NODELESS}")
    if settings.node_ip and not is_ours(settings.node_ip):
        raise ClusterError(
            f'{settings.node_ip} is no address of this machine: name another with --node-ip, or "" for the usual one'
        )
    if settings.runtime_endpoint and not Path(socket := socket_of(settings.runtime_endpoint)).is_socket():
        raise ClusterError(f"no container runtime listens at {socket}: start it, or name another endpoint")
    check_programs(path=None, own_runtime=not settings.runtime_endpoint)
    check_kernel(Path("/proc/filesystems").read_text(), Path("/proc/self/mounts").read_text())


def check_space(path: Path, free: int) -> None:
    """Raise ClusterError if the disk of a home has not the bytes that state and logs of an empty cluster take."""
    if free < _SPACE:
        raise ClusterError(
            f"the disk of {path} has {free / 2**20:.0f} MiB left, {_SPACE >> 20} are needed: free some, "
            "or name a directory elsewhere with --home"
        )


def check_programs(path: str | None, *, own_runtime: bool = True) -> None:
    """Raise ClusterError naming every package that is missing."""
    needed = {name: package for name, package in _PROGRAMS.items() if own_runtime or name not in _RUNTIME}
    packages = [package for program, package in needed.items() if shutil.which(program, path=path) is None]
    if own_runtime:
        packages += _missing_beside(path)
    if packages:
        names = " ".join(dict.fromkeys(packages))
        raise ClusterError(f"a node needs more programs: apt-get install {names}; {_NODELESS}")


def _missing_beside(path: str | None) -> list[str]:
    """What the node's own containerd calls."""
    packages = [] if detect_handlers(path) else ["runc"]
    try:
        plugin_directory()
    except RuntimeMissing:
        packages.append("containernetworking-plugins")
    return packages


def check_kernel(filesystems: str, mounts: str) -> None:
    """Raise ClusterError for a kernel that cannot carry containers."""
    missing = [
        name
        for name, there in (
            ("overlayfs (CONFIG_OVERLAY_FS)", _has(filesystems, "overlay")),
            ("control groups mounted at /sys/fs/cgroup", " /sys/fs/cgroup" in mounts),
        )
        if not there
    ]
    if missing:
        raise ClusterError(f"this kernel lacks {' and '.join(missing)}, which a node needs; {_NODELESS}")


def _has(filesystems: str, name: str) -> bool:
    words: Iterable[str] = filesystems.split()
    return name in words
