"""What the machine is: processors, memory, disk, identity, read from /proc, /sys and /etc.

Sources: proc(5), machine-id(5), os-release(5); upstream takes the same from cAdvisor.
"""

import os
import platform
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "ppc64le": "ppc64le", "s390x": "s390x"}
"""The kernel's names and Kubernetes' (Go's)."""
_PAGE_SIZES = "sys/kernel/mm/hugepages"
_MACHINE_IDS = ("etc/machine-id", "var/lib/dbus/machine-id")


@dataclass(frozen=True, slots=True)
class Disk:
    """A filesystem, in bytes and inodes."""

    size: int
    available: int
    inodes: int
    free_inodes: int

    @classmethod
    def of(cls, path: Path) -> "Disk":
        """The filesystem that `path` lies on. Raises OSError."""
        found = os.statvfs(path)
        return cls(found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize, found.f_files, found.f_ffree)


@dataclass(frozen=True, slots=True)
class Processes:
    """Processes and threads of the machine."""

    most: int
    present: int

    @classmethod
    def read(cls, root: Path = Path("/")) -> "Processes":
        """As many as there may be, and as there are now. Raises OSError."""
        limits = [int((root / "proc/sys/kernel" / name).read_text()) for name in ("pid_max", "threads-max")]
        return cls(min(limits), int((root / "proc/loadavg").read_text().split()[3].partition("/")[2]))


@dataclass(frozen=True, slots=True)
class Machine:
    """What does not change while the kubelet runs. Memory in bytes."""

    cpus: int
    memory: int
    hugepages: Mapping[int, int]
    """How many are reserved, by size in bytes."""
    machine_id: str
    system_uuid: str
    boot_id: str
    kernel: str
    os_image: str
    architecture: str
    hot_paths: tuple[str, ...] = ()
    """Where processors tell of their heat, by which neighbours can be overheard."""
    swap: int = 0

    @classmethod
    def read(cls, root: Path = Path("/")) -> "Machine":
        """This machine, or what files below `root` say of one."""
        sizes = memory_sizes((root / "proc/meminfo").read_text())
        return cls(
            cpus=os.cpu_count() or 1,
            memory=sizes["MemTotal"],
            swap=sizes.get("SwapTotal", 0),
            hugepages=_hugepages(root / _PAGE_SIZES),
            machine_id=next(filter(None, (_line(root / place) for place in _MACHINE_IDS)), ""),
            system_uuid=_line(root / "sys/class/dmi/id/product_uuid"),
            boot_id=_line(root / "proc/sys/kernel/random/boot_id"),
            kernel=platform.release(),
            os_image=pretty_name((root / "etc/os-release").read_text()) if (root / "etc/os-release").exists() else "",
            architecture=ARCHITECTURES.get(platform.machine(), platform.machine()),
            hot_paths=tuple(
                f"/{place.relative_to(root)}"
                for place in sorted(root.glob("sys/devices/system/cpu/cpu*/thermal_throttle"))
            ),
        )


def memory_sizes(text: str) -> dict[str, int]:
    """The sizes in /proc/meminfo, in bytes."""
    found = (line.split() for line in text.splitlines())
    return {words[0].rstrip(":"): int(words[1]) * 1024 for words in found if len(words) == 3 and words[2] == "kB"}


def pretty_name(text: str) -> str:
    """What an os-release calls the system."""
    lines = (line.partition("=") for line in text.splitlines())
    return next((" ".join(shlex.split(value)) for name, _, value in lines if name == "PRETTY_NAME"), "")


def _hugepages(directory: Path) -> dict[int, int]:
    if not directory.exists():
        return {}
    places = sorted(directory.glob("hugepages-*kB"))
    return {
        int(place.name.removeprefix("hugepages-").removesuffix("kB")) * 1024: int(_line(place / "nr_hugepages") or 0)
        for place in places
    }


def _line(path: Path) -> str:
    """A file of one line; empty where it is missing or not ours to read."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""
