"""Macros: calls that the parser rewrites before anything else sees them.

`has`, the comprehensions over one and two variables, the optional ones, and `cel.bind` where an environment has it.
Every node made here stands where the macro's call stands. Sources: parser/macro.go, cel/library.go, ext/bindings.go,
ext/comprehensions.go of google/cel-go.
"""

from collections.abc import Callable
from dataclasses import dataclass

from pilothouse.api.machinery.cel.environment import Extra
from pilothouse.api.machinery.cel.syntax import (
    ACCUMULATOR,
    Call,
    Comprehension,
    Fold,
    Ident,
    ListLiteral,
    Literal,
    MapLiteral,
    Node,
    Select,
)

UNUSED = "#unused"


class MacroError(Exception):
    """The macro was given what it cannot take; `position` is where that stands."""

    def __init__(self, position: int, message: str) -> None:
        super().__init__(message)
        self.position = position


def expand(at: int, function: str, target: Node | None, arguments: list[Node], extras: frozenset[Extra]) -> Node | None:
    """What the call means, None where it is no macro's."""
    if target is None:
        return _has(at, arguments) if function == "has" and len(arguments) == 1 else None
    if function == "bind" and isinstance(target, Ident) and target.name == "cel":
        return _bind(at, arguments) if Extra.BINDINGS in extras and len(arguments) == 3 else None
    macro = _MEMBERS.get((function, len(arguments)))
    return None if macro is None else macro(at, target, arguments)


def _has(at: int, arguments: list[Node]) -> Node:
    argument = arguments[0]
    if isinstance(argument, Select) and not argument.test:
        return Select(at, argument.operand, argument.field, test=True)
    raise MacroError(argument.position, "invalid argument to has() macro")


def _bind(at: int, arguments: list[Node]) -> Node:
    name = _simple(arguments[0], "cel.bind() variable names must be simple identifiers")
    return _let(at, name, arguments[1], arguments[2])


def _let(at: int, name: str, value: Node, body: Node) -> Node:
    nothing, never = ListLiteral(at, []), Literal(at, False)
    return Comprehension(at, nothing, UNUSED, "", name, value, never, Ident(at, name), body, Fold.LET, body)


def _simple(node: Node, message: str = "argument must be a simple name") -> str:
    if not isinstance(node, Ident):
        raise MacroError(node.position, message)
    return node.name


def _variable(node: Node) -> str:
    name = _simple(node)
    if name in (ACCUMULATOR, "__result__"):
        raise MacroError(node.position, "iteration variable overwrites accumulator variable")
    return name


@dataclass(frozen=True, slots=True)
class _Ranged:
    """Over what a macro goes, by which names, and what it does with each."""

    fold: Fold
    target: Node
    names: list[str]
    body: Node
    kept: Node | None = None


class _Maker:
    """Nodes at one place."""

    def __init__(self, at: int) -> None:
        self.at = at

    def accumulated(self) -> Node:
        return Ident(self.at, ACCUMULATOR)

    def literal(self, value: object) -> Node:
        return Literal(self.at, value)

    def call(self, function: str, *arguments: Node) -> Node:
        return Call(self.at, function, None, list(arguments))

    def fold(self, ranged: _Ranged, initial: Node, condition: Node, step: Node, result: Node) -> Node:
        first, second = ranged.names if len(ranged.names) == 2 else (ranged.names[0], "")
        return Comprehension(
            self.at,
            ranged.target,
            first,
            second,
            ACCUMULATOR,
            initial,
            condition,
            step,
            result,
            ranged.fold,
            ranged.body,
            ranged.kept,
        )

    def collected(self, ranged: _Ranged, empty: Node, step: Node) -> Node:
        """What gathers everything, or what is kept of it."""
        if ranged.kept is not None:
            step = self.call("_?_:_", ranged.kept, step, self.accumulated())
        return self.fold(ranged, empty, self.literal(True), step, self.accumulated())


def _all(at: int, target: Node, arguments: list[Node]) -> Node:
    make = _Maker(at)
    ranged = _Ranged(Fold.ALL, target, _names(arguments[:-1]), arguments[-1])
    condition = make.call("@not_strictly_false", make.accumulated())
    step = make.call("_&&_", make.accumulated(), ranged.body)
    return make.fold(ranged, make.literal(True), condition, step, make.accumulated())


