"""The cycle: from a pod and the nodes to the one node, or to the reasons why there is none.

Pure but for the tie-break, which is Chance's: the ranking of the pod's sort says which nodes would do and what they are
worth; what it cannot know is asked; the best is taken. As nothing here waits, the nodes cannot change meanwhile and no
snapshot is needed. Upstream: pkg/scheduler/schedule_one.go.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pilothouse.runtime.chance import Chance
from pilothouse.scheduler.columns import Bools, Ints
from pilothouse.scheduler.framework import Diagnosis, Plugin, Refusal, Room, overrides
from pilothouse.scheduler.nodes import NodeInfo, Nodes
from pilothouse.scheduler.pod_info import PodInfo
from pilothouse.scheduler.ranking import REFUSED, Rankings, Totals

ENOUGH_NODES = 100
"""So many are always looked for."""
LEAST_PERCENTAGE = 5


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a pod shall run."""

    node: str
    feasible: int
    """Among how many it was chosen."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What plugins say before any node is looked at."""

    mask: Bools | None = None
    """The only nodes to look at; None for all."""
    narrowing: tuple[str, ...] = ()
    """Who said so."""
    refusing: Plugin | None = None
    """Who refuses every node."""
    refusal: Refusal | None = None


_EVERYWHERE = Begun()


