"""The tree of an expression, after its macros are expanded.

Operators are calls by upstream's names (`_+_`, `_?_:_`, `_[_]`). The parser makes the nodes, the checker writes into
them what it found: the type, the full name of a variable or function, the overloads that fit. `position` is where a
complaint about the node points: an operator's sign, a call's parenthesis, a selection's dot.
"""

from dataclasses import dataclass, field
from enum import Enum, auto

from pilothouse.api.machinery.cel.types import DYN, CelType


@dataclass(slots=True, eq=False)
class Node:
    """Any expression."""

    position: int
    type: CelType = field(default=DYN, kw_only=True)
    """As checked."""


@dataclass(slots=True, eq=False)
class Literal(Node):
    """A constant."""

    value: object


@dataclass(slots=True, eq=False)
class Ident(Node):
    """A name. The checker makes one of a whole `a.b.c` where that is a variable's name."""

    name: str


@dataclass(slots=True, eq=False)
class Select(Node):
    """`operand.field`, or with `test` the `has()` of it."""

    operand: Node
    field: str
    test: bool = False
    variable: str = ""
    """The name of the variable, or type, that the whole is; empty where it really selects."""


@dataclass(slots=True, eq=False)
class Call(Node):
    """A function or operator. With a target it is a member's, unless the checker found a function of the long name."""

    function: str
    target: Node | None
    arguments: list[Node]
    overloads: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class ListLiteral(Node):
    """`[a, ?b]`; `optional` has the indexes of elements that are left out where they are none."""

    elements: list[Node]
    optional: frozenset[int] = frozenset()


@dataclass(slots=True, eq=False)
class Entry:
    """One entry of a map or field of a struct."""

    position: int
    key: Node
    value: Node
    optional: bool = False


@dataclass(slots=True, eq=False)
class MapLiteral(Node):
    """`{key: value, ?key: optional}`."""

    entries: list[Entry]


@dataclass(slots=True, eq=False)
class StructLiteral(Node):
    """`Name{field: value}`; the keys of its entries are string literals."""

    name: str
    entries: list[Entry]


class Fold(Enum):
    """What a comprehension is for: evaluation knows a loop for each."""

    ALL = auto()
    EXISTS = auto()
    EXISTS_ONE = auto()
    LIST = auto()
    MAP = auto()
    MAP_ENTRY = auto()
    LET = auto()
    """No loop: the accumulator is a name for its initial value."""


@dataclass(slots=True, eq=False)
class Comprehension(Node):
    """What the macros become: a fold of a range. With `second` the variables are index (or key) and value.

    The fold is what types are checked of and costs are counted by. `body` and `kept` are parts of it: what is tested or
    collected of each element, and which elements are.
    """

    range: Node
    variable: str
    second: str
    accumulator: str
    initial: Node
    condition: Node
    step: Node
    result: Node
    fold: Fold
    body: Node
    kept: Node | None = None


ACCUMULATOR = "@result"


def qualified_name(node: Node) -> str | None:
    """`a.b.c` of a chain of plain selections, None for anything else."""
    if isinstance(node, Ident):
        return node.name
    if isinstance(node, Select) and not node.test:
        head = qualified_name(node.operand)
        return None if head is None else f"{head}.{node.field}"
    return None


def children(node: Node) -> list[Node]:
    """The parts of a node, in the order of evaluation."""
    match node:
        case Select():
            return [node.operand]
        case Call():
            return [*([node.target] if node.target else []), *node.arguments]
        case ListLiteral():
            return node.elements
        case MapLiteral():
            return [part for entry in node.entries for part in (entry.key, entry.value)]
        case StructLiteral():
            return [entry.value for entry in node.entries]
        case Comprehension():
            return [node.range, node.initial, node.condition, node.step, node.result]
    return []
