"""Types of a tree: which variable a name means, which overloads of a function fit, what the whole results in.

Complaints are upstream's, word for word (checker/checker.go and errors.go of google/cel-go). After a complaint the node
has the type ERROR, which fits everywhere, so that one mistake is told once.
"""

from pilothouse.api.machinery.cel.declarations import Overload
from pilothouse.api.machinery.cel.environment import Environment
from pilothouse.api.machinery.cel.source import Complaints
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
    children,
    qualified_name,
)
from pilothouse.api.machinery.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DYN,
    ERROR,
    INT,
    NULL,
    STRING,
    UINT,
    CelType,
    Kind,
    list_of,
    map_of,
    optional_of,
)
from pilothouse.api.machinery.cel.unify import Bindings, most_general, shown, substituted
from pilothouse.api.machinery.cel.values import Uint

_LITERALS: dict[type, CelType] = {
    bool: BOOL,
    int: INT,
    Uint: UINT,
    float: DOUBLE,
    str: STRING,
    bytes: BYTES,
    type(None): NULL,
}
_CONTAINER = "(in container '')"


def check(node: Node, environment: Environment, complaints: Complaints) -> None:
    """Writes types into the tree, and complaints where it is wrong."""
    checker = _Checker(environment, complaints)
    checker.check(node)
    checker.settle(node)


def _apart(given: CelType, wanted: CelType) -> bool:
    """Whether two types obviously do not fit: the quick look before the whole one."""
    return given.kind is wanted.kind is Kind.PRIMITIVE and given.name != wanted.name and given.name != "null_type"


