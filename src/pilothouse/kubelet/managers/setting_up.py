"""Sets up what hands out the machine's processors, as the kubelet is configured."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from pilothouse.kubelet.config import KubeletConfig
from pilothouse.kubelet.contribution import Contributor
from pilothouse.kubelet.handout import Handout
from pilothouse.kubelet.managers import hints
from pilothouse.kubelet.managers.cpu_record import CpuRecord
from pilothouse.kubelet.managers.device_hints import NearDevices, Supplies
from pilothouse.kubelet.managers.hand_out import Affinities, AlignedHandout
from pilothouse.kubelet.managers.hints import HintProvider
from pilothouse.kubelet.managers.policy import NONE, STATIC
from pilothouse.kubelet.managers.static_cpus import StaticCpus, reserved_cpus
from pilothouse.kubelet.managers.topology import Topology

_MOST_NODES = 8
"""NUMA nodes; with more it would take too long to try all sets of them."""
_TWICE = (
    "invalid configuration: can't use reservedSystemCPUs (--reserved-cpus) with systemReservedCgroup "
    "(--system-reserved-cgroup) or kubeReservedCgroup (--kube-reserved-cgroup)"
)
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
    read: Callable[[], Topology] = Topology.read,
) -> Given:  # fmt: skip
    """`then` gives what else there is. Raises ValueError when the machine or the last kubelet's record does not fit."""
    policy = config.exclusive
    if policy.cpu_policy == NONE:
        CpuRecord.read(config.root, NONE)
        if policy.topology_policy == hints.NONE:
            return Given(then, then)
    topology, cpus = read(), None
    if policy.topology_policy != hints.NONE and len(topology.nodes) > _MOST_NODES:
        raise ValueError(f"unsupported on machines with more than {_MOST_NODES} NUMA Nodes")
    if policy.cpu_policy == STATIC:
        reserved = reserved_cpus(topology, policy, config.reservations.of("cpu"))
        cpus = StaticCpus(topology, reserved, policy, config.root, active)
    providers: list[HintProvider] = [cpus] if cpus is not None else []
    if policy.topology_policy != hints.NONE:
        providers.insert(0, NearDevices(then, topology.nodes))
    aligned = AlignedHandout(policy, topology.nodes, providers, cpus, then, then, active, affinities)
    return Given(aligned, aligned, cpus)
