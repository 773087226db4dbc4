"""Requests and limits as the kernel's numbers: CPU shares and quota, memory limit. cgroups(7), sched-bwc."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from pilothouse.api.machinery.quantity import parse_quantity
from pilothouse.api.types.core_v1 import Container, Pod

_SHARES_PER_CPU = 1024
_MIN_SHARES = 2
_MAX_SHARES = 262_144
_PERIOD = 100_000
"""Microseconds over which a quota counts."""
_MIN_QUOTA = 1000


@dataclass(frozen=True, slots=True)
class Limits:
    """What one cgroup may use; 0 stands for no limit."""

    cpu_shares: int = _MIN_SHARES
    cpu_quota: int = 0
    cpu_period: int = _PERIOD
    memory: int = 0
    pids: int = 0


def shares(milli_cpu: int) -> int:
    """Relative weight for a request in thousandths of a CPU."""
    return min(max(milli_cpu * _SHARES_PER_CPU // 1000, _MIN_SHARES), _MAX_SHARES)


def quota(milli_cpu: int) -> int:
    """Microseconds of CPU time in a period for a limit in thousandths of a CPU."""
    return max(milli_cpu * _PERIOD // 1000, _MIN_QUOTA) if milli_cpu else 0


def _milli(listed: Mapping[str, str], name: str) -> int:
    return parse_quantity(listed[name]).milli() if name in listed else 0


def _bytes(listed: Mapping[str, str], name: str) -> int:
    return parse_quantity(listed[name]).value() if name in listed else 0


def container_limits(container: Container) -> Limits:
    """The numbers of one container. A CPU limit without a request is the request too."""
    asked, limits = container.resources.requests, container.resources.limits
    request = _milli(asked, "cpu") if "cpu" in asked else _milli(limits, "cpu")
    return Limits(cpu_shares=shares(request), cpu_quota=quota(_milli(limits, "cpu")), memory=_bytes(limits, "memory"))


def pod_limits(pod: Pod, pids: int = 0) -> Limits:
    """The numbers of the pod's own cgroup: a limit holds for the pod only when every container has one."""
    if pod.spec.resources:
        asked, limits = pod.spec.resources.requests, pod.spec.resources.limits
        request = _milli(asked, "cpu") if "cpu" in asked else _milli(limits, "cpu")
        return Limits(shares(request), quota(_milli(limits, "cpu")), _PERIOD, _bytes(limits, "memory"), pids)
    overhead = pod.spec.overhead
    cpu = _needed(pod, [_cpu_request(c) for c in pod.spec.containers], _cpu_request) + _milli(overhead, "cpu")
    cpu_limits = [_milli(c.resources.limits, "cpu") for c in pod.spec.containers]
    memory_limits = [_bytes(c.resources.limits, "memory") for c in pod.spec.containers]
    cpu_limit = _needed(pod, cpu_limits, lambda c: _milli(c.resources.limits, "cpu")) if all(cpu_limits) else 0
    memory = _needed(pod, memory_limits, lambda c: _bytes(c.resources.limits, "memory")) if all(memory_limits) else 0
    if not all(c.resources.limits.get("cpu") for c in pod.spec.initContainers):
        cpu_limit = 0
    if not all(c.resources.limits.get("memory") for c in pod.spec.initContainers):
        memory = 0
    return Limits(
        cpu_shares=shares(cpu),
        cpu_quota=quota(cpu_limit + _milli(overhead, "cpu")) if cpu_limit else 0,
        memory=memory + _bytes(overhead, "memory") if memory else 0,
        pids=pids,
    )


def _cpu_request(container: Container) -> int:
    asked = container.resources.requests
    return _milli(asked, "cpu") if "cpu" in asked else _milli(container.resources.limits, "cpu")


def _needed(pod: Pod, mains: Iterable[int], amount: Callable[[Container], int]) -> int:
    """What the pod needs at its peak: sidecars add up and stay, other init containers come one at a time."""
    sidecars, peak = 0, 0
    for container in pod.spec.initContainers:
        if container.restartPolicy == "Always":
            sidecars += amount(container)
            peak = max(peak, sidecars)
        else:
            peak = max(peak, sidecars + amount(container))
    return max(sum(mains) + sidecars, peak)
