"""Control groups, version 1, 2 and hybrid, read and written as files. cgroups(7), the kernel's cgroup-v2.rst.

A path such as `/kubepods/burstable/pod1` names one group in every hierarchy. Only what the machine mounts is touched.
"""

import errno
import math
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

_V2_CONTROLLERS = ("cpuset", "cpu", "io", "memory", "hugetlb", "pids")


@dataclass(frozen=True, slots=True)
class GroupLimits:
    """What a group may use; 0 stands for no limit, None leaves it as it is."""

    cpu_shares: int | None = 0
    cpu_quota: int | None = 0
    cpu_period: int = 100_000
    memory: int | None = 0
    pids: int | None = 0
    hugepages: Mapping[str, int] = field(default_factory=dict)
    """Bytes by size of page as the kernel writes it, such as `2MB`. Here 0 is none at all; what is not named stays."""


@dataclass(frozen=True, slots=True)
class Cgroups:
    """The hierarchies of this machine."""

    controllers: dict[str, Path]
    """Version 1: mount point by controller; several may share one."""
    unified: Path | None
    """Version 2: its mount point, which in a hybrid machine has few controllers or none."""

    @property
    def v2(self) -> bool:
        """Whether version 2 rules alone."""
        return self.unified is not None and not self.controllers

    @classmethod
    def detect(cls, mounts: str | None = None) -> Self:
        """Find the hierarchies; `mounts` is the content of /proc/self/mounts."""
        text = Path("/proc/self/mounts").read_text() if mounts is None else mounts
        controllers: dict[str, Path] = {}
        unified = None
        known = {"cpu", "cpuacct", "cpuset", "memory", "pids", "blkio", "devices", "freezer", "hugetlb", "net_cls",
                 "net_prio", "perf_event", "rdma", "misc"}  # fmt: skip
        for line in text.splitlines():
            _, point, kind, options, *_ = line.split()
            if kind == "cgroup2":
                unified = unified or Path(point)
            elif kind == "cgroup":
                for option in options.split(","):
                    if option in known or option == "name=systemd":
                        controllers.setdefault(option, Path(point))
        return cls(controllers, unified)

    def directories(self, path: str) -> list[Path]:
        """The group's directory in each hierarchy."""
        roots = list(dict.fromkeys(self.controllers.values()))
        roots += [self.unified] if self.unified is not None else []
        return [root / path.lstrip("/") for root in roots]

    def _groups(self, path: str) -> list[str]:
        """The same as text: a pod that starts has dozens of files written, and pathlib takes longer than the kernel."""
        roots = dict.fromkeys(self.controllers.values()) | ({} if self.unified is None else {self.unified: None})
        return [f"{root}/{path.lstrip('/')}" for root in roots]

    def create(self, path: str) -> None:
        """Have the group, and those above it, in every hierarchy."""
        for directory in self._groups(path):
            try:
                os.mkdir(directory)
            except (FileExistsError, FileNotFoundError):
                os.makedirs(directory, exist_ok=True)
        if "cpuset" in self.controllers:
            self._inherit_cpuset(path)
        if self.unified is not None:
            self._delegate(path)

    def _inherit_cpuset(self, path: str) -> None:
        """A new group of version 1 may use no CPU at all until told otherwise."""
        directory = str(self.controllers["cpuset"])
        for name in path.strip("/").split("/"):
            parent, directory = directory, f"{directory}/{name}"
            for file in ("cpuset.cpus", "cpuset.mems"):
                if not _read(f"{directory}/{file}").strip():
                    _write(f"{directory}/{file}", _read(f"{parent}/{file}"))

    def _delegate(self, path: str) -> None:
        """Let groups of version 2 down to the parent of `path` hand their controllers on."""
        directory = str(self.unified)
        for name in path.strip("/").split("/"):
            control = f"{directory}/cgroup.subtree_control"
            offered, enabled = _read(f"{directory}/cgroup.controllers").split(), _read(control).split()
            for controller in _V2_CONTROLLERS:
                if controller in offered and controller not in enabled:
                    _write(control, f"+{controller}")
            directory = f"{directory}/{name}"

    def place(self, controller: str, path: str) -> Path | None:
        """The group's directory where the controller is: in its own hierarchy, else in version 2; None: nowhere."""
        root = self.controllers.get(controller, self.unified)
        return None if root is None else root / path.lstrip("/")

    def limit(self, path: str, limits: GroupLimits) -> None:
        """Set what the group may use. With version 2 the kernel kills what uses more memory already."""
        for controller in ("cpu", "memory", "pids", "hugetlb"):
            place = self.place(controller, path)
            if place is None:
                continue
            settings = _V1[controller] if controller in self.controllers else _V2[controller]
            for name, value in settings(limits):
                with suppress(FileNotFoundError):
                    _write(f"{place}/{name}", value)

    def counts_swap(self, own: str | None = None) -> bool:
        """Whether the kernel limits what groups swap. `own` is the content of /proc/self/cgroup."""
        if "memory" in self.controllers:
            return (self.controllers["memory"] / "memory.memsw.limit_in_bytes").exists()
        text = Path("/proc/self/cgroup").read_text() if own is None else own
        mine = next((line.removeprefix("0::/") for line in text.splitlines() if line.startswith("0::/")), None)
        # The root has no such file.
        return self.unified is not None and mine is not None and (self.unified / mine / "memory.swap.max").exists()

    def exists(self, path: str) -> bool:
        """Whether any hierarchy has the group."""
        return any(os.path.exists(directory) for directory in self._groups(path))

    def children(self, path: str) -> list[str]:
        """Names of the groups directly below, in any hierarchy."""
        names: set[str] = set()
        for directory in self._groups(path):
            with suppress(FileNotFoundError, NotADirectoryError), os.scandir(directory) as entries:
                names.update(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
        return sorted(names)

    def processes(self, path: str) -> set[int]:
        """Pids in the group and in those below it."""
        found: set[int] = set()
        for directory in self.directories(path):
            for group, _, _ in os.walk(directory):  # which does not mind groups that go meanwhile
                try:
                    found |= {int(line) for line in Path(group, "cgroup.procs").read_text().split()}
                except OSError as error:
                    if error.errno not in (errno.ENOENT, errno.ENODEV, errno.EOPNOTSUPP):
                        raise
        return found

    def kill(self, path: str) -> None:
        """End all processes in the group and in those below it, at once."""
        for pid in self.processes(path):
            if pid:  # 0 is one that our namespace does not see
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def remove(self, path: str) -> bool:
        """Take the group and those below it away; False when processes in it keep it."""
        gone = True
        for directory in self.directories(path):
            # The kernel's files vanish with their directory: only directories are removed, the deepest first.
            groups = (
                [directory, *(entry for entry in directory.rglob("*") if entry.is_dir())] if directory.exists() else []
            )
            for group in sorted(groups, reverse=True):
                try:
                    group.rmdir()
                except FileNotFoundError:
                    continue
                except OSError as error:
                    if error.errno != errno.EBUSY:
                        raise
                    gone = False
        return gone


def _read(path: str) -> str:
    with open(path, "rb", buffering=0) as file:
        return file.readall().decode()


def _write(path: str, text: str) -> None:
    """Into a file that is there. Raises OSError, also when the kernel refuses what is written."""
    file = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
    try:
        os.write(file, text.encode())
    finally:
        os.close(file)


def weight(shares: int) -> int:
    """CPU shares of version 1 (2 to 262144) as the weight of version 2 (1 to 10000); 1024 are 100, both the default.

    The quadratic curve through these three points, in logarithms, as in opencontainers/cgroups.
    """
    if not 2 < shares < 262_144:
        return 1 if shares <= 2 else 10_000
    power = math.log2(shares)
    return math.ceil(10 ** ((power * power + 125 * power) / 612 - 7 / 34))


_Settings = list[tuple[str, str]]
"""Files and what is written to them, in this order."""


def _cpu_v1(limits: GroupLimits) -> _Settings:
    found: _Settings = []
    if limits.cpu_shares is not None:
        found.append(("cpu.shares", str(max(limits.cpu_shares, 2))))
    if limits.cpu_quota is not None:
        found.append(("cpu.cfs_period_us", str(limits.cpu_period)))
        found.append(("cpu.cfs_quota_us", str(limits.cpu_quota or -1)))
    return found


def _cpu_v2(limits: GroupLimits) -> _Settings:
    found: _Settings = []
    if limits.cpu_shares is not None:
        found.append(("cpu.weight", str(weight(limits.cpu_shares))))
    if limits.cpu_quota is not None:
        found.append(("cpu.max", f"{limits.cpu_quota or 'max'} {limits.cpu_period}"))
    return found


def _memory_v1(limits: GroupLimits) -> _Settings:
    return [] if limits.memory is None else [("memory.limit_in_bytes", str(limits.memory or -1))]


def _memory_v2(limits: GroupLimits) -> _Settings:
    return [] if limits.memory is None else [("memory.max", str(limits.memory or "max"))]


def _pids(limits: GroupLimits) -> _Settings:
    return [] if limits.pids is None else [("pids.max", str(limits.pids or "max"))]


def _hugepages_v1(limits: GroupLimits) -> _Settings:
    return _hugepages(limits, "limit_in_bytes")


def _hugepages_v2(limits: GroupLimits) -> _Settings:
    return _hugepages(limits, "max")


def _hugepages(limits: GroupLimits, name: str) -> _Settings:
    """Those that are used, and those that are merely reserved, which later kernels count apart."""
    return [
        (f"hugetlb.{size}.{counted}{name}", str(most))
        for size, most in limits.hugepages.items()
        for counted in ("", "rsvd.")
    ]


_V1 = {"cpu": _cpu_v1, "memory": _memory_v1, "pids": _pids, "hugetlb": _hugepages_v1}
_V2 = {"cpu": _cpu_v2, "memory": _memory_v2, "pids": _pids, "hugetlb": _hugepages_v2}
