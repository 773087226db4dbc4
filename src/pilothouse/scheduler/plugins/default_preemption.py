"""DefaultPreemption: a pod that finds no place may have less important ones removed.

Upstream: plugins/defaultpreemption.
"""

from collections.abc import Sequence
from typing import Self

from pilothouse.api.machinery.selectors import from_label_selector
from pilothouse.api.types.policy_v1 import PodDisruptionBudget
from pilothouse.client.informer import Lister
from pilothouse.runtime.chance import Chance
from pilothouse.scheduler.framework import Diagnosis, Plugin, Refuses, Room, Tools
from pilothouse.scheduler.nodes import Nodes
from pilothouse.scheduler.pod_info import PodInfo
from pilothouse.scheduler.preemption import Budget, find_room, ineligible, nobody_to_remove


class DefaultPreemption(Plugin):
    """Looks for the node where removing pods costs least."""

    name = "DefaultPreemption"

    def __init__(self, budgets: Lister[PodDisruptionBudget] | None = None, chance: Chance | None = None) -> None:
        self._budgets = budgets
        self._chance = chance

    @classmethod
    def build(cls, tools: Tools) -> Self:
        """Make it for a running scheduler: it watches budgets."""
        return cls(tools.informers.of(PodDisruptionBudget).lister, tools.chance)

    def make_room(self, pod: PodInfo, nodes: Nodes, diagnosis: Diagnosis, refuses: Refuses) -> Room | None:
        """Find who would have to go, or say why nobody would help."""
        nominated = nodes.get(pod.nominated) if pod.nominated else None
        if nominated is not None and nominated.row not in diagnosis.resolvable:
            nominated = None
        reason = ineligible(pod, nominated)
        if reason:
            return Room(message=f"preemption: {reason}")
        room = self._find(pod, nodes, diagnosis, refuses)
        return Room(f"preemption: {room.message}", room.node, room.victims) if room.message else room

    def _find(self, pod: PodInfo, nodes: Nodes, diagnosis: Diagnosis, refuses: Refuses) -> Room:
        rows = diagnosis.resolvable
        if not nodes.has_lesser(pod.priority):
            return nobody_to_remove(len(rows), diagnosis.nodes)
        first = self._chance.below(len(rows)) if self._chance is not None and rows else 0
        places = [nodes.at(row) for row in (*rows[first:], *rows[:first])]
        return find_room(pod, places, diagnosis.nodes, self._known_budgets(), refuses)

    def _known_budgets(self) -> Sequence[Budget]:
        found = []
        for one in self._budgets.list() if self._budgets is not None else ():
            try:
                selector = from_label_selector(one.spec.selector)
            except ValueError:
                continue
            status = one.status
            allowed, disrupted = status.disruptionsAllowed or 0, frozenset(status.disruptedPods)
            found.append(Budget(one.metadata.namespace, selector, allowed, disrupted))
        return found