def _exists(at: int, target: Node, arguments: list[Node]) -> Node:
    make = _Maker(at)
    ranged = _Ranged(Fold.EXISTS, target, _names(arguments[:-1]), arguments[-1])
    condition = make.call("@not_strictly_false", make.call("!_", make.accumulated()))
    step = make.call("_||_", make.accumulated(), ranged.body)
    return make.fold(ranged, make.literal(False), condition, step, make.accumulated())


def _exists_one(at: int, target: Node, arguments: list[Node]) -> Node:
    make = _Maker(at)
    ranged = _Ranged(Fold.EXISTS_ONE, target, _names(arguments[:-1]), arguments[-1])
    more = make.call("_+_", make.accumulated(), make.literal(1))
    step = make.call("_?_:_", ranged.body, more, make.accumulated())
    result = make.call("_==_", make.accumulated(), make.literal(1))
    return make.fold(ranged, make.literal(0), make.literal(True), step, result)


def _map(at: int, target: Node, arguments: list[Node]) -> Node:
    return _listed(at, target, arguments[:1], arguments[1:])


def _transform_list(at: int, target: Node, arguments: list[Node]) -> Node:
    return _listed(at, target, arguments[:2], arguments[2:])


def _filter(at: int, target: Node, arguments: list[Node]) -> Node:
    return _listed(at, target, arguments[:1], [arguments[1], arguments[0]])


def _listed(at: int, target: Node, names: list[Node], rest: list[Node]) -> Node:
    make, ranged = _Maker(at), _collection(Fold.LIST, target, names, rest)
    step = make.call("_+_", make.accumulated(), ListLiteral(at, [ranged.body]))
    return make.collected(ranged, ListLiteral(at, []), step)


def _transform_map(at: int, target: Node, arguments: list[Node]) -> Node:
    make, ranged = _Maker(at), _collection(Fold.MAP, target, arguments[:2], arguments[2:])
    step = make.call("cel.@mapInsert", make.accumulated(), Ident(at, ranged.names[0]), ranged.body)
    return make.collected(ranged, MapLiteral(at, []), step)


def _transform_map_entry(at: int, target: Node, arguments: list[Node]) -> Node:
    make, ranged = _Maker(at), _collection(Fold.MAP_ENTRY, target, arguments[:2], arguments[2:])
    step = make.call("cel.@mapInsert", make.accumulated(), ranged.body)
    return make.collected(ranged, MapLiteral(at, []), step)


def _collection(fold: Fold, target: Node, names: list[Node], rest: list[Node]) -> _Ranged:
    """Of what is collected: what stands last, of those elements for which what stands before it holds."""
    return _Ranged(fold, target, _names(names), rest[-1], rest[0] if len(rest) == 2 else None)


def _names(nodes: list[Node]) -> list[str]:
    return [_variable(node) for node in nodes]


def _opt_map(at: int, target: Node, arguments: list[Node]) -> Node:
    name = _simple(arguments[0], "optMap() variable name must be a simple identifier")
    body = _let(at, name, Call(at, "value", target, []), arguments[1])
    return _where_present(at, target, Call(at, "optional.of", None, [body]))


def _opt_flat_map(at: int, target: Node, arguments: list[Node]) -> Node:
    name = _simple(arguments[0], "optFlatMap() variable name must be a simple identifier")
    return _where_present(at, target, _let(at, name, Call(at, "value", target, []), arguments[1]))


def _where_present(at: int, target: Node, then: Node) -> Node:
    present = Call(at, "hasValue", target, [])
    return Call(at, "_?_:_", None, [present, then, Call(at, "optional.none", None, [])])


_MEMBERS: dict[tuple[str, int], Callable[[int, Node, list[Node]], Node]] = {
    ("all", 2): _all,
    ("all", 3): _all,
    ("exists", 2): _exists,
    ("exists", 3): _exists,
    ("exists_one", 2): _exists_one,
    ("exists_one", 3): _exists_one,
    ("existsOne", 2): _exists_one,
    ("existsOne", 3): _exists_one,
    ("map", 2): _map,
    ("map", 3): _map,
    ("filter", 2): _filter,
    ("transformList", 3): _transform_list,
    ("transformList", 4): _transform_list,
    ("transformMap", 3): _transform_map,
    ("transformMap", 4): _transform_map,
    ("transformMapEntry", 3): _transform_map_entry,
    ("transformMapEntry", 4): _transform_map_entry,
    ("optMap", 2): _opt_map,
    ("optFlatMap", 2): _opt_flat_map,
}
