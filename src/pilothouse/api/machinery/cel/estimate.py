"""What an expression may cost at least and at most, before there are values: CRD rules above a limit are refused.

Sizes that the text itself does not tell are asked for by path: the variable, then fields, `@items`, `@keys`, `@values`.
Walks the tree as the checker left it, macros expanded. Source: checker/cost.go of google/cel-go, with has() for nothing
as apiserver/pkg/cel/environment/base.go sets it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pilothouse.api.machinery.cel.costs import LIST, MAP, STRUCT
from pilothouse.api.machinery.cel.estimate_calls import Operand, call_estimate
from pilothouse.api.machinery.cel.program import Program
from pilothouse.api.machinery.cel.ranges import ANY, EMPTY, NOTHING, ONE, Range, exactly
from pilothouse.api.machinery.cel.syntax import (
    ACCUMULATOR,
    Call,
    Comprehension,
    Entry,
    Fold,
    Ident,
    ListLiteral,
    Literal,
    MapLiteral,
    Node,
    Select,
    StructLiteral,
)
from pilothouse.api.machinery.cel.types import CelType, Kind

Path = tuple[str, ...]
Sizes = Callable[[Path, CelType], Range | None]
"""Who knows how large what stands at a path may be; None for what nobody knows."""

_SCALARS = frozenset(("bool", "int", "uint", "double", "google.protobuf.Timestamp", "google.protobuf.Duration"))


@dataclass(frozen=True, slots=True)
class _Elements:
    """How large what is in a list or map may be."""

    of_list: bool
    keys: Range
    values: Range

    def __or__(self, other: "_Elements") -> "_Elements":
        return _Elements(self.of_list, self.keys | other.keys, self.values | other.values)


@dataclass(frozen=True, slots=True)
class _Name:
    """What a macro's name stands for."""

    path: Path | None
    size: Range | None
    elements: _Elements | None = None


def estimate(program: Program, sizes: Sizes = lambda _path, _type: None) -> Range:
    """The cost of one evaluation."""
    return _Estimator(sizes).cost(program.tree)


