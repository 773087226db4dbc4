"""From the text of an expression to its value.

`compile_expression` parses, checks types and makes closures of the tree, once; `Program.evaluate` runs them on decoded
JSON, counting upstream's cost as it goes. Source: pkg/admission/plugin/cel/compile.go of apiserver for the texts.
"""

from collections.abc import Mapping

from pilothouse.api.machinery.cel.budget import Budget
from pilothouse.api.machinery.cel.environment import Environment
from pilothouse.api.machinery.cel.errors import CompileError, EvaluationError
from pilothouse.api.machinery.cel.source import nowhere
from pilothouse.api.machinery.cel.steps import Cancelled, Frame, Step
from pilothouse.api.machinery.cel.syntax import Node
from pilothouse.api.machinery.cel.types import CelType


class Program:
    """One compiled expression. `text` is its source, `tree` what was checked, `result` its type."""

    __slots__ = ("_cost", "_run", "result", "text", "tree")

    def __init__(self, text: str, tree: Node, step: Step) -> None:
        self.text = text
        self.tree = tree
        self.result = tree.type
        self._run = step.run
        self._cost = step.cost

    def evaluate(self, values: Mapping[str, object], budget: Budget) -> object:
        """The value for these variables. Raises EvaluationError, or BudgetExceeded (which is one).

        Variables are plain decoded JSON, or the classes of `values`; a `Lazy` is worked out where it is used. The
        result is plain likewise: a list, a dict, a `Struct` (a dict that knows its type). What is not in `values`
        fails as upstream does, with `no such attribute(s): name`. The cost is charged to the budget in any case.
        """
        frame = Frame(values, budget.per_call)
        try:
            frame.charge(self._cost)
            return self._run(frame)
        except Cancelled:
            raise EvaluationError("operation cancelled: actual cost limit exceeded") from None
        except RecursionError:
            raise EvaluationError("operation cancelled: the expression is nested too deeply") from None
        finally:
            budget.charge(frame.cost)


def compile_expression(text: str, environment: Environment, returns: tuple[CelType, ...] | None = None) -> Program:
    """The program, or CompileError. With `returns`, the expression's type must be one of these, exactly (DYN: any)."""
    try:
        # Loaded with the first expression: a server without any does not pay for it.
        from pilothouse.api.machinery.cel.compiler import compiled

        tree, step = compiled(text, environment, returns)
    except RecursionError:
        raise CompileError(nowhere("expression recursion limit exceeded: 250")) from None
    return Program(text, tree, step)
