"""From the checked tree to steps.

Costs are those of upstream's planner with its optimizer on, as the API server has it: literals of constants are
constants and cost nothing, conversions of constants are done here, once. Source: interpreter/planner.go, attributes.go
and runtimecost.go of google/cel-go.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial, reduce
from typing import Any

from pilothouse.api.machinery.cel import operators
from pilothouse.api.machinery.cel.budget import PER_CALL_LIMIT
from pilothouse.api.machinery.cel.calls import call_step
from pilothouse.api.machinery.cel.costs import LIST, MAP, STRUCT, call_cost
from pilothouse.api.machinery.cel.environment import Environment
from pilothouse.api.machinery.cel.errors import CompileError, EvaluationError
from pilothouse.api.machinery.cel.folds import fold_step
from pilothouse.api.machinery.cel.library.patterns import compiled
from pilothouse.api.machinery.cel.library.standard import CONVERSIONS
from pilothouse.api.machinery.cel.operators import no_overload, shown_key
from pilothouse.api.machinery.cel.steps import Frame, Run, Sort, Step, constant, named, variable
from pilothouse.api.machinery.cel.syntax import (
    Call,
    Comprehension,
    Entry,
    Ident,
    ListLiteral,
    Literal,
    MapLiteral,
    Node,
    Select,
    StructLiteral,
)
from pilothouse.api.machinery.cel.values import Optional, Struct, type_name_of


def plan(node: Node, environment: Environment) -> Step:
    """The step of a checked tree."""
    return Planner(environment).step(node)


class Planner:
    """Makes steps; knows which names the macros around have given."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.names: list[str] = []

    def step(self, node: Node) -> Step:
        """The step of one node and all below it."""
        match node:
            case Literal():
                return constant(node.value)
            case Ident():
                return self._name(node.name)
            case Select():
                return self._name(node.variable) if node.variable else self._select(node)
            case Call():
                special = _SPECIAL.get(node.function)
                return self._call(node) if special is None else special(self, node)
            case ListLiteral():
                return self._list(node)
            case MapLiteral():
                return self._map(node)
            case StructLiteral():
                return self._struct(node)
            case Comprehension():
                return fold_step(node, self)
        raise AssertionError(node)

    def scoped(self, node: Node, *names: str) -> Step:
        """The step of a node that sees more names."""
        before = self.names
        self.names = [*before, *names]
        step = self.step(node)
        self.names = before
        return step

    def _name(self, name: str) -> Step:
        if name in self.names:
            return named(name)
        name = name.removeprefix(".")
        value = self.environment.constant(name)
        return variable(name) if value is None else constant(value)

    def _select(self, node: Select) -> Step:
        if node.test:
            operand, name = self.step(node.operand), node.field
            run = operand.run
            return Step(lambda frame: operators.has(run(frame), name), operand.operand_cost)
        names = [node.field]
        root = node.operand
        while isinstance(root, Select) and not root.test and not root.variable:
            names.append(root.field)
            root = root.operand
        operand = self.step(root)
        cost = operand.operand_cost + len(names)
        return Step(_path(operand.run, tuple(reversed(names))), cost, Sort.ATTRIBUTE)

    def index(self, node: Call) -> Step:
        """`a[b]`."""
        operand, key = (self.step(argument) for argument in node.arguments)
        return _accessed(operators.index, operand, key)

    def optional_access(self, node: Call) -> Step:
        """`a.?b` and `a[?b]`."""
        operand, key = (self.step(argument) for argument in node.arguments)
        return _accessed(operators.optional_select, operand, key)

    def both(self, node: Call) -> Step:
        """`a && b`: where one is false the other may fail."""
        return self._either(node, decisive=False)

    def either(self, node: Call) -> Step:
        """`a || b`: where one is true the other may fail."""
        return self._either(node, decisive=True)

    def _either(self, node: Call, *, decisive: bool) -> Step:
        left, right = (self.step(argument) for argument in node.arguments)
        first, second, cost = left.run, right.run, right.cost

        def run(frame: Frame) -> object:
            failure: EvaluationError | None = None
            value: object = None
            try:
                value = first(frame)
            except EvaluationError as error:
                failure = error
            if value is decisive:
                return decisive
            frame.charge(cost)
            other = second(frame)
            if other is decisive:
                return decisive
            if failure is not None:
                raise failure
            if type(value) is not bool or type(other) is not bool:
                raise no_overload()
            return other

        return Step(run, left.cost)

    def conditional(self, node: Call) -> Step:
        """`a ? b : c`."""
        condition, yes, no = (self.step(argument) for argument in node.arguments)
        test, then, otherwise = condition.run, yes.run, no.run
        then_cost, otherwise_cost = yes.chosen_cost, no.chosen_cost

        def run(frame: Frame) -> object:
            value = test(frame)
            if value is True:
                frame.charge(then_cost)
                return then(frame)
            if value is False:
                frame.charge(otherwise_cost)
                return otherwise(frame)
            raise no_overload()

        return Step(run, condition.cost, Sort.CONDITIONAL)

    def membership(self, node: Call) -> Step:
        """`a in b`: in a list of constants it costs nothing."""
        value, container = (self.step(argument) for argument in node.arguments)
        plain = (str, int, float, bool)
        members = container.value if container.sort is Sort.CONSTANT and node.overloads == ("in_list",) else None
        if not isinstance(members, list) or not all(isinstance(member, plain) for member in members):
            return self._call(node)
        if not members:
            return constant(False)
        run = value.run
        if all(type(member) is str for member in members):
            texts = frozenset(members)

            def among(frame: Frame) -> object:
                found = run(frame)
                return type(found) is str and found in texts

            return Step(among, value.cost)
        return Step(lambda frame: operators.contains(run(frame), members), value.cost)

    def _call(self, node: Call) -> Step:
        target = [] if node.target is None else [node.target]
        arguments = [self.step(argument) for argument in (*target, *node.arguments)]
        step = call_step(node, self.environment, arguments, call_cost(node.function, node.overloads))
        try:
            if node.function in CONVERSIONS and len(arguments) == 1 and arguments[0].sort is Sort.CONSTANT:
                return constant(step.run(Frame({}, PER_CALL_LIMIT)))
            if node.function in ("find", "findAll") and isinstance(pattern := arguments[1].value, str):
                compiled(pattern)
        except EvaluationError as error:
            raise CompileError(f"program instantiation failed: {error}", in_expression=False) from error
        return step

    def _list(self, node: ListLiteral) -> Step:
        elements = [self.step(element) for element in node.elements]
        if not node.optional and all(element.sort is Sort.CONSTANT for element in elements):
            return constant([element.value for element in elements])
        cost = LIST + sum(element.cost for element in elements)
        runs = [element.run for element in elements]
        if not node.optional:
            return Step(lambda frame: [run(frame) for run in runs], cost)
        optional = node.optional

        def run(frame: Frame) -> object:
            made: list[object] = []
            for at, element in enumerate(runs):
                value = element(frame)
                if at not in optional:
                    made.append(value)
                elif (given := _given(value)).present:
                    made.append(given.value)
            return made

        return Step(run, cost)

    def _entries(self, entries: list[Entry]) -> tuple[list[tuple[Run, Run, bool]], int, bool]:
        """What makes keys and values, what that costs, and whether all of it is constant."""
        made: list[tuple[Run, Run, bool]] = []
        cost, fixed = 0, True
        for entry in entries:
            key, value = self.step(entry.key), self.step(entry.value)
            made.append((key.run, value.run, entry.optional))
            cost += key.cost + value.cost
            fixed = fixed and not entry.optional and key.sort is value.sort is Sort.CONSTANT
        return made, cost, fixed

    def _map(self, node: MapLiteral) -> Step:
        entries, cost, fixed = self._entries(node.entries)
        run = partial(_made_map, entries)
        if fixed:
            with suppress(EvaluationError):
                return constant(run(Frame({}, PER_CALL_LIMIT)))
        return Step(run, MAP + cost)

    def _struct(self, node: StructLiteral) -> Step:
        entries, cost, _ = self._entries(node.entries)
        name = node.name.removeprefix(".")
        return Step(lambda frame: Struct(name, _made_map(entries, frame)), STRUCT + cost)  # type: ignore[arg-type]


