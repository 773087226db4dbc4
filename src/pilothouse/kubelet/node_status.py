"""A node's manifest and status, drawn up from what the machine and the runtime say: pure.

Reasons and messages are upstream's (pkg/kubelet/nodestatus/setters.go). API page: Nodes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pilothouse.api.machinery.conditions import condition, set_condition
from pilothouse.api.machinery.quantity import ZERO, Quantity, QuantityFormat, of_units, parse_quantity
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri.interface import Image, RuntimeStatus, Version
from pilothouse.kubelet.eviction.policy import EvictionPolicy
from pilothouse.kubelet.eviction.signals import MEMORY, NODE_DISK
from pilothouse.kubelet.machine import Disk, Machine
from pilothouse.kubelet.reporting import USUAL, NodeReporting
from pilothouse.kubelet.reservations import Reservations
from pilothouse.runtime.clock import Instant, format_time

KUBELET_VERSION = "v1.37.0"
NOTHING_RESERVED = Reservations()
MOST_NAMES = 5
"""Names of one image in the status."""
_FINE = {
    "MemoryPressure": ("KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("KubeletHasSufficientPID", "kubelet has sufficient PID available"),
}
_PRESSED = {
    "MemoryPressure": ("KubeletHasInsufficientMemory", "kubelet has insufficient memory available"),
    "DiskPressure": ("KubeletHasDiskPressure", "kubelet has disk pressure"),
    "PIDPressure": ("KubeletHasInsufficientPID", "kubelet has insufficient PID available"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeIdentity:
    """What the node is called and where it is reached."""

    name: str
    address: str
    kubelet_port: int
    labels: Mapping[str, str] = field(default_factory=dict)
    max_pods: int = 110
    taints: Sequence[JsonObject] = ()
    """What it registers with."""
    reporting: NodeReporting = USUAL


def manifest(identity: NodeIdentity, machine: Machine) -> JsonObject:
    """The node as it registers itself, but for its status."""
    provider, taints = identity.reporting.provider_id, [dict(taint) for taint in identity.taints]
    spec: JsonObject = {**({"providerID": provider} if provider else {}), **({"taints": taints} if taints else {})}
    return {
        "metadata": {
            "name": identity.name,
            "labels": {**default_labels(identity, machine), **identity.labels},
            "annotations": {"volumes.kubernetes.io/controller-managed-attach-detach": "true"},
        },
        **({"spec": spec} if spec else {}),
    }


def default_labels(identity: NodeIdentity, machine: Machine) -> dict[str, str]:
    """Labels that every kubelet gives its node."""
    return {
        "beta.kubernetes.io/arch": machine.architecture,
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": machine.architecture,
        "kubernetes.io/hostname": identity.name,
        "kubernetes.io/os": "linux",
    }


def capacity(machine: Machine, disk: Disk, max_pods: int) -> dict[str, str]:
    """What the machine has."""
    return {
        "cpu": str(machine.cpus),
        "ephemeral-storage": _binary(disk.size),
        **{f"hugepages-{_binary(size)}": _binary(size * count) for size, count in machine.hugepages.items()},
        "memory": _binary(machine.memory),
        "pods": str(max_pods),
    }


def allocatable(
    machine: Machine, disk: Disk, max_pods: int, eviction: EvictionPolicy,
    reservations: Reservations = NOTHING_RESERVED,
) -> dict[str, str]:  # fmt: skip
    """What of it pods may have: what is kept for nobody, without reserved huge pages."""
    kept = reserved(machine, disk, eviction, reservations)
    pages = of_units(sum(size * count for size, count in machine.hugepages.items()), QuantityFormat.BINARY)
    left = {
        name: max(parse_quantity(text) - kept.get(name, ZERO), ZERO)
        for name, text in capacity(machine, disk, max_pods).items()
    }
    left["memory"] = max(left["memory"] - pages, ZERO)
    return {name: str(amount) for name, amount in left.items()}


def reserved(
    machine: Machine, disk: Disk, eviction: EvictionPolicy, reservations: Reservations
) -> dict[str, Quantity]:  # fmt: skip
    """What pods may not have: what is kept for others, and what is left when the node ends pods."""
    return {
        "cpu": reservations.of("cpu"),
        "ephemeral-storage": reservations.of("ephemeral-storage") + eviction.kept(NODE_DISK, disk.size),
        "memory": reservations.of("memory") + eviction.kept(MEMORY, machine.memory),
    }


def problems(runtime: RuntimeStatus | None, error: str = "") -> list[str]:
    """Why the node cannot run pods, in upstream's words. `runtime` is None while it does not answer."""
    if runtime is None:
        return [f"container runtime is down: {error}" if error else "container runtime is down"]
    found = []
    for kind, text in (("RuntimeReady", "container runtime not ready"), ("NetworkReady", NETWORK_NOT_READY)):
        told = next((one for one in runtime.conditions if one.type == kind), None)
        if told is None or not told.status:
            reason, message = (told.reason, told.message) if told else ("", "")
            found.append(f"{text}: {kind}=false reason:{reason} message:{message}")
    return found


NETWORK_NOT_READY = "container runtime network not ready"
SHUTTING_DOWN = "node is shutting down"


def conditions(
    before: Sequence[Mapping[str, object]], pressed: Sequence[str], problem: Sequence[str], now: Instant
) -> list[JsonObject]:
    """The four that the kubelet speaks of, with the time of the last change kept from `before`."""
    kept = [dict(one) for one in before]
    told = []
    for kind in _FINE:
        status, (reason, message) = ("True", _PRESSED[kind]) if kind in pressed else ("False", _FINE[kind])
        told.append(condition(kind, status, reason, message))
    if problem:
        text = problem[0] if len(problem) == 1 else f"[{', '.join(problem)}]"
        told.append(condition("Ready", "False", "KubeletNotReady", text))
    else:
        told.append(condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"))
    for one in told:
        set_condition(kept, {**one, "lastHeartbeatTime": format_time(now)}, now)
    kinds = [*_FINE, "Ready"]
    return [one for kind in kinds for one in kept if one["type"] == kind]


def image_list(images: Sequence[Image], most: int = USUAL.max_images) -> list[JsonObject]:
    """The images that schedulers should know of, the largest first; all when `most` is below 0."""
    largest = sorted(images, key=lambda image: (-image.size, image.id))[: most if most >= 0 else None]
    return [
        {"names": [*image.digests, *image.tags][:MOST_NAMES], "sizeBytes": image.size}
        for image in largest
        if image.digests or image.tags
    ]


def node_info(machine: Machine, runtime: Version | None) -> JsonObject:
    """Who the node is."""
    name, version = (runtime.name, runtime.version) if runtime else ("containerd", "Unknown")
    return {
        "architecture": machine.architecture,
        "bootID": machine.boot_id,
        "containerRuntimeVersion": f"{name}://{version.removeprefix('v')}",
        "kernelVersion": machine.kernel,
        "kubeProxyVersion": "",
        "kubeletVersion": KUBELET_VERSION,
        "machineID": machine.machine_id,
        "operatingSystem": "linux",
        "osImage": machine.os_image,
        "systemUUID": machine.system_uuid,
    }


def addresses(identity: NodeIdentity) -> list[JsonObject]:
    """Where the node is reached."""
    return [
        {"type": "InternalIP", "address": identity.address},
        {"type": "Hostname", "address": identity.name},
    ]


def _binary(value: int) -> str:
    return str(of_units(value, QuantityFormat.BINARY))
