"""What of the machine single containers may have for themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pilothouse.kubelet.managers import hints
from pilothouse.kubelet.managers.cpu_list import Cpus, parse
from pilothouse.kubelet.managers.policy_options import (
    BY_SOCKET,
    CLOSEST,
    DEFAULT_MOST,
    MOST_NODES,
    check_cpu_options,
    check_topology_options,
    is_on,
)

NONE, STATIC = "none", "static"
CONTAINER, POD = "container", "pod"
_TOPOLOGY = (hints.NONE, hints.BEST_EFFORT, hints.RESTRICTED, hints.SINGLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusive:
    """Upstream: cpuManagerPolicy, -PolicyOptions and -ReconcilePeriod, reservedSystemCPUs, topologyManagerPolicy,
    -Scope and -PolicyOptions of KubeletConfiguration, and what its gates let be.
    """

    cpu_policy: str = NONE
    """`static`: guaranteed containers that ask for whole processors have them for themselves."""
    cpu_options: Mapping[str, str] = field(default_factory=dict)
    """Of the static policy, such as `full-pcpus-only`, each `true` or `false`."""
    alpha_options: bool = False
    """There may be some that are alpha. Upstream: the gate CPUManagerPolicyAlphaOptions."""
    beta_options: bool = True
    """There may be some that are beta. Upstream: the gate CPUManagerPolicyBetaOptions."""
    reconcile_period: float = 10.0
    """How often all containers are told anew which processors they may use."""
    reserved_cpus: str = ""
    """Those kept for who is no pod, such as `0-1`; empty: as many as are reserved, wherever they are."""
    unthrottled: bool = True
    """Who has processors for itself has all of their time: no quota. Upstream: the gate
    DisableCPUQuotaWithExclusiveCPUs."""
    topology_policy: str = hints.NONE
    """How near to each other the things must be that a container is given."""
    topology_scope: str = CONTAINER
    """`pod`: all that the pod's containers are given."""
    topology_options: Mapping[str, str] = field(default_factory=dict)
    """`prefer-closest-numa-nodes`, `true` or `false`, and `max-allowable-numa-nodes`, a number."""

    def __post_init__(self) -> None:
        if self.cpu_policy not in (NONE, STATIC):
            raise ValueError(f'unknown policy: "{self.cpu_policy}"')
        if self.topology_policy not in _TOPOLOGY:
            raise ValueError(f'unknown policy: "{self.topology_policy}"')
        if self.topology_scope not in (CONTAINER, POD):
            raise ValueError(f'unknown scope: "{self.topology_scope}"')
        if self.cpu_policy == NONE and self.cpu_options:
            listed = " ".join(f"{name}:{value}" for name, value in sorted(self.cpu_options.items()))
            raise ValueError(f"None policy: received unsupported options=map[{listed}]")
        check_cpu_options(self.cpu_options, alpha=self.alpha_options, beta=self.beta_options)
        if self.topology_policy == hints.SINGLE and self.has(BY_SOCKET):
            raise ValueError(
                f"Topolgy manager {hints.SINGLE} policy is incompatible with CPUManager {BY_SOCKET} policy option"
            )
        if self.topology_policy != hints.NONE:
            check_topology_options(self.topology_options)
        parse(self.reserved_cpus)

    def has(self, option: str) -> bool:
        """Whether an option of the static policy is on."""
        return is_on(self.cpu_options, option)

    @property
    def closest(self) -> bool:
        """Whether of as many nodes those are taken that are closest to each other."""
        return is_on(self.topology_options, CLOSEST)

    @property
    def most_nodes(self) -> int:
        """How many NUMA nodes a machine may have for things to be near to each other."""
        return int(self.topology_options.get(MOST_NODES, DEFAULT_MOST))

    @property
    def reserved(self) -> Cpus:
        """The processors named to be reserved."""
        return parse(self.reserved_cpus)
