"""CEL expressions made by chance from the tables of functions: their types are right, their values odd.

An expression of a type is a literal, a variable of unknown type, a fork, a macro, or a call of any function that gives
this type, with arguments made likewise.
"""

from collections.abc import Mapping

from pilothouse.api.machinery.cel.declarations import Overload
from pilothouse.api.machinery.cel.environment import Environment, Extra
from pilothouse.api.machinery.cel.types import (
    AUTHORIZER,
    BOOL,
    DYN,
    INT,
    STRING,
    CelType,
    Kind,
    list_of,
    map_of,
)
from pilothouse.runtime.chance import Chance

VARIABLES = Environment({"object": DYN, "authorizer": AUTHORIZER}, extras=Extra)
_TEXTS = (
    "", "a", "é", "1", "-1", "9" * 5000, "%s", "%d %.3f", "1h", "2024-01-01T00:00:00Z", "10.0.0.1", "10.0.0.0/8",
    "::1", "fe80::/10", "1.2.3", "v1", "http://a:80/b?c=d", "1Gi",
    "-0.5m", "nginx:1", "[a-z]+", "(", "Europe/Berlin", "+01:00",
    "/", "get", "uuid", "1." + "9" * 5000 + ".3", "%." + "9" * 5000 + "f", "0.0.0.0/" + "9" * 5000,
)  # fmt: skip
_LITERALS: dict[str, tuple[str, ...]] = {
    "int": ("0", "1", "-1", "9223372036854775807", "-9223372036854775808"),
    "uint": ("0u", "1u", "18446744073709551615u"),
    "double": ("0.0", "1.5", "-1e300", "1e-300"),
    "string": tuple(f"'{text}'" for text in _TEXTS),
    "bool": ("true", "false"),
    "bytes": ("b''", "b'a'", r"b'\xff'"),
    "null_type": ("null",),
    "dyn": ("object", "object.a", "object.b", "object.c", "object.d", "object.e", "dyn(1)", "dyn('x')", "dyn(null)"),
    "google.protobuf.Timestamp": ("timestamp('0001-01-01T00:00:00Z')", "timestamp('9999-12-31T23:59:59Z')"),
    "google.protobuf.Duration": ("duration('1h')", "duration('-9223372036854775808ns')"),
    "kubernetes.authorization.Authorizer": ("authorizer",),
}


class RandomExpressions:
    """Makes them, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.chance = Chance(seed)
        self.calls = [
            (name, overload)
            for name in VARIABLES.function_names()
            if not name.startswith(("@", "cel.@"))
            for overload in VARIABLES.overloads(name)
        ]

    def of(self, wanted: CelType, depth: int) -> str:
        """One that is of this type, nested about so deep."""
        if self.chance.below(8) == 0:
            return self.chance.choice(_LITERALS["dyn"])
        if depth <= 0 or wanted.kind is Kind.DYN:
            return self._leaf(wanted, depth)
        match self.chance.below(8):
            case 0:
                return f"({self.of(BOOL, depth - 1)} ? {self.of(wanted, depth - 1)} : {self.of(wanted, depth - 1)})"
            case 1:
                return f"{self.of(list_of(INT), depth - 1)}.map(x, {self.of(wanted, depth - 1)})[0]"
            case 2 if wanted == BOOL:
                ranged = self.of(self.chance.choice((list_of(STRING), map_of(STRING, INT))), depth - 1)
                return f"{ranged}.{self.chance.choice(('all', 'exists', 'exists_one'))}(x, {self.of(BOOL, depth - 1)})"
        return self._call(wanted, depth)

    def _leaf(self, wanted: CelType, depth: int) -> str:
        if wanted.name in _LITERALS:
            return self.chance.choice(_LITERALS[wanted.name])
        inner = [self.of(each, depth - 1) for each in wanted.parameters] if depth > -2 else ["dyn(1)", "dyn(1)"]
        match wanted.kind:
            case Kind.LIST:
                return f"[{inner[0]}]"
            case Kind.MAP:
                return f"{{{inner[0]}: {inner[1]}}}"
            case Kind.OPTIONAL:
                return f"optional.of({inner[0]})"
        return self._call(wanted, depth) if depth > -2 else "object"

    def _call(self, wanted: CelType, depth: int) -> str:
        found: list[tuple[str, Overload, dict[str, CelType]]] = []
        for name, overload in self.calls:
            known: dict[str, CelType] = {}
            if _gives(overload.result, wanted, known):
                found.append((name, overload, known))
        if not found:
            return self.chance.choice(_LITERALS["dyn"])
        name, overload, known = self.chance.choice(found)
        return _written(name, overload, [self.of(self._filled(each, known), depth - 1) for each in overload.parameters])

    def _filled(self, written: CelType, known: dict[str, CelType]) -> CelType:
        if written.kind is Kind.PARAM:
            return known.setdefault(written.name, self.chance.choice((INT, STRING, BOOL)))
        return CelType(written.kind, written.name, tuple(self._filled(each, known) for each in written.parameters))


def _gives(result: CelType, wanted: CelType, known: dict[str, CelType]) -> bool:
    if result.kind is Kind.PARAM:
        return known.setdefault(result.name, wanted) == wanted
    same = result.name == wanted.name and len(result.parameters) == len(wanted.parameters)
    return same and all(
        _gives(first, second, known) for first, second in zip(result.parameters, wanted.parameters, strict=True)
    )


def _written(name: str, overload: Overload, given: list[str]) -> str:
    special: Mapping[str, str] = {"_?_:_": "({} ? {} : {})", "_[_]": "({})[{}]", "_[?_]": "({})[?{}]"}
    if name in special:
        return special[name].format(*given)
    if name in ("!_", "-_"):
        return f"{name[0]}({given[0]})"
    if name.startswith("_"):
        return f"({given[0]} {name[1:-1]} {given[1]})"
    return f"({given[0]}).{name}({', '.join(given[1:])})" if overload.member else f"{name}({', '.join(given)})"
