"""Calls of functions as steps.

Where the checker knew the types of all arguments the function is called as it is. Where something was dyn, the values
are held against the overloads first, and what fits none is upstream's `no such overload: name(types)`.
"""

from collections.abc import Callable, Sequence

from pilothouse.api.machinery.cel import operators
from pilothouse.api.machinery.cel.costs import Cost
from pilothouse.api.machinery.cel.declarations import Function, Implementation, Overload
from pilothouse.api.machinery.cel.environment import Environment
from pilothouse.api.machinery.cel.errors import EvaluationError
from pilothouse.api.machinery.cel.operators import no_overload
from pilothouse.api.machinery.cel.steps import Frame, Step
from pilothouse.api.machinery.cel.syntax import Call
from pilothouse.api.machinery.cel.types import CelType, Kind
from pilothouse.api.machinery.cel.values import type_name_of

_UNGUARDED = frozenset((*operators.BINARY, "!_", "-_", "_==_", "_!=_", "@in", "type", "dyn"))
"""They know themselves what they take."""

_EXACT: dict[str, type] = {"string": str, "int": int, "bool": bool, "double": float}
"""What values of a type nearly always are."""

_OPEN = (Kind.DYN, Kind.PARAM)


def call_step(node: Call, environment: Environment, arguments: list[Step], cost: int | Cost) -> Step:
    """The step of a call whose arguments are all worked out first."""
    function = _implementation(node, environment)
    runs = [argument.run for argument in arguments]
    known = sum(argument.cost for argument in arguments)
    if not isinstance(cost, int):
        return Step(_counted(function, runs, cost), known)
    match runs:
        case []:
            return Step(lambda _frame: function(), known + cost)
        case [first]:
            return Step(lambda frame: function(first(frame)), known + cost)
        case [first, second]:
            return Step(lambda frame: function(first(frame), second(frame)), known + cost)
    return Step(lambda frame: function(*[run(frame) for run in runs]), known + cost)


def _counted(function: Implementation, runs: list[Callable[[Frame], object]], cost: Cost) -> Callable[[Frame], object]:
    """A call whose cost depends on what it is given. A missing operand of two counts as one."""
    if len(runs) == 2:
        first, second = runs

        def two(frame: Frame) -> object:
            try:
                values = (first(frame), second(frame))
            except EvaluationError:
                frame.charge(1)
                raise
            result = function(*values)
            frame.charge(cost(values, result))
            return result

        return two

    def run(frame: Frame) -> object:
        values = [each(frame) for each in runs]
        result = function(*values)
        frame.charge(cost(values, result))
        return result

    return run


def _implementation(node: Call, environment: Environment) -> Implementation:
    given = [argument.type for argument in (*([node.target] if node.target else []), *node.arguments)]
    fitting = [
        (function, overload)
        for function in environment.functions(node.function)
        for overload in function.overloads
        if overload.id in node.overloads
    ]
    if node.function in _UNGUARDED or (len(fitting) == 1 and not _open(fitting[0][1].parameters, given)):
        return fitting[0][0].run
    return _guarded(node.function, fitting)


def _open(parameters: Sequence[CelType], given: Sequence[CelType]) -> bool:
    """Whether a value may come that is not what the parameter wants."""
    return any(
        (wanted.kind not in _OPEN and found.kind in (*_OPEN, Kind.ERROR)) or found.name == "null_type"
        for wanted, found in zip(parameters, given, strict=True)
    )


def _guarded(name: str, fitting: list[tuple[Function, Overload]]) -> Implementation:
    careful = _careful(name, fitting)
    function, overload = fitting[0]
    kinds = [_EXACT.get(parameter.name) for parameter in overload.parameters]
    if len(fitting) > 1 or None in kinds or len(kinds) != 2:
        return careful
    first_kind, second_kind = kinds
    run = function.run

    def two(first: object, second: object) -> object:
        if type(first) is first_kind and type(second) is second_kind:
            return run(first, second)
        return careful(first, second)

    return two


def _careful(name: str, fitting: list[tuple[Function, Overload]]) -> Implementation:
    choices = [(function.run, [_wanted(each) for each in overload.parameters]) for function, overload in fitting]

    def run(*values: object) -> object:
        names = [type_name_of(value) for value in values]
        for function, wanted in choices:
            if all(want is None or want == found for want, found in zip(wanted, names, strict=True)):
                return function(*values)
        raise no_overload(name, *values)

    return run


def _wanted(parameter: CelType) -> str | None:
    """The name of the type that values have to have, None for any."""
    return None if parameter.kind in (*_OPEN, Kind.TYPE) else parameter.name
