"""The cycle: from a pod and the nodes to the one node, or to the reasons why there is none.

Pure but for the tie-break, which is Chance's: filters narrow a mask over all nodes, scores are added up over what is
left. As nothing here waits, the nodes cannot change meanwhile and no snapshot is needed. Upstream:
pkg/scheduler/schedule_one.go.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from pilothouse.runtime.chance import Chance
from pilothouse.scheduler.columns import Bools, Ints
from pilothouse.scheduler.framework import Diagnosis, Plugin, Refusal
from pilothouse.scheduler.nodes import Nodes
from pilothouse.scheduler.pod_info import PodInfo

ENOUGH_NODES = 100
"""So many are always looked for."""
LEAST_PERCENTAGE = 5
_REMEMBERED = 512


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a pod shall run."""

    node: str
    feasible: int
    """Among how many it was chosen."""


def nodes_to_find(nodes: int, percentage: int) -> int:
    """After how many nodes that would do the search ends. Percentage 0 adapts to the size of the cluster."""
    if nodes < ENOUGH_NODES or percentage >= 100:
        return nodes
    share = percentage or max(50 - nodes // 125, LEAST_PERCENTAGE)
    return max(nodes * share // 100, ENOUGH_NODES)


class Cycle:
    """Decides for one pod after the other."""

    def __init__(self, plugins: Sequence[Plugin], nodes: Nodes, chance: Chance, percentage: int = 100) -> None:
        self._filters = [one for one in plugins if _overrides(one, "refuse", "passes", "begin")]
        self._scorers = [one for one in plugins if _overrides(one, "score")]
        self._nodes = nodes
        self._chance = chance
        self._percentage = percentage
        self._start = 0
        self._known: dict[tuple[str, Hashable], Bools | None] = {}
        self._known_version = -1

    def place(self, pod: PodInfo) -> Placement | Diagnosis:
        """Choose a node."""
        if not len(self._nodes):
            return Diagnosis(0)
        diagnosis = Diagnosis(len(self._nodes))
        mask = self._filter(pod, diagnosis)
        if mask is None:
            return diagnosis
        rows = self._sample(pod, mask)
        row = int(rows[0]) if len(rows) == 1 else self._best(pod, rows)
        return Placement(self._nodes.at(row).name, len(rows))

    def _filter(self, pod: PodInfo, diagnosis: Diagnosis) -> Bools | None:
        """The nodes that nobody refuses; None if there are none, and the diagnosis says why."""
        mask = self._begin(pod, diagnosis)
        if mask is None:
            return None
        refused: list[tuple[Plugin, Bools]] = []
        for plugin in self._filters:
            passing = self._passing(plugin, pod)
            if passing is not None:
                refused.append((plugin, mask))
                mask = mask & passing
        if mask.any():
            return mask
        for number, (plugin, before) in enumerate(refused):
            after = refused[number + 1][1] if number + 1 < len(refused) else mask
            rows = np.flatnonzero(before & ~after)
            if len(rows):
                diagnosis.plugins[plugin.name] = None
                plugin.explain(pod, self._nodes, rows, diagnosis)
        return None

    def _begin(self, pod: PodInfo, diagnosis: Diagnosis) -> Bools | None:
        """The nodes to look at; None if a plugin refuses them all."""
        alive = self._nodes.columns.alive
        names: tuple[str, ...] | None = None
        narrowing: list[str] = []
        for plugin in self._filters:
            answer = plugin.begin(pod, self._nodes)
            if isinstance(answer, Refusal):
                diagnosis.add(plugin, np.flatnonzero(alive), answer)
                diagnosis.general = ", ".join(answer.reasons)
                return None
            if answer is not None:
                narrowing.append(plugin.name)
                names = answer.names if names is None else tuple(name for name in names if name in answer.names)
        if names is None:
            return alive
        mask = np.zeros_like(alive)
        for name in names:
            node = self._nodes.get(name)
            if node is not None:
                mask[node.row] = True
        diagnosis.plugins |= dict.fromkeys(narrowing)
        ignored = diagnosis.nodes - int(mask.sum())
        if ignored:
            diagnosis.reasons[f"node(s) didn't satisfy plugin(s) [{' '.join(sorted(narrowing))}]"] = ignored
        return mask

    def _passing(self, plugin: Plugin, pod: PodInfo) -> Bools | None:
        """Ask the plugin, or remember what it said for another pod of this sort."""
        sort = plugin.sort(pod)
        if sort is None:
            return plugin.passes(pod, self._nodes)
        version = self._nodes.columns.version
        if version != self._known_version or len(self._known) > _REMEMBERED:
            self._known.clear()
            self._known_version = version
        place = (plugin.name, sort)
        if place not in self._known:
            self._known[place] = plugin.passes(pod, self._nodes)
        return self._known[place]

    def _sample(self, pod: PodInfo, mask: Bools) -> Ints:
        """The nodes to score: the one that was promised, or so many as are looked for, beginning where we left off."""
        promised = self._nodes.get(pod.pod.status.nominatedNodeName)
        if promised is not None and mask[promised.row]:
            return np.array([promised.row], dtype=np.int64)
        rows = np.flatnonzero(mask)
        wanted = nodes_to_find(len(self._nodes), self._percentage)
        if len(rows) <= wanted:
            return rows
        first = int(np.searchsorted(rows, self._start))
        chosen = np.concatenate([rows[first:], rows[:first]])[:wanted]
        self._start = (int(chosen[-1]) + 1) % self._nodes.columns.rows
        return chosen

    def _best(self, pod: PodInfo, rows: Ints) -> int:
        total = np.zeros(len(rows), dtype=np.int64)
        for plugin in self._scorers:
            scores = plugin.score(pod, self._nodes, rows)
            if scores is not None:
                total += plugin.weight * scores
        best = rows[total == total.max()]
        return int(best[0] if len(best) == 1 else best[self._chance.below(len(best))])


def _overrides(plugin: Plugin, *names: str) -> bool:
    return any(getattr(type(plugin), name) is not getattr(Plugin, name) for name in names)
