"""The stages from a text to what runs: parse, check types, check literals, plan."""

from pilothouse.api.machinery.cel.checker import check
from pilothouse.api.machinery.cel.environment import Environment
from pilothouse.api.machinery.cel.errors import CompileError
from pilothouse.api.machinery.cel.literals import check_literals
from pilothouse.api.machinery.cel.parser import parse
from pilothouse.api.machinery.cel.planner import plan
from pilothouse.api.machinery.cel.source import Complaints
from pilothouse.api.machinery.cel.steps import Step
from pilothouse.api.machinery.cel.syntax import Node
from pilothouse.api.machinery.cel.types import DYN, CelType


def compiled(text: str, environment: Environment, returns: tuple[CelType, ...] | None) -> tuple[Node, Step]:
    """The checked tree and what it does. Raises CompileError, RecursionError."""
    complaints = Complaints(text)
    tree = parse(text, environment, complaints)
    check(tree, environment, complaints)
    if not complaints:
        check_literals(tree, complaints)
    if complaints:
        raise CompileError(complaints.display())
    if returns is not None and tree.type not in returns and DYN not in returns:
        raise CompileError(_wrong_result(returns, tree.type), in_expression=False)
    return tree, plan(tree, environment)


def _wrong_result(returns: tuple[CelType, ...], result: CelType) -> str:
    if len(returns) == 1:
        return f"must evaluate to {returns[0]} but got {result}"
    return f"must evaluate to one of [{' '.join(map(str, returns))}] but got {result}"