def _path(run: Run, names: tuple[str, ...]) -> Run:
    """A chain of selections: straight through maps, and with more care where one is missing or something else."""

    def path(frame: Frame) -> object:
        start = run(frame)
        value: Any = start
        try:
            for name in names:
                value = value[name]
        except (KeyError, TypeError, IndexError):
            return reduce(operators.select, names, start)
        return value

    return path


def _accessed(access: Callable[[object, object], object], operand: Step, key: Step) -> Step:
    run, find = operand.run, key.run
    return Step(lambda frame: access(run(frame), find(frame)), operand.operand_cost + key.key_cost, Sort.ATTRIBUTE)


def _made_map(entries: list[tuple[Run, Run, bool]], frame: Frame) -> dict[object, object]:
    made: dict[object, object] = {}
    for key, value, optional in entries:
        name, element = key(frame), value(frame)
        if optional:
            given = _given(element)
            if not given.present:
                continue
            element = given.value
        if isinstance(name, list | dict):
            raise EvaluationError(f"unsupported key type: {type_name_of(name)}")
        made[name] = element
    return made


def _given(value: object) -> Optional:
    if isinstance(value, Optional):
        return value
    raise EvaluationError(f"cannot initialize optional entry from non-optional value {shown_key(value)}")


_SPECIAL: dict[str, Callable[[Planner, Call], Step]] = {
    "_&&_": Planner.both,
    "_||_": Planner.either,
    "_?_:_": Planner.conditional,
    "_[_]": Planner.index,
    "_?._": Planner.optional_access,
    "_[?_]": Planner.optional_access,
    "@in": Planner.membership,
}
