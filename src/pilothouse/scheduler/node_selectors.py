"""Node selectors: which nodes a pod may run on, or prefers, by labels and by name.

Each question can be put to one node and to all at once. What cannot be read, such as a bound that is no number, matches
nothing. API page: Assigning Pods to Nodes; the rules are those of component-helpers/scheduling/corev1/nodeaffinity.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pilothouse.api.machinery.node_selectors import NAME_FIELD
from pilothouse.api.machinery.node_selectors import Requirement as OfOne
from pilothouse.scheduler.columns import Bools, LabelColumn
from pilothouse.scheduler.nodes import NodeInfo, Nodes


@dataclass(frozen=True, slots=True)
class Requirement(OfOne):
    """What one label, or the node's name, must be."""

    def where(self, column: LabelColumn) -> Bools:
        """The rows whose value will do."""
        match self.operator:
            case "In":
                return column.among(self.values)
            case "NotIn":
                return ~column.among(self.values)
            case "Exists":
                return column.present
            case "DoesNotExist":
                return ~column.present
        return column.where(self.holds)


@dataclass(frozen=True, slots=True)
class Term:
    """Requirements that must all hold. Without any it matches nothing."""

    labels: tuple[Requirement, ...]
    names: tuple[Requirement, ...]

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "Term":
        """Read a NodeSelectorTerm."""
        return cls(_requirements(raw.get("matchExpressions")), _requirements(raw.get("matchFields")))

    def matches(self, node: NodeInfo) -> bool:
        """Whether one node satisfies it."""
        if not self.labels and not self.names:
            return False
        return all(one.key == NAME_FIELD and one.holds(node.name) for one in self.names) and all(
            one.holds(node.labels.get(one.key)) for one in self.labels
        )

    def where(self, nodes: Nodes) -> Bools:
        """The rows of the nodes that satisfy it."""
        columns = nodes.columns
        if not self.labels and not self.names:
            return np.zeros(columns.rows, dtype=np.bool_)
        found = columns.alive.copy()
        for one in self.labels:
            found &= one.where(columns.label(one.key))
        for one in self.names:
            found &= _named(one, nodes)
        return found

    @property
    def only(self) -> tuple[str, ...] | None:
        """The names of the only nodes that could match; None if it names none."""
        found: tuple[str, ...] | None = None
        for one in self.names:
            if one.key == NAME_FIELD and one.operator == "In":
                found = one.values if found is None else tuple(name for name in found if name in one.values)
        return found


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where a pod may run: labels that a node must have, and terms of which one must match."""

    labels: tuple[tuple[str, str], ...] = ()
    terms: tuple[Term, ...] | None = None
    """None if nothing is required."""

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> "Wanted":
        """Read a pod's `nodeSelector` and required node affinity."""
        affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
        required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
        terms = None
        if required is not None:
            terms = tuple([Term.of(term) for term in required.get("nodeSelectorTerms") or ()])
        return cls(tuple((spec.get("nodeSelector") or {}).items()), terms)

    @property
    def anything(self) -> bool:
        """Whether every node will do."""
        return not self.labels and self.terms is None

    @property
    def only(self) -> tuple[str, ...] | None:
        """The names of the only nodes that could match, if every term names some."""
        found: dict[str, None] = {}
        for term in self.terms or ():
            if term.only is None:
                return None
            found |= dict.fromkeys(term.only)
        return tuple(found) if self.terms else None

    def matches(self, node: NodeInfo) -> bool:
        """Whether the pod may run on this node."""
        if any(node.labels.get(key) != value for key, value in self.labels):
            return False
        return self.terms is None or any(term.matches(node) for term in self.terms)

    def where(self, nodes: Nodes) -> Bools:
        """The rows of the nodes on which it may run."""
        columns = nodes.columns
        found = columns.alive.copy()
        for key, value in self.labels:
            found &= columns.label(key).among((value,))
        if self.terms is not None:
            found &= np.logical_or.reduce([term.where(nodes) for term in self.terms]) if self.terms else False
        return found


def preferences(spec: Mapping[str, Any]) -> tuple[tuple[int, Term], ...]:
    """The preferred terms of a pod's node affinity that can match, with their weights."""
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    stated = affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
    found = [(one.get("weight") or 0, Term.of(one.get("preference") or {})) for one in stated]
    return tuple((weight, term) for weight, term in found if weight and (term.labels or term.names))


def _requirements(stated: Any) -> tuple[Requirement, ...]:
    return tuple([
        Requirement(one.get("key") or "", one.get("operator") or "", tuple(one.get("values") or ()))
        for one in stated or ()
    ])  # fmt: skip


def _named(requirement: Requirement, nodes: Nodes) -> Bools:
    found = np.zeros(nodes.columns.rows, dtype=np.bool_)
    if requirement.key != NAME_FIELD or requirement.operator not in ("In", "NotIn"):
        return found
    for name in requirement.values:
        node = nodes.get(name)
        if node is not None:
            found[node.row] = True
    return found if requirement.operator == "In" else ~found
