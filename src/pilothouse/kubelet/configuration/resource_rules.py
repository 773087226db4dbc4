"""What a KubeletConfiguration must not say of what is kept for others: pure, with upstream's words for it.

Source: pkg/kubelet/apis/config/validation/validation.go, validation_reserved_memory.go.
"""

from collections.abc import Iterator

from pilothouse.api.machinery.quantity import parse_quantity
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.managers.cpu_list import parse
from pilothouse.kubelet.reservations import KUBE, KUBE_CPU, NONE, PODS, SYSTEM, SYSTEM_CPU

_INVALID = "invalid configuration: "
_SETTING = "enforceNodeAllocatable (--enforce-node-allocatable)"
_GROUPS = {
    SYSTEM: ("systemReservedCgroup", "system-reserved-cgroup"),
    KUBE: ("kubeReservedCgroup", "kube-reserved-cgroup"),
}
_BOTH = "systemReservedCgroup (--system-reserved-cgroup) or kubeReservedCgroup (--kube-reserved-cgroup)"
_RESERVED = "reservedSystemCPUs (--reserved-cpus)"


def resource_errors(document: JsonObject) -> Iterator[str]:
    """All that is wrong."""
    listed = document.get("enforceNodeAllocatable") or []
    for whole, part in ((SYSTEM, SYSTEM_CPU), (KUBE, KUBE_CPU)):
        if whole in listed and part in listed:
            yield f'{_INVALID}both "{whole}" and "{part}" cannot be specified together in {_SETTING}'
    seen = set[str]()
    for option in listed:
        if option in seen:
            yield f'{_INVALID}duplicated enforcements "{option}" in {_SETTING}'
        else:
            yield from _option(document, option, len(listed))
        seen.add(option)
    yield from _processors(document)
    yield from _memory(document)


def _option(document: JsonObject, option: str, count: int) -> Iterator[str]:
    whole = option.removesuffix("-compressible")
    if option == NONE:
        if count > 1:
            yield f'{_INVALID}{_SETTING} may not contain additional enforcements when "none" is specified'
        return
    if option not in (PODS, SYSTEM, SYSTEM_CPU, KUBE, KUBE_CPU):
        valid = ", ".join(f'"{name}"' for name in (PODS, SYSTEM, SYSTEM_CPU, KUBE, KUBE_CPU))
        yield f'{_INVALID}option "{option}" specified for {_SETTING}. Valid options are {valid} or "{NONE}"'
        return
    if whole in _GROUPS:
        name, flag = _GROUPS[whole]
        if not document.get(name):
            yield (
                f'{_INVALID}{name} (--{flag}) must be specified when "{whole}" or "{whole}-compressible" included in '
                f"{_SETTING}"
            )
    if not document["cgroupsPerQOS"]:
        yield (
            f'{_INVALID}cgroupsPerQOS (--cgroups-per-qos) must be set to true when "{option}" contained in {_SETTING}'
        )


def _processors(document: JsonObject) -> Iterator[str]:
    reserved = document.get("reservedSystemCPUs")
    if not reserved:
        return
    if document.get("systemReservedCgroup") or document.get("kubeReservedCgroup"):
        yield f"{_INVALID}can't use {_RESERVED} with {_BOTH}"
    try:
        parse(reserved)
    except ValueError as error:
        yield f"{_INVALID}unable to parse {_RESERVED} {reserved}, error: {error}"


def _memory(document: JsonObject) -> Iterator[str]:
    seen = set[tuple[int, str]]()
    for reservation in document.get("reservedMemory") or ():
        node = reservation.get("numaNode") or 0
        for name, amount in (reservation.get("limits") or {}).items():
            if name != "memory" and not name.startswith("hugepages-"):
                yield (
                    f'{_INVALID}the limit type "{name}" for NUMA node {node} is not supported, only '
                    "[memory hugepages-<HugePageSize>] is accepted"
                )
            if not parse_quantity(amount).nano:
                yield f'{_INVALID}reserved memory may not be zero for NUMA node {node} and resource "{name}"'
            if (node, name) in seen:
                yield (
                    f"{_INVALID}the reserved memory has a duplicate value for NUMA node {node} and resource "
                    f'"{name}"'
                )  # fmt: skip
            seen.add((node, name))
