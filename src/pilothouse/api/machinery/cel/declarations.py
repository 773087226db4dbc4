"""What functions there are: names, overloads and the types they take, written as tables.

A line declares one overload: `function  id  (int, string) bool`, or with a receiver `function  id  string.(int) bool`.
A single capital letter is any type. The id is upstream's: costs hang on it. Beside its table a library gives what its
functions do, one callable a function, which gets the receiver first.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pilothouse.api.machinery.cel import types
from pilothouse.api.machinery.cel.types import CelType

Implementation = Callable[..., object]

_PLAIN = {
    "dyn": types.DYN,
    "bool": types.BOOL,
    "int": types.INT,
    "uint": types.UINT,
    "double": types.DOUBLE,
    "string": types.STRING,
    "bytes": types.BYTES,
    "null": types.NULL,
    "timestamp": types.TIMESTAMP,
    "duration": types.DURATION,
    "URL": types.URL,
    "IP": types.IP,
    "CIDR": types.CIDR,
    "Quantity": types.QUANTITY,
    "Semver": types.SEMVER,
    "Format": types.NAMED_FORMAT,
    "Image": types.IMAGE,
    "Authorizer": types.AUTHORIZER,
    "PathCheck": types.PATH_CHECK,
    "GroupCheck": types.GROUP_CHECK,
    "ResourceCheck": types.RESOURCE_CHECK,
    "Decision": types.DECISION,
}
_MADE: Mapping[str, Callable[..., CelType]] = {
    "list": types.list_of,
    "map": types.map_of,
    "optional": types.optional_of,
    "type": types.type_of,
}


@dataclass(frozen=True, slots=True)
class Overload:
    """One way to call a function. The receiver of a member is its first parameter."""

    id: str
    parameters: tuple[CelType, ...]
    result: CelType
    member: bool
    generic: bool
    """Whether any of its types is a parameter."""


@dataclass(frozen=True, slots=True)
class Function:
    """A name with its overloads and what it does."""

    name: str
    overloads: tuple[Overload, ...]
    run: Implementation


@dataclass(frozen=True, slots=True)
class Library:
    """Functions that belong together."""

    functions: Mapping[str, Function]
    constants: Mapping[str, tuple[CelType, object]] = field(default_factory=dict)
    """Names of types, usable as values."""


class Libraries:
    """Libraries that every environment has, and one that only some have."""

    def __init__(self, always: Sequence[Library], json_pointers: Library) -> None:
        self.always = always
        self.json_pointers = json_pointers
        self.constants = {name: found for each in always for name, found in each.constants.items()}


def library(
    table: str,
    implementations: Mapping[str, Implementation],
    constants: Mapping[str, tuple[CelType, object]] | None = None,
) -> Library:
    """The library that a table describes."""
    overloads: dict[str, list[Overload]] = {}
    for line in table.strip().splitlines():
        name, identity, signature = line.split(None, 2)
        overloads.setdefault(name, []).append(_overload(identity, signature))
    assert overloads.keys() == implementations.keys(), overloads.keys() ^ implementations.keys()
    functions = {name: Function(name, tuple(found), implementations[name]) for name, found in overloads.items()}
    return Library(functions, constants or {})


def merged(libraries: Iterable[Library]) -> Mapping[str, tuple[Function, ...]]:
    """The functions of several libraries by name; more than one where libraries share a name."""
    found: dict[str, tuple[Function, ...]] = {}
    for each in libraries:
        for name, function in each.functions.items():
            found[name] = (*found.get(name, ()), function)
    return found


def _overload(identity: str, signature: str) -> Overload:
    reader = _Reader(signature)
    receiver = [] if reader.at("(") else [reader.type()]
    if receiver:
        reader.skip(".")
    parameters = [*receiver, *reader.list()]
    result = reader.type()
    every = (*parameters, result)
    return Overload(identity, tuple(parameters), result, bool(receiver), any(map(_has_param, every)))


def _has_param(written: CelType) -> bool:
    return written.kind is types.Kind.PARAM or any(map(_has_param, written.parameters))


class _Reader:
    """Reads the types of a table."""

    def __init__(self, text: str) -> None:
        self.text = text.replace(" ", "")

    def at(self, sign: str) -> bool:
        return self.text.startswith(sign)

    def skip(self, sign: str) -> None:
        assert self.at(sign), self.text
        self.text = self.text[len(sign) :]

    def list(self) -> list[CelType]:
        self.skip("(")
        found: list[CelType] = []
        while not self.at(")"):
            found.append(self.type())
            if self.at(","):
                self.skip(",")
        self.skip(")")
        return found

    def type(self) -> CelType:
        length = 0
        while length < len(self.text) and self.text[length].isalpha():
            length += 1
        name, self.text = self.text[:length], self.text[length:]
        if name in _MADE:
            return _MADE[name](*self.list())
        return _PLAIN[name] if name in _PLAIN else _param(name)


def _param(name: str) -> CelType:
    assert len(name) == 1, name
    assert name.isupper(), name
    return types.param(name)
