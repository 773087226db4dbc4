"""The loops of macros: `all`, `exists`, `map` and the others.

Each kind of comprehension has its loop, with the costs that upstream's general fold has for it: of the condition before
each element, of the step after it, of reading the result. Source: interpreter/interpretable.go (evalFold) and
runtimecost.go of google/cel-go.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from pilothouse.api.machinery.cel.costs import LIST
from pilothouse.api.machinery.cel.errors import EvaluationError
from pilothouse.api.machinery.cel.operators import find, no_overload, shown_key
from pilothouse.api.machinery.cel.steps import Frame, Run, Sort, Step
from pilothouse.api.machinery.cel.syntax import Comprehension, Fold, Node
from pilothouse.api.machinery.cel.values import Lazy, type_name_of

_GO_NAMES = {bool: "types.Bool", int: "types.Int", float: "types.Double", str: "types.String", type(None): "types.Null"}


class Steps(Protocol):
    """Who makes steps of the parts."""

    def scoped(self, node: Node, *names: str) -> Step:
        """The step of a node that sees these names too."""
        ...


def fold_step(node: Comprehension, steps: Steps) -> Step:
    """The step of a comprehension."""
    return _let(node, steps) if node.fold is Fold.LET else _LOOPS[node.fold](node, steps)


def _let(node: Comprehension, steps: Steps) -> Step:
    initial, body = steps.scoped(node.initial), steps.scoped(node.body, node.accumulator)
    name, compute, cost, run = node.accumulator, initial.run, initial.cost, body.run

    def let(frame: Frame) -> object:
        scope = frame.names

        def first_use() -> object:
            inner, frame.names = frame.names, scope
            try:
                frame.charge(cost)
                return compute(frame)
            finally:
                frame.names = inner

        frame.names = scope | {name: Lazy(first_use)}
        try:
            return run(frame)
        finally:
            frame.names = scope

    return Step(let, body.cost)


def _ranged(node: Comprehension, steps: Steps) -> tuple[Step, Callable[[object], Iterable[object]], tuple[str, ...]]:
    names = (node.variable, node.second) if node.second else (node.variable,)
    return steps.scoped(node.range), _pairs if node.second else _singles, names


def _singles(value: object) -> Iterable[object]:
    if isinstance(value, list | dict):
        return value
    raise _not_iterable(value)


def _pairs(value: object) -> Iterable[object]:
    if isinstance(value, list):
        return enumerate(value)
    if isinstance(value, dict):
        return value.items()
    raise _not_iterable(value)


def _not_iterable(value: object) -> EvaluationError:
    return EvaluationError(f"got '{_GO_NAMES.get(type(value), type(value).__name__)}', expected iterable type")


class _Scope:
    """Puts each element of a range under its names, and takes them away in the end."""

    def __init__(self, frame: Frame, names: tuple[str, ...]) -> None:
        self.frame = frame
        self.names = names
        self.before = frame.names

    def each(self, elements: Iterable[object]) -> Iterable[object]:
        """The elements, one after the other, each visible while it is the one."""
        scope = self.frame.names = dict(self.before)
        try:
            if len(self.names) == 1:
                name = self.names[0]
                for element in elements:
                    scope[name] = element
                    yield element
            else:
                first, second = self.names
                for element in elements:
                    scope[first], scope[second] = element  # type: ignore[misc]
                    yield element
        finally:
            self.frame.names = self.before


def _quantifier(decisive: bool, before: int) -> Callable[[Comprehension, Steps], Step]:
    """`all` (false decides) and `exists` (true decides)."""

    def make(node: Comprehension, steps: Steps) -> Step:
        ranged, pairs, names = _ranged(node, steps)
        body = steps.scoped(node.body, *names)
        source, test, cost = ranged.run, body.run, before + 1 + body.cost

        def run(frame: Frame) -> object:
            elements = pairs(source(frame))
            failure: EvaluationError | None = None
            decided = False
            for _ in _Scope(frame, names).each(elements):
                if decided:
                    frame.charge(before)
                    return decisive
                frame.charge(cost)
                try:
                    value = test(frame)
                except EvaluationError as error:
                    failure = failure or error
                    continue
                if value is decisive:
                    decided, failure = True, None
                elif type(value) is not bool:
                    failure = failure or no_overload()
            if failure is not None:
                raise failure
            return decisive if decided else not decisive

        return Step(run, ranged.cost + 1)

    return make


def _exists_one(node: Comprehension, steps: Steps) -> Step:
    ranged, pairs, names = _ranged(node, steps)
    body = steps.scoped(node.body, *names)
    source, test, cost = ranged.run, body.run, body.cost

    def run(frame: Frame) -> object:
        count = 0
        for _ in _Scope(frame, names).each(pairs(source(frame))):
            frame.charge(cost)
            if _kept(test(frame)):
                frame.charge(2)
                count += 1
        return count == 1

    return Step(run, ranged.cost + 2)


def _kept(value: object) -> bool:
    if value is True or value is False:
        return value
    raise no_overload()


def _collected(
    node: Comprehension,
    steps: Steps,
    empty: Callable[[], object],
    add: Callable[[object, Frame, Run], None],
    extra: int,
) -> Step:
    """What gathers something of each element; `extra` is what adding costs beside making what is added."""
    ranged, pairs, names = _ranged(node, steps)
    body = steps.scoped(node.body, *names)
    kept = None if node.kept is None else steps.scoped(node.kept, *names)
    source, make, cost = ranged.run, body.run, body.cost + extra
    if node.fold is Fold.LIST and body.sort is not Sort.CONSTANT:
        cost += LIST
    test, test_cost = (None, 0) if kept is None else (kept.run, kept.cost)

    def run(frame: Frame) -> object:
        made = empty()
        for _ in _Scope(frame, names).each(pairs(source(frame))):
            if test is not None:
                frame.charge(test_cost)
                if not _kept(test(frame)):
                    continue
            frame.charge(cost)
            add(made, frame, make)
        return made

    return Step(run, ranged.cost + 1)


def _list(node: Comprehension, steps: Steps) -> Step:
    def add(made: object, frame: Frame, make: Run) -> None:
        assert isinstance(made, list)
        made.append(make(frame))

    return _collected(node, steps, list, add, 2)


def _map(node: Comprehension, steps: Steps) -> Step:
    key = node.variable

    def add(made: object, frame: Frame, make: Run) -> None:
        _insert(made, frame.names[key], make(frame))

    return _collected(node, steps, dict, add, 3)


def _map_entry(node: Comprehension, steps: Steps) -> Step:
    def add(made: object, frame: Frame, make: Run) -> None:
        entries = make(frame)
        if not isinstance(entries, dict):
            raise no_overload("cel.@mapInsert", made, entries)
        for key, value in entries.items():
            _insert(made, key, value)

    return _collected(node, steps, dict, add, 2)


def _insert(made: object, key: object, value: object) -> None:
    assert isinstance(made, dict)
    if isinstance(key, list | dict):
        raise EvaluationError(f"unsupported key type: {type_name_of(key)}")
    if find(made, key)[0]:
        raise EvaluationError(f"insert failed: key {shown_key(key)} already exists")
    made[key] = value


_LOOPS: dict[Fold, Callable[[Comprehension, Steps], Step]] = {
    Fold.ALL: _quantifier(False, 2),
    Fold.EXISTS: _quantifier(True, 3),
    Fold.EXISTS_ONE: _exists_one,
    Fold.LIST: _list,
    Fold.MAP: _map,
    Fold.MAP_ENTRY: _map_entry,
}
