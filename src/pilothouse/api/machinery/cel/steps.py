"""What a program is made of: closures over a frame, each with the cost that is known before it runs.

A node becomes a `Step`. The fixed costs of steps that always run together are added up when the program is made and
charged at once, where the way forks; what depends on values is charged by the step itself. So a failing expression may
be charged a little more than upstream charges it, and a finished one the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from pilothouse.api.machinery.cel.errors import EvaluationError
from pilothouse.api.machinery.cel.values import Lazy


class Cancelled(Exception):
    """The call costs more than one may. No `||` recovers from it."""


class Frame:
    """One evaluation: the variables, the names of macros, the cost so far."""

    __slots__ = ("cost", "limit", "names", "values")

    def __init__(self, values: Mapping[str, object], limit: int) -> None:
        self.values = values
        self.names: dict[str, object] = {}
        self.cost = 0
        self.limit = limit

    def charge(self, cost: int) -> None:
        """Adds to the cost, and stops where that is too much."""
        self.cost += cost
        if self.cost > self.limit:
            raise Cancelled


Run = Callable[[Frame], object]


class Sort(Enum):
    """What upstream's planner makes of the node: it decides what a selection from it, or a fork to it, costs."""

    CONSTANT = auto()
    ATTRIBUTE = auto()
    CONDITIONAL = auto()
    OTHER = auto()


@dataclass(slots=True)
class Step:
    """One node, made runnable."""

    run: Run
    cost: int
    """Of always running all of it that always runs."""
    sort: Sort = Sort.OTHER
    value: object = None
    """Of a constant."""

    @property
    def chosen_cost(self) -> int:
        """The cost where a condition chose it: upstream does not count the reading of an attribute there."""
        return self.cost - 1 if self.sort is Sort.ATTRIBUTE else self.cost

    @property
    def operand_cost(self) -> int:
        """The cost where something is selected from it: of what is no attribute, one more."""
        return self.cost + 1 if self.sort in (Sort.CONSTANT, Sort.OTHER) else self.cost

    @property
    def key_cost(self) -> int:
        """The cost where it says what is selected."""
        return self.operand_cost if self.sort is not Sort.CONSTANT else 1


def constant(value: object) -> Step:
    """A step that always gives this."""
    return Step(lambda _frame: value, 0, Sort.CONSTANT, value)


def variable(name: str) -> Step:
    """A variable of the environment."""

    def run(frame: Frame) -> object:
        try:
            value = frame.values[name]
        except KeyError:
            raise EvaluationError(f"no such attribute(s): {name}") from None
        return value.get() if type(value) is Lazy else value

    return Step(run, 1, Sort.ATTRIBUTE)


def named(name: str) -> Step:
    """A name that a macro gave."""

    def run(frame: Frame) -> object:
        value = frame.names[name]
        return value.get() if type(value) is Lazy else value

    return Step(run, 1, Sort.ATTRIBUTE)
