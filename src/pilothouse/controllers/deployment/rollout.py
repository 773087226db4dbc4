"""Rollout: how large each ReplicaSet of a Deployment may be now.

A rolling update never has more than `replicas + maxSurge` pods nor fewer than `replicas - maxUnavailable` available
ones: the new set grows into the room above, old ones shrink by what is available beyond the line below. A change of
size during a rollout is spread over all sets in proportion. Upstream: pkg/controller/deployment
(rolling.go, recreate.go, sync.go).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pilothouse.api.machinery.intstr import scaled
from pilothouse.api.types.apps_v1 import Deployment, ReplicaSet
from pilothouse.controllers.deployment.revisions import DESIRED, MAXIMUM, by_age, replicas_of, wanted


@dataclass(frozen=True, slots=True)
class Resize:
    """Give a ReplicaSet this size, and let it remember that of the Deployment."""

    replica_set: ReplicaSet
    replicas: int


def is_rolling(deployment: Deployment) -> bool:
    """Whether old and new pods may be there at the same time."""
    return deployment.spec.strategy.type != "Recreate"


def _fenceposts(deployment: Deployment) -> tuple[int, int]:
    rolling, size = deployment.spec.strategy.rollingUpdate, wanted(deployment)
    surge = scaled(rolling.maxSurge or 0, size, round_up=True)
    unavailable = scaled(rolling.maxUnavailable or 0, size, round_up=False)
    return surge, unavailable if surge or unavailable else 1


def max_surge(deployment: Deployment) -> int:
    """How many pods more than asked for there may be."""
    return _fenceposts(deployment)[0] if is_rolling(deployment) else 0


def max_unavailable(deployment: Deployment) -> int:
    """How many pods fewer than asked for may be available."""
    if not is_rolling(deployment):
        return 0
    return min(_fenceposts(deployment)[1], wanted(deployment))


def active(sets: Sequence[ReplicaSet]) -> list[ReplicaSet]:
    """Those that were asked to have pods."""
    return [found for found in sets if replicas_of(found) > 0]


def total(sets: Sequence[ReplicaSet]) -> int:
    """How many pods they were asked to have."""
    return sum(map(replicas_of, sets))


def _available(sets: Sequence[ReplicaSet]) -> int:
    return sum(found.status.availableReplicas or 0 for found in sets)


def is_scaling(deployment: Deployment, sets: Sequence[ReplicaSet]) -> bool:
    """Whether the Deployment's size has changed since its ReplicaSets were told."""
    known = (_remembered(found, DESIRED) for found in active(sets))
    return any(size is not None and size != wanted(deployment) for size in known)


def _remembered(replica_set: ReplicaSet, name: str) -> int | None:
    text = replica_set.metadata.annotations.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else None


def first_size(deployment: Deployment, old: Sequence[ReplicaSet]) -> int:
    """The size of a new ReplicaSet when it is created."""
    return _grown(deployment, 0, total(old))


def _grown(deployment: Deployment, new: int, everything: int) -> int:
    size = wanted(deployment)
    if not is_rolling(deployment):
        return size
    return new + max(0, min(size + max_surge(deployment) - everything, size - new))


def plan_rolling(deployment: Deployment, new: ReplicaSet, old: Sequence[ReplicaSet]) -> list[Resize]:
    """The next step: first the new one into the room there is, then old ones down."""
    size = replicas_of(new)
    target = min(wanted(deployment), _grown(deployment, size, total([*old, new])))
    if target != size:
        return [Resize(new, target)]
    return _shrink(deployment, new, by_age(active(old)))


def _shrink(deployment: Deployment, new: ReplicaSet, old: Sequence[ReplicaSet]) -> list[Resize]:
    """Old ones down: what is not healthy there first, since nobody misses it."""
    least = wanted(deployment) - max_unavailable(deployment)
    not_yet = replicas_of(new) - (new.status.availableReplicas or 0)
    room = total([*old, new]) - least - not_yet
    if room <= 0:
        return []
    sizes = {found.metadata.name: replicas_of(found) for found in old}
    for found in old:
        unhealthy = sizes[found.metadata.name] - (found.status.availableReplicas or 0)
        dropped = max(0, min(room, unhealthy))
        sizes[found.metadata.name] -= dropped
        room -= dropped
    room = _available([*old, new]) - least
    for found in old:
        dropped = max(0, min(room, sizes[found.metadata.name]))
        sizes[found.metadata.name] -= dropped
        room -= dropped
    return [
        Resize(found, sizes[found.metadata.name]) for found in old if sizes[found.metadata.name] < replicas_of(found)
    ]


def plan_scaling(deployment: Deployment, new: ReplicaSet | None, old: Sequence[ReplicaSet]) -> list[Resize]:
    """The Deployment's size has changed, or it is paused: sizes change, the rollout does not get on."""
    everything = [*old, *([new] if new is not None else [])]
    if not everything:
        return []
    living = active(everything)
    if len(living) <= 1:
        newest = new if new is not None else by_age(old)[-1]
        return [Resize(living[0] if living else newest, wanted(deployment))]
    if new is not None and is_saturated(deployment, new):
        return [Resize(found, 0) for found in active(old)]
    return _proportional(deployment, living) if is_rolling(deployment) else []


def is_saturated(deployment: Deployment, new: ReplicaSet) -> bool:
    """Whether the new ReplicaSet is all that is needed."""
    size = wanted(deployment)
    return replicas_of(new) == size == (new.status.availableReplicas or 0) == _remembered(new, DESIRED)


def _proportional(deployment: Deployment, sets: Sequence[ReplicaSet]) -> list[Resize]:
    """Spread the difference, the largest first; among equals the newer grow and the older shrink."""
    size = wanted(deployment)
    allowed = size + max_surge(deployment) if size else 0
    difference = allowed - total(sets)
    ordered = by_age(sets)
    if difference > 0:
        ordered.reverse()
    ordered.sort(key=replicas_of, reverse=True)
    sizes, left = [], difference
    for found in ordered:
        share = _fraction(deployment, found)
        share = max(0, min(share, left)) if difference > 0 else min(0, max(share, left))
        sizes.append(replicas_of(found) + share)
        left -= share
    sizes[0] = max(0, sizes[0] + left)
    return [Resize(found, new_size) for found, new_size in zip(ordered, sizes, strict=True)]


def _fraction(deployment: Deployment, replica_set: ReplicaSet) -> int:
    """By how much a set must change to keep its part of the whole."""
    size, whole = replicas_of(replica_set), wanted(deployment)
    if not whole:
        return -size
    before = _remembered(replica_set, MAXIMUM) or deployment.status.replicas or 0
    if not before:
        return 0
    return (2 * size * (whole + max_surge(deployment)) + before) // (2 * before) - size
