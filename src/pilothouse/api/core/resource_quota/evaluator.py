"""Evaluator: how much of what quotas count one object uses.

This one counts objects, as `count/deployments.apps`; some kinds of the core group also by their plural alone. Kinds
that use more have an evaluator of their own in `evaluators`. Source: pkg/quota/v1/evaluator/core,
apiserver/pkg/quota/v1.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pilothouse.api.core.pod.resources import Amounts, amounts
from pilothouse.api.machinery.errors import qualified
from pilothouse.api.machinery.quantity import of_units
from pilothouse.api.machinery.view import JsonObject
from pilothouse.runtime.clock import Instant

IGNORED = frozenset({("", "events"), ("events.k8s.io", "events"), ("", "bindings")})
"""Kinds that no quota counts, by group and plural: the former come and go by themselves."""
ONE = of_units(1)
_BY_PLURAL = frozenset({"configmaps", "replicationcontrollers", "resourcequotas", "secrets"})
"""The kinds of the core group whose plural alone is what a quota counts."""


@dataclass(frozen=True, slots=True)
class Change:
    """A write, as quotas see it. `part` is the subresource; `old` is None for a creation."""

    operation: str
    new: JsonObject
    old: JsonObject | None = None
    part: str = ""


class Evaluator:
    """Counts the objects of one kind."""

    def __init__(self, group: str, plural: str) -> None:
        self.group = group
        self.plural = plural
        self.object_count = f"count/{qualified(plural, group)}"
        self._names = {self.object_count, *((plural,) if not group and plural in _BY_PLURAL else ())}

    def counts(self, name: str) -> bool:
        """Whether objects of this kind use what a quota calls by this name."""
        return name in self._names

    def handles(self, change: Change) -> bool:
        """Whether the write may use more than was used before."""
        return change.operation == "CREATE" and not change.part

    def missing(self, names: Iterable[str], obj: JsonObject) -> str:  # noqa: ARG002 - a hook
        """What the object must state where these names are counted; empty where it does."""
        return ""

    def in_scope(self, selector: JsonObject, obj: JsonObject) -> bool:  # noqa: ARG002 - a hook
        """Whether the object is one of those that a quota's scope selects."""
        return False

    def usage(self, obj: JsonObject, now: Instant) -> Amounts:  # noqa: ARG002 - a hook
        """What the object uses."""
        return dict.fromkeys(sorted(self._names), ONE)

    def traits(self, obj: JsonObject) -> Hashable:  # noqa: ARG002 - a hook
        """What may change of an object and puts it into other scopes."""
        return None

    def counts_anew(self, old: JsonObject, new: JsonObject, now: Instant) -> bool:
        """Whether quotas that count the object have to be counted anew after a change of it."""
        return self.traits(old) != self.traits(new) or self.usage(old, now) != self.usage(new, now)


def read_amounts(found: Mapping[str, Any] | None) -> Amounts:
    """Amounts by name; what is no quantity is left out."""
    return amounts({"amounts": found}, "amounts")