class _Checker:
    def __init__(self, environment: Environment, complaints: Complaints) -> None:
        self.environment = environment
        self.complaints = complaints
        self.bindings = Bindings()
        self.scopes: list[dict[str, CelType]] = []

    def check(self, node: Node) -> CelType:
        match node:
            case Literal():
                node.type = _LITERALS[type(node.value)]
            case Ident():
                node.type = self._ident(node)
            case Select():
                node.type = self._select(node)
            case Call():
                node.type = self._call(node)
            case ListLiteral():
                node.type = self._list(node)
            case MapLiteral():
                node.type = self._map(node)
            case StructLiteral():
                node.type = self._struct(node)
            case Comprehension():
                node.type = self._comprehension(node)
        return node.type

    def settle(self, node: Node) -> None:
        """What is still unknown in the end is dyn."""
        node.type = self.bindings.resolved(node.type, final=True)
        for child in children(node):
            self.settle(child)

    def _variable(self, name: str) -> CelType | None:
        if not name.startswith("."):
            for scope in reversed(self.scopes):
                if name in scope:
                    return scope[name]
        return self.environment.variable(name.removeprefix("."))

    def _undeclared(self, position: int, name: str) -> CelType:
        self.complaints.add(position, f"undeclared reference to '{name}' {_CONTAINER}")
        return ERROR

    def _ident(self, node: Ident) -> CelType:
        return self._variable(node.name) or self._undeclared(node.position, node.name)

    def _select(self, node: Select) -> CelType:
        name = qualified_name(node)
        if name is not None and not self._shadowed(name):
            found = self._variable(name)
            if found is not None:
                node.variable = name
                return found
        return self._field(node.position, self.check(node.operand), node.field, test=node.test)

    def _shadowed(self, name: str) -> bool:
        head = name.split(".", 1)[0]
        return any(head in scope for scope in self.scopes)

    def _field(
        self, position: int, operand: CelType, name: str, *, test: bool = False, optional: bool = False
    ) -> CelType:
        operand = self.bindings.resolved(operand)
        if operand.kind is Kind.OPTIONAL:
            optional, operand = True, self.bindings.resolved(operand.parameters[0])
        result = self._field_of(position, operand, name)
        if test:
            return BOOL
        return optional_of(result) if optional else result

    def _field_of(self, position: int, operand: CelType, name: str) -> CelType:
        match operand.kind:
            case Kind.MAP:
                return operand.parameters[1]
            case Kind.OBJECT:
                found = operand.field_type(name)
                if found is None:
                    self.complaints.add(position, f"undefined field '{name}'")
                    return ERROR
                return found
            case Kind.PARAM:
                self.bindings.fits((operand,), (DYN,))
                return DYN
            case Kind.DYN | Kind.ERROR:
                return DYN
        self.complaints.add(position, f"type '{shown(operand)}' does not support field selection")
        return ERROR

    def _call(self, node: Call) -> CelType:
        if node.function == "_?._":
            return self._optional_select(node)
        arguments = [self.check(argument) for argument in node.arguments]
        if node.target is None:
            node.function = node.function.removeprefix(".")
            return self._resolved(node, arguments, member=False)
        name = qualified_name(node.target)
        if name is not None and self.environment.overloads(long := f"{name}.{node.function}".removeprefix(".")):
            node.function, node.target = long, None
            return self._resolved(node, arguments, member=False)
        return self._resolved(node, [self.check(node.target), *arguments], member=True)

    def _optional_select(self, node: Call) -> CelType:
        operand, name = node.arguments
        assert isinstance(name, Literal)
        name.type = STRING
        node.overloads = ("select_optional_field",)
        return self._field(node.position, self.check(operand), str(name.value), optional=True)

    def _resolved(self, node: Call, arguments: list[CelType], *, member: bool) -> CelType:
        overloads = self.environment.overloads(node.function)
        if not overloads:
            return self._undeclared(node.position, node.function)
        found: CelType | None = None
        fitting: list[str] = []
        given = tuple(arguments)
        for overload in overloads:
            if overload.member is not member or len(overload.parameters) != len(given):
                continue
            if any(map(_apart, given, overload.parameters)):
                continue
            parameters, result = self._instance(overload)
            if self.bindings.fits(given, parameters):
                fitting.append(overload.id)
                result = self.bindings.resolved(result)
                found = result if found is None or found == result else DYN
        if found is None:
            return self._no_overload(node, given, member=member)
        node.overloads = tuple(fitting)
        return found

    def _instance(self, overload: Overload) -> tuple[tuple[CelType, ...], CelType]:
        """The overload's types, with new unknowns for its parameters."""
        if not overload.generic:
            return overload.parameters, overload.result
        known = {letter: self.bindings.fresh() for letter in "ABCKTV"}
        return tuple(substituted(each, known) for each in overload.parameters), substituted(overload.result, known)

    def _no_overload(self, node: Call, given: tuple[CelType, ...], *, member: bool) -> CelType:
        types = [shown(self.bindings.resolved(each, final=True)) for each in given]
        signature = f"{types[0]}.({', '.join(types[1:])})" if member else f"({', '.join(types)})"
        self.complaints.add(node.position, f"found no matching overload for '{node.function}' applied to '{signature}'")
        return ERROR

    def _list(self, node: ListLiteral) -> CelType:
        joined: CelType | None = None
        for index, element in enumerate(node.elements):
            found = self._element(element, optional=index in node.optional)
            joined = self._joined(element.position, joined, found)
        return list_of(joined or self.bindings.fresh())

    def _element(self, node: Node, *, optional: bool) -> CelType:
        found = self.check(node)
        if not optional:
            return found
        found = self.bindings.resolved(found)
        if found.kind is Kind.OPTIONAL:
            return found.parameters[0]
        if found.kind not in (Kind.DYN, Kind.ERROR):
            inner = shown(found)
            self.complaints.add(node.position, f"expected type 'optional_type({inner})' but found '{inner}'")
        return found

    def _joined(self, position: int, before: CelType | None, found: CelType) -> CelType:
        if before is None:
            return found
        if self.bindings.fits((before,), (found,)):
            return most_general(before, found)
        self._mismatch(position, before, found)
        return ERROR

    def _mismatch(self, position: int, wanted: CelType, found: CelType) -> None:
        wanted, found = self.bindings.resolved(wanted, final=True), self.bindings.resolved(found, final=True)
        self.complaints.add(position, f"expected type '{shown(wanted)}' but found '{shown(found)}'")

    def _map(self, node: MapLiteral) -> CelType:
        key: CelType | None = None
        value: CelType | None = None
        for entry in node.entries:
            key = self._joined(entry.key.position, key, self.check(entry.key))
            found = self._element(entry.value, optional=entry.optional)
            value = self._joined(entry.value.position, value, found)
        return map_of(key or self.bindings.fresh(), value or self.bindings.fresh())

    def _struct(self, node: StructLiteral) -> CelType:
        struct = self.environment.struct(node.name.removeprefix("."))
        if struct is None:
            return self._no_struct(node)
        for entry in node.entries:
            self._struct_field(struct, entry)
        return struct

    def _no_struct(self, node: StructLiteral) -> CelType:
        known = self._variable(node.name)
        if known is None:
            return self._undeclared(node.position, node.name)
        kind = "message type" if known.kind is Kind.TYPE else "type"
        self.complaints.add(node.position, f"'{node.name}' is not a {kind}")
        return ERROR

    def _struct_field(self, struct: CelType, entry: Entry) -> None:
        assert isinstance(entry.key, Literal)
        entry.key.type = STRING
        name = str(entry.key.value)
        found = self._element(entry.value, optional=entry.optional)
        wanted = struct.field_type(name)
        if wanted is None:
            self.complaints.add(entry.position, f"undefined field '{name}'")
            return
        if not self.bindings.fits((wanted,), (found,)):
            given = shown(self.bindings.resolved(found, final=True))
            message = f"expected type of field '{name}' is '{shown(wanted)}' but provided type is '{given}'"
            self.complaints.add(entry.position, message)

    def _comprehension(self, node: Comprehension) -> CelType:
        ranged = self.bindings.resolved(self.check(node.range))
        initial = self.check(node.initial)
        variables = self._range_variables(node, ranged)
        self.scopes.append({node.accumulator: initial})
        self.scopes.append(variables)
        self.check(node.condition)
        self._assert(node.condition, BOOL)
        self.check(node.step)
        self._assert(node.step, initial)
        self.scopes.pop()
        result = self.check(node.result)
        self.scopes.pop()
        return self.bindings.resolved(result)

    def _range_variables(self, node: Comprehension, ranged: CelType) -> dict[str, CelType]:
        match ranged.kind:
            case Kind.LIST:
                first, second = (INT, ranged.parameters[0]) if node.second else (ranged.parameters[0], DYN)
            case Kind.MAP:
                first, second = ranged.parameters
            case Kind.DYN | Kind.ERROR | Kind.PARAM:
                first = second = DYN
            case _:
                self.complaints.add(
                    node.range.position,
                    f"expression of type '{shown(ranged)}' cannot be range of a comprehension "
                    "(must be list, map, or dynamic)",
                )
                first = second = ERROR
        return {node.variable: first} | ({node.second: second} if node.second else {})

    def _assert(self, node: Node, wanted: CelType) -> None:
        if not self.bindings.fits((wanted,), (node.type,)):
            self._mismatch(node.position, wanted, node.type)
