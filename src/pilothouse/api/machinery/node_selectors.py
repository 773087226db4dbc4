"""Node selectors: whether one node is among those that a pod may run on, by its labels and its name.

What cannot be read, such as a bound that is no number, matches nothing. API page: Assigning Pods to Nodes; the rules
are those of component-helpers/scheduling/corev1/nodeaffinity.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NAME_FIELD = "metadata.name"


@dataclass(frozen=True, slots=True)
class Requirement:
    """What one label, or the node's name, must be."""

    key: str
    operator: str
    values: tuple[str, ...]

    def holds(self, value: str | None) -> bool:
        """Whether a value will do; None is the absence of the label."""
        match self.operator:
            case "In":
                return value in self.values
            case "NotIn":
                return value not in self.values
            case "Exists":
                return value is not None
            case "DoesNotExist":
                return value is None
            case "Gt" | "Lt":
                number, bound = _integer(value), _integer(self.values[0] if len(self.values) == 1 else None)
                if number is None or bound is None:
                    return False
                return number > bound if self.operator == "Gt" else number < bound
        return False


def may_run_on(spec: Mapping[str, Any], name: str, labels: Mapping[str, str]) -> bool:
    """Whether a pod's `nodeSelector` and required node affinity allow a node."""
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return required is None or selects(required, name, labels)


def selects(selector: Mapping[str, Any], name: str, labels: Mapping[str, str]) -> bool:
    """Whether one of a NodeSelector's terms matches a node."""
    return any(_matches(term, name, labels) for term in selector.get("nodeSelectorTerms") or ())


def _matches(term: Mapping[str, Any], name: str, labels: Mapping[str, str]) -> bool:
    """All requirements of a term must hold. Without any it matches nothing."""
    by_label, by_field = requirements(term.get("matchExpressions")), requirements(term.get("matchFields"))
    if not by_label and not by_field:
        return False
    return all(one.key == NAME_FIELD and one.holds(name) for one in by_field) and all(
        one.holds(labels.get(one.key)) for one in by_label
    )


def requirements(stated: Any) -> tuple[Requirement, ...]:
    """Read the requirements of a term."""
    return tuple([
        Requirement(one.get("key") or "", one.get("operator") or "", tuple(one.get("values") or ()))
        for one in stated or ()
    ])  # fmt: skip


def _integer(text: str | None) -> int | None:
    if text is None or not text.lstrip("+-").isdecimal():
        return None
    try:
        return int(text)
    except ValueError:
        return None
