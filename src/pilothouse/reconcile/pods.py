"""Pods as controllers see them: which count, which are ready, and which to delete first.

Upstream: pkg/controller/controller_utils.go (ActivePodsWithRanks) and pkg/api/v1/pod. API page: ReplicaSet, "Scaling
down"; KEP-2185 (order by the logarithm of age) and KEP-2255 (deletion cost).
"""

import math
from collections.abc import Mapping, Sequence

from pilothouse.api.machinery.conditions import TRUE
from pilothouse.api.types.core_v1 import Pod, PodCondition
from pilothouse.runtime.clock import Instant

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}
_NOTHING = PodCondition()


def is_active(pod: Pod) -> bool:
    """Whether it has neither ended nor been told to."""
    return pod.status.phase not in ("Succeeded", "Failed") and pod.metadata.deletionTimestamp is None


def is_terminating(pod: Pod) -> bool:
    """Whether it has been told to end and has not yet."""
    return pod.status.phase not in ("Succeeded", "Failed") and pod.metadata.deletionTimestamp is not None


def condition_of(pod: Pod, kind: str) -> PodCondition:
    """The condition of this type; a view that is false where there is none."""
    for found in pod.status.conditions:
        if found.type == kind:
            return found
    return _NOTHING


def is_ready(pod: Pod) -> bool:
    """Whether it answers."""
    return condition_of(pod, "Ready").status == TRUE


def ready_since(pod: Pod) -> Instant | None:
    """When it began to answer; None while it does not."""
    ready = condition_of(pod, "Ready")
    return ready.lastTransitionTime if ready.status == TRUE else None


def available_at(pod: Pod, min_ready: int) -> Instant | None:
    """When it has been ready for long enough; None while it is not ready."""
    ready = condition_of(pod, "Ready")
    if ready.status != TRUE:
        return None
    since = ready.lastTransitionTime
    if not min_ready:
        return since or 0.0
    return None if since is None else since + min_ready


def is_available(pod: Pod, min_ready: int, now: Instant) -> bool:
    """Whether it has been ready for `min_ready` seconds."""
    at = available_at(pod, min_ready)
    return at is not None and at <= now


def deletion_order(pods: Sequence[Pod], related: Sequence[Pod], now: Instant) -> list[Pod]:
    """The pods with those first whose loss hurts least. Of equals those go first that share a node with `related`."""
    together: dict[str, int] = {}
    for pod in related:
        if is_active(pod):
            together[pod.spec.nodeName] = together.get(pod.spec.nodeName, 0) + 1
    return sorted(pods, key=lambda pod: _worth(pod, together, now))


def _worth(pod: Pod, together: Mapping[str, int], now: Instant) -> tuple[object, ...]:
    """Sorts the pods to be deleted first to the front."""
    return (
        bool(pod.spec.nodeName),
        _PHASES.get(pod.status.phase, 0),
        is_ready(pod),
        deletion_cost(pod),
        -together.get(pod.spec.nodeName, 0),
        _age_class(ready_since(pod), now) if is_ready(pod) else 0,
        *(-restarts for restarts in _restarts(pod)),
        _age_class(pod.metadata.creationTimestamp, now),
        pod.metadata.uid,
    )


def deletion_cost(pod: Pod) -> int:
    """What the user says its loss costs, in comparison to its like; 0 where the text is no number."""
    text = pod.metadata.annotations.get(DELETION_COST, "")
    digits = text.removeprefix("-")
    valid = digits.isascii() and digits.isdigit() and (digits == "0" or not digits.startswith("0")) and text != "-0"
    return int(text) if valid and -(2**31) <= int(text) < 2**31 else 0


def _age_class(since: Instant | None, now: Instant) -> int:
    """The logarithm of the age, so that pods of about the same age are chosen among at random. Young comes first."""
    age = 0 if since is None else int((now - since) * 1_000_000_000)
    return int(math.log2(age)) if age > 0 else -1


def _restarts(pod: Pod) -> tuple[int, int]:
    """The most restarts of a container and of an init container."""
    regular = max((status.restartCount for status in pod.status.containerStatuses), default=0)
    first = max((status.restartCount for status in pod.status.initContainerStatuses), default=0)
    return regular, first
