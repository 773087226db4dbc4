"""What pods have left on a node, by sort: to be compared before and after.

Directories of tasks are not: those that a killed containerd leaves go when it starts for the next time.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kubelet.test_on_containerd import BRIDGE, CGROUP
from pilothouse.kubelet.containerd import ContainerdConfig
from pilothouse.linux.cgroups import Cgroups
from pilothouse.linux.mounts import Mounts


def present(config: ContainerdConfig) -> dict[str, set[str]]:
    """What there is now."""
    home = config.root.parent
    ipam = home / "ipam"
    links = subprocess.run(["ip", "-o", "link", "show", "master", BRIDGE], capture_output=True, text=True, check=False)
    return {
        "shims": {line for line in _commands() if "containerd-shim" in line and str(config.state) in line},
        "processes in groups": set(map(str, _in_groups())),
        "namespaces": {entry.name for entry in Path("/run/netns").iterdir()} if Path("/run/netns").is_dir() else set(),
        "links": {line.split(":")[1].strip() for line in links.stdout.splitlines()},
        "addresses": {entry.name for entry in ipam.rglob("10.*")} if ipam.exists() else set(),
        "mounts": {str(point) for point in Mounts().below(home)},
        "groups": {*_groups()},
        "containers' directories": {
            str(entry) for kind in ("containers", "sandboxes") for place in (config.root, config.state)
            for entry in place.glob(f"io.containerd.grpc.v1.cri/{kind}/*")
        },
        "snapshots of pulls": _ingests(config),
    }  # fmt: skip


@contextmanager
def left_by(config: ContainerdConfig) -> Iterator[None]:
    """See that what is done meanwhile leaves nothing."""
    before = present(config)
    yield
    after = present(config)
    left = {sort: sorted(found - before[sort]) for sort, found in after.items() if found - before[sort]}
    assert left == {}, left


def _commands() -> Iterator[str]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(bytes(1), b" ")
                yield f"{entry.name} {line.decode(errors='replace')}"
            except (FileNotFoundError, ProcessLookupError):
                continue


def _groups() -> Iterator[str]:
    cgroups = Cgroups.detect()
    for kind in ("besteffort", "burstable", ""):
        parent = f"{CGROUP}/kubepods/{kind}".rstrip("/")
        yield from (f"{parent}/{name}" for name in cgroups.children(parent) if name.startswith("pod"))


def _in_groups() -> list[int]:
    cgroups = Cgroups.detect()
    return [pid for group in _groups() for pid in cgroups.processes(group)]


def _ingests(config: ContainerdConfig) -> set[str]:
    """Layers that came in part are kept for the next try; they are few, and the runtime's own."""
    return {
        str(entry) for entry in config.root.glob("io.containerd.snapshotter.v1.overlayfs/new-*")
    }  # fmt: skip
