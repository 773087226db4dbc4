"""Rankings: what every node is worth to one sort of pod, remembered and kept up to date.

Most pods have siblings that want the same, and from one to the next little changes: the last has taken room on one
node. So the answers of all plugins are added up once for each sort of pod; for the next sibling only the rows in the
journal are asked again, one by one. What the plugins say of labels and taints is kept apart, as it outlives many
journal entries. A plugin that cannot name a sort is left out here and asked for each pod. Upstream: opportunistic
batching, KEP-5598, serves the same end.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pilothouse.scheduler.columns import Bools
from pilothouse.scheduler.framework import Plugin, Refusal, overrides
from pilothouse.scheduler.nodes import NodeInfo, Nodes
from pilothouse.scheduler.pod_info import PodInfo

Totals = NDArray[np.int32]
"""The weighted sum of scores by row; REFUSED where the pod cannot run."""
REFUSED = -1
REMEMBERED = 128
"""So many sorts of pods are remembered."""
_FEW = 48
"""So many rows at most are asked one by one; beyond that all at once is faster."""
_ANSWERS = 512


@dataclass(slots=True)
class Ranking:
    """What the nodes are worth to one sort of pod."""

    facts: Totals
    """As far as it does not depend on what the pods of a node use."""
    totals: Totals
    versions: tuple[int, int]
    position: int
    """How much of the journal has been read."""
    feasible: int
    """On how many nodes the pod can run."""


class Rankings:
    """All rankings in use."""

    def __init__(self, plugins: Sequence[Plugin], nodes: Nodes) -> None:
        self._plugins = [one for one in plugins if overrides(one, "refuse", "passes", "rate", "rates")]
        self._nodes = nodes
        self._rankings: dict[tuple[Hashable | None, ...], Ranking] = {}
        self._answers: dict[tuple[str, Hashable], Bools | None] = {}
        self._version = -1
        self._users = [one for one in self._plugins if one.by_use]
        self._questions = [_question(one) for one in self._users]
        self.built = 0
        """How often all nodes were asked."""

    def of(self, pod: PodInfo) -> tuple[Ranking, list[Plugin]]:
        """What the nodes are worth to a pod, not to be changed, and the plugins that must still be asked."""
        key = tuple([plugin.sort(pod) for plugin in self._plugins])
        left = [plugin for plugin, sort in zip(self._plugins, key, strict=True) if sort is None] if None in key else []
        ranking = self._rankings.pop(key, None)
        columns = self._nodes.columns
        if ranking is None or ranking.versions != (columns.version, columns.image_version):
            ranking = self._build(pod, left)
        elif ranking.position != columns.journal.position:
            rows = columns.journal.since(ranking.position)
            if rows is None or len(rows) > _FEW:
                ranking = self._build(pod, left)
            else:
                self._refresh(ranking, pod, rows, left)
        self._rankings[key] = ranking
        if len(self._rankings) > REMEMBERED:
            del self._rankings[next(iter(self._rankings))]
        return ranking, left

    def passing(self, plugin: Plugin, pod: PodInfo) -> Bools | None:
        """Ask one plugin, or remember what it said for another pod of this sort."""
        sort = None if plugin.by_use else plugin.sort(pod)
        if sort is None:
            return plugin.passes(pod, self._nodes)
        version = self._nodes.columns.version
        if version != self._version or len(self._answers) > _ANSWERS:
            self._answers.clear()
            self._version = version
        place = (plugin.name, sort)
        if place not in self._answers:
            self._answers[place] = plugin.passes(pod, self._nodes)
        return self._answers[place]

    def _build(self, pod: PodInfo, left: list[Plugin]) -> Ranking:
        """Ask for all nodes at once."""
        self.built += 1
        columns = self._nodes.columns
        asked = [one for one in self._plugins if one not in left]
        facts = np.zeros(columns.rows, dtype=np.int32)
        self._add(pod, facts, columns.alive, [one for one in asked if not one.by_use])
        totals = facts.copy()
        self._add(pod, totals, facts != REFUSED, [one for one in asked if one.by_use])
        feasible = int(np.count_nonzero(totals != REFUSED))
        return Ranking(facts, totals, (columns.version, columns.image_version), columns.journal.position, feasible)

    def _add(self, pod: PodInfo, totals: Totals, mask: Bools, plugins: Sequence[Plugin]) -> None:
        for plugin in plugins:
            passing = self.passing(plugin, pod)
            if passing is not None:
                mask = mask & passing
            rates = plugin.rates(pod, self._nodes)
            if rates is not None:
                totals += (plugin.weight * rates).astype(np.int32)
        totals[~mask] = REFUSED

    def _refresh(self, ranking: Ranking, pod: PodInfo, rows: dict[int, None], left: list[Plugin]) -> None:
        """Ask again for the rows where amounts have changed."""
        questions = [_question(one) for one in self._users if one not in left] if left else self._questions
        facts, totals = ranking.facts, ranking.totals
        for row in rows:
            total = int(facts[row])
            if total != REFUSED:
                node = self._nodes.at(row)
                for refuse, weight, rate in questions:
                    if refuse is not None and refuse(pod, node) is not None:
                        total = REFUSED
                        break
                    total += weight * rate(pod, node)
            ranking.feasible += (total != REFUSED) - int(totals[row] != REFUSED)
            totals[row] = total
        ranking.position = self._nodes.columns.journal.position


_Question = tuple[Callable[[PodInfo, NodeInfo], Refusal | None] | None, int, Callable[[PodInfo, NodeInfo], int]]


def _question(plugin: Plugin) -> _Question:
    """What to ask a plugin about one node: whether it refuses it, and what it is worth, times which weight."""
    return plugin.refuse if overrides(plugin, "refuse") else None, plugin.weight, plugin.rate
