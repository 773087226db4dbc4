"""The Summary of what the node and its pods use, drawn up from the figures: pure.

Field names are a contract with metrics agents. Source: staging/src/k8s.io/kubelet/pkg/apis/stats/v1alpha1/types.go.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.claimed_usage import claim_name
from pilothouse.kubelet.disk_usage import FilesystemUse
from pilothouse.kubelet.machine import Processes
from pilothouse.kubelet.resources.linux import container_limits, pod_limits
from pilothouse.kubelet.stats import GroupUse, NodeUse, PodUse
from pilothouse.linux.interface_usage import InterfaceUsage
from pilothouse.linux.pressure import Stall
from pilothouse.runtime.clock import Instant, format_time

_DEFAULT_INTERFACE = "eth0"
_SHARED = ("configMap", "emptyDir")
"""Volumes that count as the pod's own share of the disk, those in memory not among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFigures:
    """What is told of the node beside its control groups."""

    name: str
    started: Instant
    memory: int
    """Bytes that the machine has."""
    kubepods: str
    kubepods_limit: int
    """Bytes that all pods may use together."""
    root: FilesystemUse | None = None
    images: FilesystemUse | None = None
    containers: FilesystemUse | None = None
    """Where containers write."""
    processes: Processes | None = None
    now: Instant = 0.0


def summary(node: NodeUse, figures: NodeFigures, pods: Iterable[PodUse], *, loads_alone: bool = False) -> JsonObject:
    """The whole document, or with CPU and memory alone."""
    return {"node": _node(node, figures, loads_alone), "pods": [_pod(one, loads_alone) for one in pods]}


def _node(node: NodeUse, figures: NodeFigures, loads_alone: bool) -> JsonObject:
    started = format_time(figures.started)
    told: JsonObject = {"nodeName": figures.name}
    if (held := node.groups.get(figures.kubepods)) is not None:
        system = {"name": "pods", "startTime": started, **_loads(held, figures.kubepods_limit)}
        told["systemContainers"] = [system]
    told["startTime"] = started
    if node.whole is not None:
        told |= _loads(node.whole, figures.memory)
    if loads_alone:
        return told
    told |= _network(node.interfaces, figures.now)
    if figures.root is not None:
        told["fs"] = _disk(figures.root)
    runtime = {"imageFs": figures.images, "containerFs": figures.containers}
    told["runtime"] = {name: _disk(found) for name, found in runtime.items() if found is not None}
    if figures.processes is not None:
        told["rlimit"] = {
            "time": format_time(figures.now), "maxpid": figures.processes.most, "curproc": figures.processes.present,
        }  # fmt: skip
    return told | (_rest(node.whole) if node.whole is not None else {})


def _pod(use: PodUse, loads_alone: bool) -> JsonObject:
    told: JsonObject = {
        "podRef": {"name": use.name, "namespace": use.namespace, "uid": use.uid},
        "startTime": format_time(use.started),
        "containers": [_container(use, name, group, loads_alone) for name, group in use.groups.items()],
    }
    if use.whole is not None:
        told |= _loads(use.whole, pod_limits(use.pod).memory if use.pod is not None else 0)
    if loads_alone:
        return told
    if use.whole is not None:
        told |= _network(use.interfaces, use.whole.at)
        told["process_stats"] = {"process_count": use.whole.usage.pids}
        told |= _rest(use.whole)
    if use.volumes:
        told["volume"] = [{**_disk(found), "name": name, **_claim(use, name)} for name, found in use.volumes.items()]
    if shares := _shares(use):
        told["ephemeral-storage"] = _sum(shares)
    return told


def _claim(use: PodUse, name: str) -> JsonObject:
    """The claim that a volume goes by."""
    volumes = use.pod.spec.volumes if use.pod is not None else ()
    found = next((claim_name(use.pod, one) for one in volumes if use.pod is not None and one.name == name), "")
    return {"pvcRef": {"name": found, "namespace": use.namespace}} if found else {}