def nodes_to_find(nodes: int, percentage: int) -> int:
    """After how many nodes that would do the search ends. Percentage 0 adapts to the size of the cluster."""
    if nodes < ENOUGH_NODES or percentage >= 100:
        return nodes
    share = percentage or max(50 - nodes // 125, LEAST_PERCENTAGE)
    return max(nodes * share // 100, ENOUGH_NODES)


class Cycle:
    """Decides for one pod after the other."""

    def __init__(self, plugins: Sequence[Plugin], nodes: Nodes, chance: Chance, percentage: int = 100) -> None:
        self._beginners = [one for one in plugins if overrides(one, "begin")]
        self._filters = [one for one in plugins if overrides(one, "refuse", "passes")]
        self._makers = [one for one in plugins if overrides(one, "make_room")]
        self._comparing = [one for one in plugins if overrides(one, "score")]
        self.rankings = Rankings(plugins, nodes)
        self._nodes = nodes
        self._chance = chance
        self._percentage = percentage
        self._start = 0

    def place(self, pod: PodInfo) -> Placement | Diagnosis:
        """Choose a node."""
        if not len(self._nodes):
            return Diagnosis(0)
        begun = self._begin(pod) if self._beginners else _EVERYWHERE
        if begun.refusal is not None:
            return self._explain(pod, begun)
        ranking, left = self.rankings.of(pod)
        totals, feasible = ranking.totals, ranking.feasible
        if left or begun.mask is not None or self._nodes.nominations:
            totals = self._narrowed(pod, begun, totals, left)
            feasible = int(np.count_nonzero(totals != REFUSED))
        highest = totals.max()
        if highest == REFUSED:
            return self._explain(pod, begun)
        comparing = [one for one in self._comparing if one.compares(pod, self._nodes)]
        if comparing or pod.nominated or self._percentage < 100:
            rows = self._sample(pod, (totals != REFUSED).nonzero()[0])
            best, feasible = self._best(pod, rows, totals[rows], comparing), len(rows)
        else:
            best = (totals == highest).nonzero()[0]
        row = best[0] if len(best) == 1 else best[self._chance.below(len(best))]
        return Placement(self._nodes.at(int(row)).name, feasible)

    def make_room(self, pod: PodInfo, diagnosis: Diagnosis) -> Room:
        """Ask the plugins how a pod could run that fits nowhere."""
        for plugin in self._makers:
            room = plugin.make_room(pod, self._nodes, diagnosis, self._refuses)
            if room is not None:
                return room
        return Room()

    def _refuses(self, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        """Why a pod cannot run on a node that looks so, other pods with a claim to it included."""
        claims = self._nodes.nominated(node.name, pod)
        found = (self._refusal(pod, node.having(claims)) if claims else None) or self._refusal(pod, node)
        return None if found is None else found[1]

    def _refusal(self, pod: PodInfo, node: NodeInfo) -> tuple[Plugin, Refusal] | None:
        for plugin in self._filters:
            refusal = plugin.refuse(pod, node)
            if refusal is not None:
                return plugin, refusal
        return None

    def _narrowed(self, pod: PodInfo, begun: Begun, totals: Totals, left: Sequence[Plugin]) -> Totals:
        """What each node is worth after all that a ranking cannot know."""
        totals = totals.copy()
        if begun.mask is not None:
            totals[~begun.mask] = REFUSED
        for plugin in left:
            passing = plugin.passes(pod, self._nodes)
            if passing is not None:
                totals[~passing] = REFUSED
            rates = plugin.rates(pod, self._nodes)
            if rates is not None:
                some = totals != REFUSED
                totals[some] += (plugin.weight * rates[some]).astype(np.int32)
        for row in self._promised(pod):
            if totals[row] != REFUSED and self._refusal(pod, self._with_promised(pod, row)) is not None:
                totals[row] = REFUSED
        return totals

    def _promised(self, pod: PodInfo) -> list[int]:
        """The nodes where room was made for other pods, no less important, that have not come yet."""
        if not self._nodes.nominations:
            return []
        named = [name for name in self._nodes.nominations if self._nodes.nominated(name, pod)]
        found = [self._nodes.get(name) for name in named]
        return [node.row for node in found if node is not None]

    def _with_promised(self, pod: PodInfo, row: int) -> NodeInfo:
        node = self._nodes.at(row)
        return node.having(self._nodes.nominated(node.name, pod))

    def _begin(self, pod: PodInfo) -> Begun:
        names: tuple[str, ...] | None = None
        narrowing: list[str] = []
        for plugin in self._beginners:
            answer = plugin.begin(pod, self._nodes)
            if isinstance(answer, Refusal):
                return Begun(refusing=plugin, refusal=answer)
            if answer is not None:
                narrowing.append(plugin.name)
                names = answer.names if names is None else tuple(name for name in names if name in answer.names)
        if names is None:
            return _EVERYWHERE
        mask = np.zeros(self._nodes.columns.rows, dtype=np.bool_)
        for name in names:
            node = self._nodes.get(name)
            if node is not None:
                mask[node.row] = True
        return Begun(mask, tuple(narrowing))

    def _explain(self, pod: PodInfo, begun: Begun) -> Diagnosis:
        """Ask the plugins one after the other which nodes they refuse, and why."""
        diagnosis = Diagnosis(len(self._nodes))
        mask = self._nodes.columns.alive
        if begun.refusing is not None and begun.refusal is not None:
            diagnosis.add(begun.refusing, np.flatnonzero(mask), begun.refusal)
            diagnosis.general = ", ".join(begun.refusal.reasons)
            return diagnosis
        if begun.mask is not None:
            mask = begun.mask
            diagnosis.plugins |= dict.fromkeys(begun.narrowing)
            ignored = diagnosis.nodes - int(mask.sum())
            if ignored:
                diagnosis.reasons[f"node(s) didn't satisfy plugin(s) [{' '.join(sorted(begun.narrowing))}]"] = ignored
        for plugin in self._filters:
            passing = self.rankings.passing(plugin, pod)
            if passing is None:
                continue
            rows = np.flatnonzero(mask & ~passing)
            if len(rows):
                mask = mask & passing
                diagnosis.plugins[plugin.name] = None
                plugin.explain(pod, self._nodes, rows, diagnosis)
        for row in np.flatnonzero(mask):
            found = self._refusal(pod, self._with_promised(pod, int(row)))
            if found is not None:
                diagnosis.add(found[0], np.array([row]), found[1])
        return diagnosis

    def _sample(self, pod: PodInfo, rows: Ints) -> Ints:
        """The nodes to score: the one that was promised, or so many as are looked for, beginning where we left off."""
        promised = self._nodes.get(pod.nominated) if pod.nominated else None
        if promised is not None and promised.row in rows:
            return np.array([promised.row], dtype=np.int64)
        wanted = nodes_to_find(len(self._nodes), self._percentage)
        if len(rows) <= wanted:
            return rows
        first = int(np.searchsorted(rows, self._start))
        chosen = np.concatenate([rows[first:], rows[:first]])[:wanted]
        self._start = (int(chosen[-1]) + 1) % self._nodes.columns.rows
        return chosen

    def _best(self, pod: PodInfo, rows: Ints, worth: Ints | Totals, comparing: Sequence[Plugin]) -> Ints:
        for plugin in comparing if len(rows) > 1 else ():
            scores = plugin.score(pod, self._nodes, rows)
            if scores is not None:
                worth = worth + plugin.weight * scores
        best: Ints = rows[worth == worth.max()]
        return best
