"""What is told of a pod that a node ended because it ran out of something: pure. Tools match on the words."""

from collections.abc import Iterator, Sequence

from pilothouse.api.core.pod.resources import amounts
from pilothouse.api.machinery.quantity import ZERO, Quantity, QuantityFormat, of_units
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.eviction.pressure import Seen
from pilothouse.kubelet.eviction.ranking import memory
from pilothouse.kubelet.eviction.signals import MEANINGS
from pilothouse.kubelet.eviction.thresholds import Threshold
from pilothouse.kubelet.stats import PodUse

REASON = "Evicted"
_MEMORY, _DISK = "memory", "ephemeral-storage"


def eviction_message(
    resource: str, pod: Pod, use: PodUse | None, due: Sequence[Threshold], seen: Seen
) -> tuple[str, dict[str, str]]:
    """The message, and what the event's annotations say."""
    parts = [f"The node was low on resource: {resource}. ", _threshold(resource, due, seen)]
    if use is None:
        return "".join(parts), {}
    annotations: dict[str, str] = {}
    if resource == _MEMORY and (asked := amounts(pod.spec.raw.get("resources"), "requests").get(resource)) is not None:
        used = _bytes(memory(use))
        parts.append(_larger(f"Pod {pod.metadata.name}", used, asked, resource))
        annotations |= {"offending_pod": pod.metadata.name, "offending_pod_usage": str(used)}
    offending = list(_offending(resource, pod, use))
    parts += [_larger(f"Container {name}", used, asked, resource) for name, used, asked in offending]
    return "".join(parts), {
        **annotations,
        "offending_containers": ",".join(name for name, _, _ in offending),
        "offending_containers_usage": ",".join(str(used) for _, used, _ in offending),
        "starved_resource": resource,
    }


def _threshold(resource: str, due: Sequence[Threshold], seen: Seen) -> str:
    """How much was to be left, and how much was: of the first signal that is about the resource."""
    for one in due:
        found = seen.get(one.signal)
        if MEANINGS[one.signal].resource == resource and found is not None:
            return f"Threshold quantity: {one.limit(found.capacity)}, available: {found.available}. "
    return ""


def _larger(who: str, used: Quantity, asked: Quantity, resource: str) -> str:
    return f"{who} was using {used}, request is {asked}, has larger consumption of {resource}. "


def _offending(resource: str, pod: Pod, use: PodUse) -> Iterator[tuple[str, Quantity, Quantity]]:
    """Containers that use more than they asked for: name, usage, request. Ephemeral ones cannot ask."""
    known = {one.name: one for one in (*pod.spec.containers, *pod.spec.initContainers)}
    for name in use.runs or use.containers:
        used = _used(resource, use, name)
        if name in known and used is not None:
            asked = amounts(known[name].raw.get("resources"), "requests").get(resource, ZERO)
            if used > asked:
                yield name, used, asked


def _used(resource: str, use: PodUse, name: str) -> Quantity | None:
    if resource == _MEMORY and name in use.containers:
        return _bytes(use.containers[name].working_set)
    if resource == _DISK and name in use.writable and name in use.logs:
        return _bytes(use.writable[name].used + use.logs[name].used)
    return None


def _bytes(count: int) -> Quantity:
    return of_units(count, QuantityFormat.BINARY)
