"""What a scheduler plugin is.

A plugin may refuse nodes, and may score them: each by itself (`rate`), or those that nobody refused in comparison
(`score`). It answers for one node (`refuse`, `rate`), and, where that would be slow, for all at once with an operation
on the columns (`passes`, `rates`); the two must agree. One that says the same of a node to all pods of one `sort` is
asked once for them. Names, weights and messages are upstream's: the scheduling framework, KEP-624.
"""

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from pilothouse.client.client import Client
from pilothouse.client.informer import Informers
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.scheduler.changes import Change, Happened
from pilothouse.scheduler.columns import Bools, Ints
from pilothouse.scheduler.nodes import NodeInfo, Nodes
from pilothouse.scheduler.pod_info import PodInfo

MAX_SCORE = 100


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a pod cannot run on a node."""

    reasons: tuple[str, ...]
    """In upstream's words."""
    resolvable: bool = True
    """Whether it might run there if other pods went away."""


@dataclass(frozen=True, slots=True)
class Only:
    """No other nodes than these, by name, need be looked at."""

    names: tuple[str, ...]


Refuses = Callable[[PodInfo, NodeInfo], Refusal | None]
"""Why a pod cannot run on a node that looks so; None if it can."""


@dataclass(slots=True)
class Diagnosis:
    """Why a pod can run nowhere."""

    nodes: int
    """How many nodes there are."""
    reasons: Counter[str] = field(default_factory=Counter)
    """How many nodes gave each reason."""
    resolvable: list[int] = field(default_factory=list)
    """Rows of the nodes that might do if other pods went away."""
    plugins: dict[str, None] = field(default_factory=dict)
    """Names of the plugins that refused."""
    general: str = ""
    """Why no node was even looked at."""
    suggestion: str = ""
    """What was found about making room."""

    def add(self, plugin: "Plugin", rows: Ints, refusal: Refusal) -> None:
        """A plugin refused these nodes, all for the same reasons."""
        self.plugins[plugin.name] = None
        for reason in refusal.reasons:
            self.reasons[reason] += len(rows)
        if refusal.resolvable:
            self.resolvable.extend(rows.tolist())

    @property
    def message(self) -> str:
        """The sentence that users know."""
        if not self.nodes:
            return "no nodes available to schedule pods"
        counted = self.general or ", ".join(sorted(f"{count} {reason}" for reason, count in self.reasons.items()))
        text = f"0/{self.nodes} nodes are available:"
        if counted:
            text += f" {counted}."
        return f"{text} {self.suggestion}" if self.suggestion else text


@dataclass(frozen=True, slots=True)
class Room:
    """What was found about making room for a pod that fits nowhere."""

    message: str = ""
    """Why none can be made."""
    node: str | None = None
    """Where it will be; empty if nowhere, so that former claims end; None leaves them as they are."""
    victims: tuple[PodInfo, ...] = ()
    """Who has to go there."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a plugin may be built with."""

    nodes: Nodes
    informers: Informers
    client: Client
    clock: Clock
    chance: Chance


class Plugin:
    """One plugin. Most override `refuse` and `passes`, or `rate` and `rates`, and `sort`."""

    name: ClassVar[str]
    """Upstream's name, as messages, metrics and configuration have it."""
    weight: ClassVar[int] = 1
    """How much its score counts."""
    by_use: ClassVar[bool] = False
    """Whether it looks at what the pods of a node use, or at what the node offers for them."""
    requeue_on: ClassVar[tuple[Change, ...]] = ()
    """What may undo its refusal."""
    refusal: ClassVar[Refusal | None] = None
    """Its only refusal, where it has just one: nobody need be asked for reasons."""

    @classmethod
    def build(cls, tools: Tools) -> Self:  # noqa: ARG003 - for those that need more
        """Make it for a running scheduler."""
        return cls()

    def sort(self, pod: PodInfo) -> Hashable | None:  # noqa: ARG002 - a hook
        """All of the pod that it looks at; None if it looks at more than the pod and the one node."""
        return None

    def begin(self, pod: PodInfo, nodes: Nodes) -> Refusal | Only | None:  # noqa: ARG002 - a hook
        """Refuse every node, or all but a few, before any is looked at."""
        return None

    def refuse(self, pod: PodInfo, node: NodeInfo) -> Refusal | None:  # noqa: ARG002 - a hook
        """Refuse a node, or let it pass."""
        return None

    def passes(self, pod: PodInfo, nodes: Nodes) -> Bools | None:
        """Which nodes, by row, are not refused; None if all. Rows without a node do not matter."""
        if type(self).refuse is Plugin.refuse:
            return None
        passing = np.ones(nodes.columns.rows, dtype=np.bool_)
        for node in nodes:
            passing[node.row] = self.refuse(pod, node) is None
        return passing

    def explain(self, pod: PodInfo, nodes: Nodes, rows: Ints, diagnosis: Diagnosis) -> None:
        """Add to the diagnosis why it refused these nodes."""
        if self.refusal is not None:
            diagnosis.add(self, rows, self.refusal)
            return
        for row in rows:
            refusal = self.refuse(pod, nodes.at(int(row)))
            if refusal is not None:
                diagnosis.add(self, np.array([row]), refusal)

    def rate(self, pod: PodInfo, node: NodeInfo) -> int:  # noqa: ARG002 - a hook
        """How good a node is, from 0 to 100."""
        return 0

    def rates(self, pod: PodInfo, nodes: Nodes) -> Ints | None:
        """How good each node is, by row; None if it has no opinion. Rows without a node do not matter."""
        if type(self).rate is Plugin.rate:
            return None
        found = np.zeros(nodes.columns.rows, dtype=np.int64)
        for node in nodes:
            found[node.row] = self.rate(pod, node)
        return found

    def compares(self, pod: PodInfo, nodes: Nodes) -> bool:  # noqa: ARG002 - a hook
        """Whether it has to see all nodes that nobody refused beside each other."""
        return type(self).score is not Plugin.score

    def score(self, pod: PodInfo, nodes: Nodes, rows: Ints) -> Ints | None:  # noqa: ARG002 - a hook
        """How good these nodes, which nobody refused, are beside each other; None if it has no opinion."""
        return None

    def make_room(self, pod: PodInfo, nodes: Nodes, diagnosis: Diagnosis, refuses: Refuses) -> Room | None:  # noqa: ARG002 - a hook
        """Find a way to let a pod run that fits nowhere; None if that is not its business."""
        return None

    def helps(self, pod: PodInfo, happened: Happened) -> bool:  # noqa: ARG002 - a hook
        """Whether what happened, one of `requeue_on`, may undo its refusal of this pod."""
        return True


def overrides(plugin: Plugin, *names: str) -> bool:
    """Whether a plugin has an answer of its own to one of these questions."""
    return any(getattr(type(plugin), name) is not getattr(Plugin, name) for name in names)


def normalized(scores: Ints, *, reverse: bool = False) -> Ints:
    """Stretch scores so that the largest becomes 100; `reverse` makes large ones small."""
    largest = int(scores.max(initial=0))
    if largest == 0:
        return np.full(len(scores), MAX_SCORE if reverse else 0, dtype=np.int64)
    stretched: Ints = scores * MAX_SCORE // largest
    return MAX_SCORE - stretched if reverse else stretched


def node_alone(node: Any) -> NodeInfo:
    """A node as if no pod were there, to ask whether a change may help."""
    info = NodeInfo(node.metadata.name)
    info.read(node)
    return info
