"""What of the machine single containers may have for themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pilothouse.kubelet.managers import hints
from pilothouse.kubelet.managers.cpu_list import Cpus, parse

NONE, STATIC = "none", "static"
CONTAINER, POD = "container", "pod"
FULL_CORES, STRICT_RESERVATION = "full-pcpus-only", "strict-cpu-reservation"
_OPTIONS = (FULL_CORES, STRICT_RESERVATION)
_TOPOLOGY = (hints.NONE, hints.BEST_EFFORT, hints.RESTRICTED, hints.SINGLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusive:
    """Upstream: cpuManagerPolicy, -PolicyOptions and -ReconcilePeriod, reservedSystemCPUs, topologyManagerPolicy and
    -Scope of KubeletConfiguration, and what its gates let be.
    """

    cpu_policy: str = NONE
    """`static`: guaranteed containers that ask for whole processors have them for themselves."""
    cpu_options: Mapping[str, str] = field(default_factory=dict)
    """Of the static policy: `full-pcpus-only` and `strict-cpu-reservation`, each `true` or `false`."""
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

    def __post_init__(self) -> None:
        if self.cpu_policy not in (NONE, STATIC):
            raise ValueError(f'unknown policy: "{self.cpu_policy}"')
        if self.topology_policy not in _TOPOLOGY:
            raise ValueError(f'unknown policy: "{self.topology_policy}"')
        if self.topology_scope not in (CONTAINER, POD):
            raise ValueError(f'unknown scope: "{self.topology_scope}"')
        if self.cpu_policy == NONE and self.cpu_options:
            raise ValueError("None policy: received unsupported options")
        for name, value in self.cpu_options.items():
            if name not in _OPTIONS:
                raise ValueError(f'unsupported cpumanager option: "{name}" ({value})')
            if value.lower() not in ("true", "false"):
                raise ValueError(f'bad value for option "{name}": "{value}"')
        parse(self.reserved_cpus)

    def has(self, option: str) -> bool:
        """Whether an option of the static policy is on."""
        return self.cpu_options.get(option, "").lower() == "true"

    @property
    def reserved(self) -> Cpus:
        """The processors named to be reserved."""
        return parse(self.reserved_cpus)
