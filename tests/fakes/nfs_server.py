"""The kernel's NFS server (nfsd(7), exports(5)), which exports one directory by version 4 to this machine alone."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_CONTROL = Path("/proc/fs/nfsd")
_OPTIONS = "rw,sync,no_root_squash,no_subtree_check,insecure,fsid=0"
"""The export that is the root of all that clients see: they mount `/`."""
ADDRESS = "127.0.0.1"


def skip_without_nfs() -> None:
    """Where there is none, or one that is somebody else's."""
    if os.geteuid() != 0 or any(shutil.which(name) is None for name in ("rpc.nfsd", "rpc.mountd", "mount.nfs")):
        pytest.skip("needs root, nfs-kernel-server and nfs-common")
    if "nfsd" not in Path("/proc/filesystems").read_text() and _try("modprobe", "nfsd"):
        pytest.skip("this kernel has no NFS server")
    if (_CONTROL / "threads").exists() and (_CONTROL / "threads").read_text().strip() != "0":
        pytest.skip("an NFS server of somebody else's is running")


class NfsServer:
    """One that can be taken away and brought back."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def start(self) -> None:
        """Serve; nobody has anything to reclaim, so that no time is kept for it."""
        _do("rpc.nfsd", "--no-nfs-version", "3", "--host", ADDRESS, "2")
        (_CONTROL / "v4_end_grace").write_text("Y")

    def stop(self) -> None:
        """Refuse connections from now on."""
        _do("rpc.nfsd", "0")


@contextmanager
def serve_nfs(directory: Path) -> Iterator[NfsServer]:
    """A directory exported, which nobody must have mounted any more in the end."""
    mounted = not _CONTROL.is_mount()
    if mounted:
        _do("mount", "-t", "nfsd", "nfsd", str(_CONTROL))
    exported, server = f"{ADDRESS}:{directory}", NfsServer(directory)
    _do("exportfs", "-o", _OPTIONS, exported)
    mountd = subprocess.Popen(["rpc.mountd", "--foreground", "--no-nfs-version", "3"])
    try:
        server.start()
        yield server
    finally:
        server.stop()
        mountd.terminate()
        mountd.wait()
        _do("exportfs", "-u", exported)
        _do("exportfs", "-f")
        if mounted:
            _do("umount", str(_CONTROL))


def _try(*command: str) -> int:
    return subprocess.run(command, check=False, capture_output=True).returncode


def _do(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