def _container(use: PodUse, name: str, group: GroupUse, loads_alone: bool) -> JsonObject:
    told: JsonObject = {
        "name": name, "startTime": format_time(use.runs[name].created_at), **_loads(group, memory_limit(use, name)),
    }  # fmt: skip
    if not loads_alone:
        disks = {"rootfs": use.writable.get(name), "logs": use.logs.get(name)}
        told |= {kind: _disk(found) for kind, found in disks.items() if found is not None}
        told |= _rest(group)
    return told


def memory_limit(use: PodUse, name: str) -> int:
    """Bytes that a container may use; 0 without a limit."""
    spec = use.pod.spec if use.pod is not None else None
    containers = (*spec.containers, *spec.initContainers) if spec is not None else ()
    return next((container_limits(one).memory for one in containers if one.name == name), 0)


def _shares(use: PodUse) -> Sequence[FilesystemUse]:
    """What the pod has on the disk of the node: what its containers wrote, their logs, and scratch volumes."""
    return [*use.writable.values(), *use.logs.values(), *local_volumes(use)]


def local_volumes(use: PodUse) -> list[FilesystemUse]:
    """What volumes of the pod have on the disk of the node."""
    volumes = use.pod.spec.volumes if use.pod is not None else ()
    return [
        use.volumes[one.name]
        for one in volumes
        if one.name in use.volumes and any(kind in one.raw for kind in _SHARED) and one.emptyDir.medium != "Memory"
    ]


def _sum(shares: Sequence[FilesystemUse]) -> JsonObject:
    newest = max(shares, key=lambda one: one.at)
    used, inodes = sum(one.used for one in shares), sum(one.inodes_used for one in shares)
    return {**_disk(newest), "usedBytes": used, "inodesUsed": inodes}


def _loads(group: GroupUse, limit: int) -> JsonObject:
    use, time = group.usage, format_time(group.at)
    cpu: JsonObject = {"time": time, "usageCoreNanoSeconds": use.cpu_nanos}
    if group.nano_cores is not None:
        cpu["usageNanoCores"] = group.nano_cores
    memory: JsonObject = {
        "time": time, "usageBytes": use.memory, "workingSetBytes": use.working_set, "rssBytes": use.rss,
        "pageFaults": use.page_faults, "majorPageFaults": use.major_page_faults,
    }  # fmt: skip
    if limit:
        memory["availableBytes"] = max(limit - use.working_set, 0)
    return {"cpu": cpu | _pressure(group, "cpu"), "memory": memory | _pressure(group, "memory")}


def _rest(group: GroupUse) -> JsonObject:
    time = format_time(group.at)
    told: JsonObject = {"swap": {"time": time, "swapUsageBytes": group.usage.swap}}
    if pressure := _pressure(group, "io"):
        told["io"] = {"time": time, **pressure}
    return told


def _pressure(group: GroupUse, resource: str) -> JsonObject:
    found = group.pressures.get(resource)
    return {"psi": {"full": _stall(found.full), "some": _stall(found.some)}} if found is not None else {}


def _stall(found: Stall) -> JsonObject:
    return {"total": found.total, "avg10": found.avg10, "avg60": found.avg60, "avg300": found.avg300}


def _network(found: Sequence[InterfaceUsage], now: Instant) -> JsonObject:
    if not found:
        return {}
    listed = [
        {"name": one.name, "rxBytes": one.rx_bytes, "rxErrors": one.rx_errors, "txBytes": one.tx_bytes,
         "txErrors": one.tx_errors}
        for one in found
    ]  # fmt: skip
    default: JsonObject = next((one for one in listed if one["name"] == _DEFAULT_INTERFACE), {"name": ""})
    return {"network": {"time": format_time(now), **default, "interfaces": listed}}


def _disk(found: FilesystemUse) -> JsonObject:
    return {
        "time": format_time(found.at), "availableBytes": found.available, "capacityBytes": found.capacity,
        "usedBytes": found.used, "inodesFree": found.inodes_free, "inodes": found.inodes,
        "inodesUsed": found.inodes_used,
    }  # fmt: skip
