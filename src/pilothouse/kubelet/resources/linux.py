"""Requests and limits as the kernel's numbers: CPU shares and quota, memory limit. cgroups(7), sched-bwc."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pilothouse.api.machinery.quantity import parse_quantity
from pilothouse.api.types.core_v1 import Container, Pod

_SHARES_PER_CPU = 1024
_MIN_SHARES = 2
_MAX_SHARES = 262_144
_PERIOD = 100_000
"""Microseconds over which a quota counts."""
_MIN_QUOTA = 1000
_HUGEPAGES = "hugepages-"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one cgroup may use; 0 stands for no limit."""

    cpu_shares: int = _MIN_SHARES
    cpu_quota: int = 0
    cpu_period: int = _PERIOD
    memory: int = 0
    pids: int = 0
    hugepages: Mapping[str, int] = field(default_factory=dict)
    """Bytes by the kernel's name of their size; here 0 is none at all."""


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


def container_memory(container: Container) -> tuple[int, int]:
    """Bytes that a container asks for, and may use; 0 where it does not say."""
    return _bytes(container.resources.requests, "memory"), _bytes(container.resources.limits, "memory")


def hugepage_limits(container: Container, sizes: Sequence[int]) -> dict[str, int]:
    """Bytes in huge pages by the kernel's name of their size: none of those that were not asked for."""
    found = dict.fromkeys(sizes, 0)
    for name, text in container.resources.limits.items():
        if name.startswith(_HUGEPAGES):
            found[parse_quantity(name.removeprefix(_HUGEPAGES)).value()] = parse_quantity(text).value()
    return {page_name(size): limit for size, limit in sorted(found.items())}


def page_name(size: int) -> str:
    """Such as `2MB`, which the kernel's files are called by."""
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024:
            return f"{size}{unit}"
        size //= 1024
    return f"{size}TB"


def pod_limits(pod: Pod, pids: int = 0, page_sizes: Sequence[int] = ()) -> Limits:
    """The numbers of the pod's own cgroup: a limit holds for the pod only when it, or every container, has one."""
    overhead = pod.spec.overhead
    cpu, memory = _pod_limit(pod, "cpu", _milli), _pod_limit(pod, "memory", _bytes)
    return Limits(
        cpu_shares=shares(requested_cpu(pod)),
        cpu_quota=quota(cpu + _milli(overhead, "cpu")) if cpu else 0,
        memory=memory + _bytes(overhead, "memory") if memory else 0,
        pids=pids,
        hugepages={page_name(size): _pod_hugepages(pod, size) for size in page_sizes},
    )


def _pod_hugepages(pod: Pod, size: int) -> int:
    """Bytes in pages of that size: what is not asked for is not to be had."""
    if own := _hugepages(pod.spec.resources.limits, size):
        return own
    limits = [_hugepages(one.resources.limits, size) for one in pod.spec.containers]
    return _needed(pod, limits, lambda one: _hugepages(one.resources.limits, size))


def _hugepages(listed: Mapping[str, str], size: int) -> int:
    """Names of one size may be written in several ways."""
    return sum(
        parse_quantity(text).value()
        for name, text in listed.items()
        if name.startswith(_HUGEPAGES) and parse_quantity(name.removeprefix(_HUGEPAGES)).value() == size
    )


def requested_cpu(pod: Pod) -> int:
    """Thousandths of a CPU that the pod asks for, with all that is around its containers."""
    own = (pod.spec.resources.requests.get("cpu"), pod.spec.resources.limits.get("cpu"))
    asked = next((parse_quantity(text).milli() for text in own if text), None)
    if asked is None:
        asked = _needed(pod, [_cpu_request(one) for one in pod.spec.containers], _cpu_request)
    return asked + _milli(pod.spec.overhead, "cpu")


def _pod_limit(pod: Pod, name: str, amount: Callable[[Mapping[str, str], str], int]) -> int:
    if own := amount(pod.spec.resources.limits, name):
        return own
    limits = [amount(one.resources.limits, name) for one in pod.spec.containers]
    if not all(limits) or not all(amount(one.resources.limits, name) for one in pod.spec.initContainers):
        return 0
    return _needed(pod, limits, lambda one: amount(one.resources.limits, name))


def total_memory_limit(pod: Pod) -> int:
    """Bytes of memory that the limits allow in all, be they not on every container; 0 without any."""
    if own := _bytes(pod.spec.resources.limits, "memory"):
        return own
    limits = [_bytes(one.resources.limits, "memory") for one in pod.spec.containers]
    return _needed(pod, limits, lambda one: _bytes(one.resources.limits, "memory"))


def overhead_limits(pod: Pod) -> Limits:
    """What the sandbox itself needs, beside the containers."""
    cpu = _milli(pod.spec.overhead, "cpu")
    return Limits(shares(cpu), quota(cpu), _PERIOD, _bytes(pod.spec.overhead, "memory"))


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