class _Estimator:
    def __init__(self, sizes: Sizes) -> None:
        self.ask = sizes
        self.names: dict[str, list[_Name]] = {}
        self.paths: dict[int, Path | None] = {}
        self.sizes: dict[int, Range] = {}
        self.elements: dict[int, _Elements] = {}

    def cost(self, node: Node) -> Range:
        """Of the node and all below it; notes its path and size on the way."""
        match node:
            case Ident():
                self.paths[id(node)] = self._path(node)
                return ONE
            case Select():
                return self._select(node)
            case Call():
                return self._call(node)
            case ListLiteral():
                return self._list(node)
            case MapLiteral():
                return self._map(node)
            case StructLiteral():
                return exactly(STRUCT) + self._sum([entry.value for entry in node.entries])
            case Comprehension():
                return self._let(node) if node.fold is Fold.LET else self._comprehension(node)
        return NOTHING

    def _sum(self, nodes: list[Node]) -> Range:
        total = NOTHING
        for node in nodes:
            total += self.cost(node)
        return total

    def _path(self, node: Node) -> Path | None:
        if isinstance(node, Ident):
            known = self.names.get(node.name)
            return known[-1].path if known else (node.name,)
        return self.paths.get(id(node))

    def _select(self, node: Select) -> Range:
        if node.variable:
            self.paths[id(node)] = (node.variable,)
            return ONE
        cost = self.cost(node.operand)
        if node.test:
            return cost
        path = self._path(node.operand)
        self.paths[id(node)] = None if path is None else (*path, node.field)
        counts = node.operand.type.kind in (Kind.MAP, Kind.OBJECT, Kind.PARAM)
        return cost + ONE if counts else cost

    def _call(self, node: Call) -> Range:
        if node.function == "dyn":
            cost = ONE + self.cost(node.arguments[0])
            self._like(node, node.arguments[0])
            return cost
        costs = [self.cost(argument) for argument in node.arguments]
        operands = [self._operand(argument) for argument in node.arguments]
        target_cost, target = NOTHING, None
        if node.target is not None:
            target_cost, target = self.cost(node.target), self._operand(node.target)
        total, size = EMPTY, None
        for overload in node.overloads:
            found, result = call_estimate(node.function, overload, target, operands, costs)
            total |= found
            if result is not None:
                size = result if size is None else size | result
            size = self._accessed(node, overload, size)
            size = self.size(node) if size is None else size
        self._joined_elements(node)
        if size is not None:
            self.sizes[id(node)] = size
        return target_cost + total

    def _accessed(self, node: Call, overload: str, size: Range | None) -> Range | None:
        """An element of a list or map has its container's path, and the size of what is in it."""
        step = {"index_list": "@items", "index_map": "@values"}.get(overload)
        if step is None:
            return size
        path, elements = self._path(node.arguments[0]), self._elements(node.arguments[0])
        self.paths[id(node)] = None if path is None else (*path, step)
        return None if elements is None else elements.values

    def _joined_elements(self, node: Call) -> None:
        """What is chosen or put together has the elements of both."""
        parts = {"_?_:_": node.arguments[1:], "_+_": node.arguments}.get(node.function)
        if parts is None:
            return
        first, second = (self._elements(part) for part in parts)
        if first is not None and second is not None:
            self.elements[id(node)] = first | second

    def _operand(self, node: Node) -> Operand:
        path = self._path(node)
        if path and path[0] == ACCUMULATOR:
            path = None
        literal = node.value if isinstance(node, Literal) else None
        return Operand(node.type, self.size(node) or ANY, self._items(node.type, path), literal)

    def _items(self, kind: CelType, path: Path | None) -> Range:
        """The size of what is in a list, as far as its path tells it."""
        if not kind.parameters:
            return ANY
        known = None if path is None else self.ask((*path, "@items"), kind.parameters[0])
        return ANY if known is None else known

    def _list(self, node: ListLiteral) -> Range:
        cost = exactly(LIST) + self._sum(node.elements)
        self.elements[id(node)] = _Elements(True, ONE, self._all(node.elements))
        return cost

    def _map(self, node: MapLiteral) -> Range:
        entries: list[Entry] = node.entries
        cost = exactly(MAP) + self._sum([part for entry in entries for part in (entry.key, entry.value)])
        keys, values = [entry.key for entry in entries], [entry.value for entry in entries]
        self.elements[id(node)] = _Elements(False, self._all(keys), self._all(values))
        return cost

    def _all(self, nodes: list[Node]) -> Range:
        total = EMPTY if nodes else NOTHING
        for node in nodes:
            total |= self.size(node) or ANY
        return total

    def _comprehension(self, node: Comprehension) -> Range:
        cost = self.cost(node.range) + self.cost(node.initial)
        with self._named(node.accumulator, self._name(node.initial)):
            with self._ranged(node):
                loop = self.cost(node.condition) + self.cost(node.step)
            cost += self.cost(node.result)
        count = self.size(node.range) or ANY
        cost += count * loop
        if isinstance(node.initial, Literal):
            self._sized(node, self.size(node.initial))
        else:
            self._sized(node, count)
            gathered = self._elements(node.step)
            if gathered is not None:
                self.elements[id(node)] = gathered
        return cost

    def _let(self, node: Comprehension) -> Range:
        cost = self.cost(node.range) + self.cost(node.initial)
        with self._named(node.accumulator, self._name(node.initial)):
            cost += self.cost(node.result)
            self._like(node, node.result)
        return cost

    def _name(self, node: Node) -> _Name:
        return _Name(self._path(node), self.size(node), self._elements(node))

    @contextmanager
    def _named(self, name: str, known: _Name) -> Iterator[None]:
        self.names.setdefault(name, []).append(known)
        yield
        self.names[name].pop()
        if not self.names[name]:
            del self.names[name]

    @contextmanager
    def _ranged(self, node: Comprehension) -> Iterator[None]:
        elements, path = self._elements(node.range), self._path(node.range)
        of_list = elements.of_list if elements is not None else node.range.type.kind is Kind.LIST

        def element(step: str, size: Range | None) -> _Name:
            return _Name(None if path is None else (*path, step), size)

        keys = element("@indices" if of_list else "@keys", None if elements is None else elements.keys)
        values = element("@items" if of_list else "@values", None if elements is None else elements.values)
        if node.second:
            with self._named(node.variable, keys), self._named(node.second, values):
                yield
        else:
            with self._named(node.variable, values if of_list else keys):
                yield

    def size(self, node: Node) -> Range | None:
        """What is known of the size."""
        known = self.sizes.get(id(node)) or _written_size(node)
        if known is not None:
            return known
        path = self._path(node)
        asked = None if path is None else self.ask(path, node.type)
        if asked is not None:
            self.sizes[id(node)] = asked
            return asked
        if _is_scalar(node.type):
            return ONE
        if isinstance(node, Ident) and node.name in self.names:
            return self.names[node.name][-1].size
        return None

    def _elements(self, node: Node) -> _Elements | None:
        known = self.elements.get(id(node))
        if known is None and isinstance(node, Ident) and node.name in self.names:
            return self.names[node.name][-1].elements
        return known

    def _sized(self, node: Node, size: Range | None) -> None:
        if size is not None:
            self.sizes[id(node)] = size

    def _like(self, node: Node, other: Node) -> None:
        self._sized(node, self.size(other))
        elements = self._elements(other)
        if elements is not None:
            self.elements[id(node)] = elements


def _written_size(node: Node) -> Range | None:
    match node:
        case Literal(value=str() | bytes() as text):
            return exactly(len(text))
        case Literal():
            return ONE
        case ListLiteral():
            return exactly(len(node.elements))
        case MapLiteral():
            return exactly(len(node.entries))
    return None


def _is_scalar(kind: CelType) -> bool:
    return kind.name in _SCALARS or (kind.kind is Kind.OPTIONAL and _is_scalar(kind.parameters[0]))
