"""What pods and the node use. Looked at when somebody asks, and at most every ten seconds: many ask.

CPU time and memory are the kernel's, from control groups: a few small files each, read in a thread. Only what
containers write outside of their volumes the runtime must be asked for. Upstream: pkg/kubelet/stats.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Generic, TypeVar

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet import disk_usage
from pilothouse.kubelet.cri.interface import Container, ContainerState, Cri, CriError, Sandbox
from pilothouse.kubelet.disk_usage import FilesystemUse
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.oom_kills import OomCounts
from pilothouse.kubelet.resources.linux import container_limits, pod_limits
from pilothouse.kubelet.resources.pod_cgroups import PodCgroups
from pilothouse.kubelet.volume_meter import VolumeMeter
from pilothouse.linux.cgroup_usage import Throttling, Usage, throttling, usage
from pilothouse.linux.cgroups import Cgroups
from pilothouse.linux.interface_usage import InterfaceUsage, interfaces
from pilothouse.linux.pressure import Pressure, pressures
from pilothouse.runtime.clock import Clock, Instant
from pilothouse.runtime.log import Log

log = Log(__name__)
FRESH = 10.0
"""Seconds for which figures count."""
LATEST = 1.0
"""The same for who makes rates of them, and so needs two that differ before long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupUse:
    """A control group: whose it is, and how much it uses."""

    path: str
    at: Instant
    usage: Usage
    nano_cores: int | None = None
    """Since the last look, in billionths of a CPU; None: there was none."""
    throttling: Throttling | None = None
    """Of one with a quota."""
    pressures: Mapping[str, Pressure] = field(default_factory=dict)
    """By resource, where the kernel tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodUse:
    """One pod. Containers are those that run, by name."""

    uid: str
    name: str = ""
    namespace: str = ""
    pod: Pod | None = None
    started: Instant = 0.0
    containers: Mapping[str, Usage] = field(default_factory=dict)
    logs: Mapping[str, FilesystemUse] = field(default_factory=dict)
    """By container."""
    writable: Mapping[str, FilesystemUse] = field(default_factory=dict)
    """By container: what it wrote outside of its volumes."""
    volumes: Mapping[str, FilesystemUse] = field(default_factory=dict)
    """By name, as they were up to a minute ago."""
    whole: GroupUse | None = None
    """With everything that is in its group."""
    groups: Mapping[str, GroupUse] = field(default_factory=dict)
    """By container."""
    runs: Mapping[str, Container] = field(default_factory=dict)
    """By container."""
    sandbox: str = ""
    interfaces: tuple[InterfaceUsage, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeUse:
    """The machine."""

    whole: GroupUse | None = None
    groups: Mapping[str, GroupUse] = field(default_factory=dict)
    """Those that hold pods, by path: all of them, then by class."""
    interfaces: tuple[InterfaceUsage, ...] = ()


_T = TypeVar("_T")


class _Fresh(Generic[_T]):
    """A value that is made when somebody asks and it is no longer fresh; all who ask meanwhile wait for the same."""

    def __init__(self, clock: Clock, seconds: float, make: Callable[[], Awaitable[_T]]) -> None:
        self._clock = clock
        self._seconds = seconds
        self._make = make
        self._lock = asyncio.Lock()
        self._made: tuple[float, _T] | None = None

    async def get(self, seconds: float | None = None) -> _T:
        """`seconds` instead of the usual ones."""
        fresh = self._seconds if seconds is None else min(seconds, self._seconds)
        async with self._lock:
            if self._made is None or self._clock.monotonic() - self._made[0] >= fresh:
                self._made = (self._clock.monotonic(), await self._make())
            return self._made[1]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be read of one pod."""

    pod: Pod
    sandbox: Sandbox
    runs: Sequence[Container]
    group: str


