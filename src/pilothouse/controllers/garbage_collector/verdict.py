"""The verdict on one object: keep it, rid it of references to what is gone, or delete it.

Each of its owners is solid (it exists), dangling (it does not) or waiting (it exists, and is going once its dependents
are gone). One solid owner is enough to live. Upstream: attemptToDeleteItem in
pkg/controller/garbagecollector/garbagecollector.go.
"""

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pilothouse.api.machinery.meta import FINALIZER_FOREGROUND, FINALIZER_ORPHAN
from pilothouse.controllers.garbage_collector.graph import Node, Owner

BACKGROUND, FOREGROUND, ORPHAN = "Background", "Foreground", "Orphan"


class Standing(enum.Enum):
    """How an owner is."""

    SOLID = "solid"
    DANGLING = "dangling"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Keep:
    """Leave it, but for its references to these owners, by uid."""

    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete it with this propagation policy, after its owners no longer wait for it if `unblock`."""

    propagation: str
    unblock: bool = False


def judge(
    owners: Sequence[Owner], standings: Mapping[Owner, Standing], finalizers: Iterable[str], dependents: Sequence[Node]
) -> Keep | Delete:
    """What is to become of an object with these owners, on the word of the API server about each."""
    by_standing: dict[Standing, list[str]] = {standing: [] for standing in Standing}
    for owner in owners:
        by_standing[standings[owner]].append(owner.uid)
    waiting = by_standing[Standing.WAITING]
    if not owners or by_standing[Standing.SOLID]:
        return Keep((*by_standing[Standing.DANGLING], *waiting))
    if waiting and dependents:
        in_circle = any(dependent.waiting for dependent in dependents)
        return Delete(FOREGROUND, unblock=in_circle)
    names = set(finalizers)
    if FINALIZER_ORPHAN in names:
        return Delete(ORPHAN)
    return Delete(FOREGROUND if FINALIZER_FOREGROUND in names else BACKGROUND)
