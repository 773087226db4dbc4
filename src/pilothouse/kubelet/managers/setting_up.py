"""Sets up what hands out the machine's processors, as the kubelet is configured."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from pilothouse.api.machinery.quantity import Quantity
from pilothouse.kubelet.config import KubeletConfig
from pilothouse.kubelet.contribution import Contributor
from pilothouse.kubelet.handout import Handout
from pilothouse.kubelet.managers import hints, memory_policy
from pilothouse.kubelet.managers.cpu_record import CpuRecord
from pilothouse.kubelet.managers.device_hints import NearDevices, Supplies
from pilothouse.kubelet.managers.hand_out import Affinities, AlignedHandout
from pilothouse.kubelet.managers.hints import HintProvider
from pilothouse.kubelet.managers.memory_record import MemoryRecord
from pilothouse.kubelet.managers.policy import NONE, STATIC
from pilothouse.kubelet.managers.policy_options import BY_SOCKET
from pilothouse.kubelet.managers.static_cpus import StaticCpus, reserved_cpus
from pilothouse.kubelet.managers.static_memory import StaticMemory
from pilothouse.kubelet.managers.topology import Topology

_TWICE = (
    "invalid configuration: can't use reservedSystemCPUs (--reserved-cpus) with systemReservedCgroup "
    "(--system-reserved-cgroup) or kubeReservedCgroup (--kube-reserved-cgroup)"
)
_MORE_SOCKETS = "Align by socket is not compatible with hardware where number of sockets are more than number of NUMA"
Active = Callable[[], Collection[str] | None]


class Giver(Handout, Contributor, Supplies, Protocol):
    """Hands out devices."""


@dataclass(frozen=True, slots=True)
class Given:
    """Who gives pods what, and who knows it."""

    handout: Handout
    contributor: Contributor
    cpus: StaticCpus | None = None
    """None: all containers share all processors."""
    memory: StaticMemory | None = None
    """None: all containers have theirs from anywhere."""


def with_reserved(config: KubeletConfig) -> KubeletConfig:
    """The configuration in which as many are reserved as are by name. Raises ValueError."""
    count, kept = len(config.exclusive.reserved), config.reservations
    if not count:
        return config
    if kept.system_cgroup or kept.kube_cgroup:
        raise ValueError(_TWICE)
    kube: Mapping[str, str] = {name: amount for name, amount in kept.kube.items() if name != "cpu"}
    return replace(config, reservations=replace(kept, system={**kept.system, "cpu": str(count)}, kube=kube))


def set_up(
    config: KubeletConfig, then: Giver, active: Active, affinities: Affinities,
    read: Callable[[], Topology] = Topology.read, kept: Callable[[], Mapping[str, Quantity]] = dict,
) -> Given:  # fmt: skip
    """`then` gives what else there is, `kept` tells what pods may not have.

    Raises ValueError when the machine or the last kubelet's record does not fit.
    """
    policy, bound = config.exclusive, config.memory.policy == memory_policy.STATIC
    if policy.cpu_policy == NONE:
        CpuRecord.read(config.root, NONE)
    if not bound:
        MemoryRecord.read(config.root, memory_policy.NONE)
    if policy.cpu_policy == NONE and policy.topology_policy == hints.NONE and not bound:
        return Given(then, then)
    topology, cpus, memory = read(), None, None
    if policy.topology_policy != hints.NONE and len(topology.every_node) > policy.most_nodes:
        raise ValueError(f"unsupported on machines with more than {policy.most_nodes} NUMA Nodes")
    if policy.cpu_policy == STATIC:
        if policy.has(BY_SOCKET) and topology.sockets > len(topology.nodes):
            raise ValueError(_MORE_SOCKETS)
        reserved = reserved_cpus(topology, policy, config.reservations.of("cpu"))
        cpus = StaticCpus(topology, reserved, policy, config.root, active)
    if bound:
        memory = StaticMemory(
            topology.memory, config.memory.kept(topology.memory, kept()), config.root, active,
            strict=policy.topology_policy in (hints.RESTRICTED, hints.SINGLE),
        )  # fmt: skip
    providers: list[HintProvider] = [one for one in (cpus, memory) if one is not None]
    if policy.topology_policy != hints.NONE:
        providers.insert(0, NearDevices(then, topology.every_node))
    aligned = AlignedHandout(
        policy, topology.every_node, providers, cpus, then, then, active, affinities, memory,
        topology.distance if policy.closest else hints.all_alike,
    )  # fmt: skip
    return Given(aligned, aligned, cpus, memory)