class Stats:
    """One for the node. Methods may raise CriError."""

    def __init__(
        self, cri: Cri, clock: Clock, pods: Callable[[], Iterable[Pod]], layout: Layout, groups: PodCgroups,
        cgroups: Cgroups, kubepods: str = "/kubepods", fresh: float = FRESH,
    ) -> None:  # fmt: skip
        self.volumes = VolumeMeter(layout, clock)
        self.oom_kills = OomCounts()
        self._cri = cri
        self._clock = clock
        self._pods = pods
        self._layout = layout
        self._groups = groups
        self._cgroups = cgroups
        self._kubepods = kubepods
        self._before: dict[str, tuple[Instant, int]] = {}
        """CPU time at the last look, by group."""
        self._loads = _Fresh(clock, fresh, self._look)
        self._whole = _Fresh(clock, fresh, self._measure)

    async def pods(self) -> Sequence[PodUse]:
        """Everything, by namespace and name."""
        return await self._whole.get()

    async def loads(self) -> Sequence[PodUse]:
        """CPU, memory and network alone, which cost little."""
        return (await self._loads.get())[1]

    async def latest(self) -> tuple[NodeUse, Sequence[PodUse]]:
        """The machine and the loads of its pods, a second old at most."""
        return await self._loads.get(LATEST)

    async def node(self) -> NodeUse:
        """The machine."""
        return (await self._loads.get())[0]

    async def _look(self) -> tuple[NodeUse, Sequence[PodUse]]:
        boxes, runs = await self._cri.sandboxes(), await self._cri.containers()
        newest = {box.uid: box for box in sorted(boxes, key=lambda box: box.created_at) if box.ready}
        running = [run for run in runs if run.state is ContainerState.RUNNING]
        asked = [
            _Asked(pod, box, [run for run in running if run.sandbox_id == box.id], self._groups.parent(pod))
            for pod in sorted(self._pods(), key=lambda pod: (pod.metadata.namespace, pod.metadata.name))
            if (box := newest.get(pod.metadata.uid)) is not None
        ]
        before, self._before = self._before, {}
        return await asyncio.to_thread(
            self._read, asked, _Reader(self._cgroups, self._clock.now(), before, self._before)
        )

    def _read(self, asked: Sequence[_Asked], reader: "_Reader") -> tuple[NodeUse, Sequence[PodUse]]:
        held = (self._kubepods, f"{self._kubepods}/burstable", f"{self._kubepods}/besteffort")
        read = {path: reader.group(path) for path in held}
        node = NodeUse(
            whole=reader.group("/"),
            groups={path: group for path, group in read.items() if group is not None},
            interfaces=interfaces(),
        )
        return node, [_pod(one, reader) for one in asked]

    async def _measure(self) -> Sequence[PodUse]:
        loads = await self.loads()
        try:
            written = {one.id: one.writable for one in await self._cri.container_stats() if one.writable is not None}
        except CriError as error:
            log.warning("The runtime does not say what containers write", err=str(error))
            written = {}
        shares = {
            one: (Path(found.mountpoint), found.used or 0, found.inodes_used or 0) for one, found in written.items()
        }
        now = self._clock.now()
        return await asyncio.to_thread(lambda: [self._disks(pod, shares, now) for pod in loads])

    def _disks(self, pod: PodUse, shares: Mapping[str, tuple[Path, int, int]], now: Instant) -> PodUse:
        place = self._layout.pod_logs(pod.namespace, pod.name, pod.uid)
        writable, logs = {}, {}
        for name, run in pod.runs.items():
            try:
                logs[name] = disk_usage.directory(place / name, now)
            except OSError:
                log.debug("Unable to fetch container log stats", containerName=name)
            try:
                if run.id in shares:
                    path, used, inodes = shares[run.id]
                    writable[name] = disk_usage.share(path, now, used, inodes)
            except OSError as error:
                log.debug("Failed to get the info of the filesystem with mountpoint", err=str(error))
        return replace(pod, logs=logs, writable=writable, volumes=self.volumes.of(pod.uid))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads groups in one look, in a thread."""

    cgroups: Cgroups
    now: Instant
    before: Mapping[str, tuple[Instant, int]]
    """CPU time at the look before, by group."""
    after: dict[str, tuple[Instant, int]]
    """The same at this one."""

    def group(self, path: str, *, quota: int = 0) -> GroupUse | None:
        found = usage(self.cgroups, path)
        if found is None:
            return None
        self.after[path] = (self.now, found.cpu_nanos)
        since, nanos = self.before.get(path, (self.now, 0))
        known = self.now > since and found.cpu_nanos >= nanos
        rate = round((found.cpu_nanos - nanos) / (self.now - since)) if known else None
        waited = throttling(self.cgroups, path) if quota else None
        return GroupUse(
            path=path, at=self.now, usage=found, nano_cores=rate, throttling=waited,
            pressures=pressures(self.cgroups, path),
        )  # fmt: skip

    def interfaces(self, sandbox: str) -> tuple[InterfaceUsage, ...]:
        """As the sandbox's first process sees them."""
        place = self.cgroups.place("pids", sandbox)
        try:
            pids = (place / "cgroup.procs").read_text().split() if place is not None else []
        except OSError:
            return ()
        return interfaces(pids[0]) if pids else ()


def _pod(asked: _Asked, reader: _Reader) -> PodUse:
    """Runtimes call the groups of containers by their ids, some with their own name before it."""
    meta, spec, place = asked.pod.metadata, asked.pod.spec, asked.group
    quotas = {one.name: container_limits(one).cpu_quota for one in (*spec.containers, *spec.initContainers)}
    read = {
        run.name: reader.group(f"{place}/{run.id}", quota=quotas.get(run.name, 0))
        or reader.group(f"{place}/crio-{run.id}", quota=quotas.get(run.name, 0))
        for run in asked.runs
    }
    groups = {name: group for name, group in read.items() if group is not None}
    return PodUse(
        uid=meta.uid, name=meta.name, namespace=meta.namespace, pod=asked.pod, started=asked.sandbox.created_at,
        containers={name: group.usage for name, group in groups.items()},
        whole=reader.group(place, quota=pod_limits(asked.pod).cpu_quota),
        groups=groups,
        runs={run.name: run for run in asked.runs},
        sandbox=asked.sandbox.id,
        interfaces=reader.interfaces(f"{place}/{asked.sandbox.id}"),
    )  # fmt: skip
