"""The values of CEL that JSON does not have, and those it must not mix up.

JSON's own are used as they are: `bool`, `int`, `float`, `str`, `None`, `list`, `dict`. An unsigned integer is an `int`
of the class `Uint`; a struct built by an expression is a `dict` of the class `Struct`, which knows its type.
"""

from collections.abc import Callable
from dataclasses import dataclass

_UNSET = object()


class Lazy:
    """A value that is worked out at its first use and then kept, also when working it out failed."""

    __slots__ = ("_compute", "_error", "_value")

    def __init__(self, compute: Callable[[], object]) -> None:
        self._compute = compute
        self._value: object = _UNSET
        self._error: Exception | None = None

    def get(self) -> object:
        """The value; the error again, where there was one."""
        if self._error is not None:
            raise self._error
        if self._value is _UNSET:
            try:
                self._value = self._compute()
            except Exception as error:
                self._error = error
                raise
        return self._value


class Uint(int):
    """An unsigned integer, `1u`."""

    __slots__ = ()


class Struct(dict[str, object]):
    """A struct made by an expression, `Object{...}` or `JSONPatch{...}`: its fields, and the name of its type."""

    __slots__ = ("type_name",)

    def __init__(self, type_name: str, fields: dict[str, object]) -> None:
        super().__init__(fields)
        self.type_name = type_name


@dataclass(frozen=True, slots=True)
class TypeValue:
    """A type as a value, `type(1)`: types are the same when their names are."""

    name: str


@dataclass(frozen=True, slots=True)
class Optional:
    """`optional.of(value)`, or with `present` false `optional.none()`."""

    value: object = None
    present: bool = True


NONE = Optional(None, present=False)


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A span of time in nanoseconds, within Go's range of 64 bits."""

    nanos: int


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    """A moment, in nanoseconds since 1970 UTC, between the years 1 and 9999."""

    nanos: int


class Opaque:
    """A value of a library's own type; `type_name` is the type's name."""

    __slots__ = ()
    type_name = ""

    def size(self) -> int:
        """What it counts for where costs go by size."""
        return 1


_NAMES: dict[type, str] = {
    bool: "bool",
    int: "int",
    Uint: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    type(None): "null_type",
    list: "list",
    dict: "map",
    Timestamp: "google.protobuf.Timestamp",
    Duration: "google.protobuf.Duration",
    Optional: "optional_type",
    TypeValue: "type",
}


def type_name_of(value: object) -> str:
    """The name of a value's type, as `type()` gives it and complaints write it."""
    name = _NAMES.get(type(value))
    if name is not None:
        return name
    if isinstance(value, Struct | Opaque):
        return value.type_name
    for known, name in _NAMES.items():
        if isinstance(value, known):
            return name
    return type(value).__name__


def size_of(value: object) -> int:
    """The size that costs go by: characters, bytes, elements or entries, one for anything else."""
    if isinstance(value, str | bytes | list | dict):
        return len(value)
    return value.size() if isinstance(value, Opaque) else 1
