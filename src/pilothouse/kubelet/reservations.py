"""What of the machine is kept for those who are no pods, and what is done about it.

API page: "Reserve Compute Resources for System Daemons". Upstream: pkg/kubelet/cm/node_container_manager_linux.go.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pilothouse.api.machinery.quantity import Quantity, parse_quantity, total

PODS = "pods"
NONE = "none"
SYSTEM, SYSTEM_CPU = "system-reserved", "system-reserved-compressible"
KUBE, KUBE_CPU = "kube-reserved", "kube-reserved-compressible"
_RESERVABLE = ("cpu", "memory", "ephemeral-storage", "pid")
_OPTIONS = (PODS, SYSTEM, SYSTEM_CPU, KUBE, KUBE_CPU, NONE)
_SETTING = "enforceNodeAllocatable (--enforce-node-allocatable)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservations:
    """Upstream: kubeReserved, systemReserved, their -Cgroup and enforceNodeAllocatable of KubeletConfiguration."""

    kube: Mapping[str, str] = field(default_factory=dict)
    """For the kubelet, the runtime and their like: amounts of cpu, memory, ephemeral-storage and pid."""
    system: Mapping[str, str] = field(default_factory=dict)
    """For everything else."""
    kube_cgroup: str = ""
    """Where the former run; it must be there."""
    system_cgroup: str = ""
    """Where the latter run."""
    enforce: tuple[str, ...] = (PODS,)
    """Whose groups are limited: all pods' together to what is left, the others' to what is theirs."""

    def __post_init__(self) -> None:
        for name, text in (*self.kube.items(), *self.system.items()):
            if name not in _RESERVABLE:
                raise ValueError(f'cannot reserve "{name}" resource')
            if parse_quantity(text).nano < 0:
                raise ValueError(f'resource quantity for "{name}" cannot be negative: {text}')
        for option in self.enforce:
            self._check(option)

    def _check(self, option: str) -> None:
        groups = {SYSTEM: self.system_cgroup, KUBE: self.kube_cgroup}
        whole = option.removesuffix("-compressible")
        why = ""
        if option not in _OPTIONS:
            why = f'option "{option}" specified for {_SETTING}. Valid options are {", ".join(map(_quoted, _OPTIONS))}'
        elif option == NONE and len(self.enforce) > 1:
            why = f'{_SETTING} may not contain additional enforcements when "none" is specified'
        elif not groups.get(whole, "any"):
            who = whole.removesuffix("-reserved")
            flag = f"{who}ReservedCgroup (--{who}-reserved-cgroup)"
            why = f'{flag} must be specified when "{option}" contained in {_SETTING}'
        if why:
            raise ValueError(f"invalid configuration: {why}")

    def of(self, name: str) -> Quantity:
        """How much of a resource is kept."""
        return total(parse_quantity(listed[name]) for listed in (self.kube, self.system) if name in listed)


def _quoted(word: str) -> str:
    return f'"{word}"'


def excess(capacity: Mapping[str, str], reserved: Mapping[str, Quantity]) -> str:
    """Why a node cannot keep so much, which is no node then; empty when it can."""
    wrong = [
        f'Resource "{name}" has a reservation of {amount} but capacity of {capacity[name]}. '
        "Expected capacity >= reservation."
        for name, amount in reserved.items()
        if name in capacity and amount > parse_quantity(capacity[name])
    ]
    return f"invalid Node Allocatable configuration. {' '.join(wrong)}" if wrong else ""
