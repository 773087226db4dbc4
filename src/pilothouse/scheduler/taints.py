"""Taints and tolerations: what keeps pods away from a node, and what makes them bear it.

API page: Taints and Tolerations.
"""

from collections.abc import Iterable
from typing import NamedTuple

PREFER = "PreferNoSchedule"


class Taint(NamedTuple):
    """What keeps pods away from a node unless they tolerate it."""

    key: str
    value: str
    effect: str


class Toleration(NamedTuple):
    """A taint that a pod puts up with. An empty key or effect matches all."""

    key: str
    operator: str
    value: str
    effect: str


def tolerates(tolerations: Iterable[Toleration], taint: Taint) -> bool:
    """Whether one of them matches the taint."""
    for key, operator, value, effect in tolerations:
        if effect and effect != taint.effect:
            continue
        if key and key != taint.key:
            continue
        if operator == "Exists" or (operator == "Equal" and value == taint.value):
            return True
    return False


def repelled(tolerations: Iterable[Toleration], taints: Iterable[Taint]) -> bool:
    """Whether one of the taints forbids it."""
    return any(taint.effect in ("NoSchedule", "NoExecute") and not tolerates(tolerations, taint) for taint in taints)


def unwanted(tolerations: Iterable[Toleration], taints: Iterable[Taint]) -> int:
    """How many taints ask, without forbidding, to stay away."""
    soft = [one for one in tolerations if one.effect in ("", PREFER)]
    return sum(taint.effect == PREFER and not tolerates(soft, taint) for taint in taints)
