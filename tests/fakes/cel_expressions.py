"""CEL expressions compiled and evaluated in one go, for tables of tests."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pilothouse.api.machinery.cel.budget import Budget
from pilothouse.api.machinery.cel.environment import Environment, Extra
from pilothouse.api.machinery.cel.errors import CompileError, EvaluationError
from pilothouse.api.machinery.cel.program import compile_expression
from pilothouse.api.machinery.cel.structs import mutation_structs
from pilothouse.api.machinery.cel.types import DYN, CelType


def environment(types: Mapping[str, CelType] | None = None) -> Environment:
    """Everything that any environment has, and a variable `object` of any type."""
    return Environment({"object": DYN} | dict(types or {}), structs=mutation_structs, extras=Extra)


PLAIN = environment()


def evaluated(text: str, types: Mapping[str, CelType] | None = None, **values: object) -> Any:
    """The result, or `error: ` and the text of what went wrong while it ran."""
    program = compile_expression(text, environment(types) if types else PLAIN)
    try:
        return program.evaluate(values, Budget())
    except EvaluationError as error:
        return f"error: {error}"


def cost_of(text: str, types: Mapping[str, CelType] | None = None, **values: object) -> int:
    """What a call costs, whether it succeeds or not."""
    budget = Budget()
    with suppress(EvaluationError):
        compile_expression(text, environment(types) if types else PLAIN).evaluate(values, budget)
    return budget.used


def complaint(text: str, types: Mapping[str, CelType] | None = None) -> str:
    """Why it does not compile: the first line of each complaint."""
    try:
        compile_expression(text, environment(types) if types else PLAIN)
    except CompileError as error:
        return "\n".join(line for line in error.text.splitlines() if not line.startswith(" |"))
    return ""
