"""The types of CEL, as the checker reasons about them.

`DYN` is whatever is known only when the expression runs: it fits everywhere. A struct (`object_of`) has named fields, a
library's own type (`abstract`) has none and is known to its functions alone. `param` stands for any one type within a
function's declaration. Source: google/cel-spec (doc/langdef.md), common/types/types.go of google/cel-go for the names.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto


class Kind(Enum):
    """What sort of type it is; the plain ones are told apart by name."""

    DYN = auto()
    ERROR = auto()
    PRIMITIVE = auto()
    LIST = auto()
    MAP = auto()
    OPTIONAL = auto()
    OBJECT = auto()
    ABSTRACT = auto()
    TYPE = auto()
    PARAM = auto()


@dataclass(frozen=True, slots=True)
class CelType:
    """One type. Two are the same when kind, name and parameters are; fields do not count."""

    kind: Kind
    name: str
    parameters: tuple["CelType", ...] = ()
    fields: Mapping[str, "CelType"] | Callable[[str], "CelType | None"] = field(
        default_factory=dict, compare=False, repr=False
    )
    """Of a struct: its fields by name, or who knows them (where they cannot be counted)."""

    def field_type(self, name: str) -> "CelType | None":
        """The type of a struct's field, None where it has no such field."""
        return self.fields(name) if callable(self.fields) else self.fields.get(name)

    def __str__(self) -> str:
        if not self.parameters:
            return self.name
        return f"{self.name}({', '.join(map(str, self.parameters))})"


DYN = CelType(Kind.DYN, "dyn")
ERROR = CelType(Kind.ERROR, "!error!")
"""What the checker gives to an expression it has already complained about."""
BOOL = CelType(Kind.PRIMITIVE, "bool")
INT = CelType(Kind.PRIMITIVE, "int")
UINT = CelType(Kind.PRIMITIVE, "uint")
DOUBLE = CelType(Kind.PRIMITIVE, "double")
STRING = CelType(Kind.PRIMITIVE, "string")
BYTES = CelType(Kind.PRIMITIVE, "bytes")
NULL = CelType(Kind.PRIMITIVE, "null_type")
TIMESTAMP = CelType(Kind.PRIMITIVE, "google.protobuf.Timestamp")
DURATION = CelType(Kind.PRIMITIVE, "google.protobuf.Duration")


def list_of(element: CelType) -> CelType:
    """`list(element)`."""
    return CelType(Kind.LIST, "list", (element,))


def map_of(key: CelType, value: CelType) -> CelType:
    """`map(key, value)`."""
    return CelType(Kind.MAP, "map", (key, value))


def optional_of(value: CelType) -> CelType:
    """`optional_type(value)`: what `?.`, `[?]` and `optional.of` give."""
    return CelType(Kind.OPTIONAL, "optional_type", (value,))


def type_of(value: CelType) -> CelType:
    """The type of a type's name used as a value, as in `type(x) == int`."""
    return CelType(Kind.TYPE, "type", (value,))


def object_of(name: str, fields: Mapping[str, CelType] | Callable[[str], CelType | None]) -> CelType:
    """A struct: its values are mappings, `has()` tells whether a field is there, reading an absent one is an error."""
    return CelType(Kind.OBJECT, name, (), fields)


def abstract(name: str) -> CelType:
    """A type of a library, without fields."""
    return CelType(Kind.ABSTRACT, name)


def param(name: str) -> CelType:
    """Any one type, the same wherever the name occurs within one declaration."""
    return CelType(Kind.PARAM, name)


LIST = list_of(DYN)
MAP = map_of(DYN, DYN)

URL = abstract("kubernetes.URL")
IP = abstract("net.IP")
CIDR = abstract("net.CIDR")
QUANTITY = abstract("kubernetes.Quantity")
SEMVER = abstract("kubernetes.Semver")
NAMED_FORMAT = abstract("kubernetes.NamedFormat")
IMAGE = abstract("kubernetes.Image")
AUTHORIZER = abstract("kubernetes.authorization.Authorizer")
PATH_CHECK = abstract("kubernetes.authorization.PathCheck")
GROUP_CHECK = abstract("kubernetes.authorization.GroupCheck")
RESOURCE_CHECK = abstract("kubernetes.authorization.ResourceCheck")
DECISION = abstract("kubernetes.authorization.Decision")
