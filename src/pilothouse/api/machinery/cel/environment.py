"""What an expression may speak of: its variables, the structs it may build, and the functions of the libraries.

All of Kubernetes' libraries are on, at the level of 1.37. Variables carry types; a dotted name
(`authorizer.requestResource`) is a variable too, found before a field of `authorizer` is looked for. Source:
apiserver/pkg/cel/environment/base.go, checker/env.go of google/cel-go for how names are resolved.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import cache

from pilothouse.api.machinery.cel.declarations import Function, Libraries, Overload, merged
from pilothouse.api.machinery.cel.types import CelType


class Extra(Enum):
    """Libraries that only some environments have."""

    BINDINGS = "bindings"
    """`cel.bind`: device selectors."""
    JSON_PATCH = "jsonpatch"
    """`jsonpatch.escapeKey`: mutating policies."""


class Environment:
    """Variables and their types, and the types that may be built with `Name{...}`. Make it once, compile many."""

    def __init__(
        self,
        variables: Mapping[str, CelType],
        *,
        structs: Callable[[str], CelType | None] | None = None,
        extras: Iterable[Extra] = (),
    ) -> None:
        self.variables = dict(variables)
        self.structs = structs
        """Who knows the types that an expression may build: by their name, None where there is no such type."""
        self.extras = frozenset(extras)
        self._functions = _with_extras(self.extras)

    def extended(self, variables: Mapping[str, CelType]) -> "Environment":
        """The same with more variables, for instance the composited ones."""
        return Environment(self.variables | dict(variables), structs=self.structs, extras=self.extras)

    def variable(self, name: str) -> CelType | None:
        """The type of a variable, or of a type's name."""
        found = self.variables.get(name)
        if found is not None:
            return found
        constant = _libraries().constants.get(name)
        return None if constant is None else constant[0]

    def constant(self, name: str) -> object:
        """The value of a type's name; None where the name is no type's, or a variable's first."""
        constant = None if name in self.variables else _libraries().constants.get(name)
        return None if constant is None else constant[1]

    def struct(self, name: str) -> CelType | None:
        """The type that `name{...}` builds."""
        return None if self.structs is None else self.structs(name)

    def overloads(self, name: str) -> tuple[Overload, ...]:
        """All ways to call the function."""
        return tuple(overload for function in self._functions.get(name, ()) for overload in function.overloads)

    def function_names(self) -> Iterable[str]:
        """What may be called."""
        return self._functions

    def functions(self, name: str) -> tuple[Function, ...]:
        """The functions of the name, one a library."""
        return self._functions.get(name, ())


@cache
def _libraries() -> Libraries:
    # Loaded with the first environment: a server without an expression does not pay for them.
    from pilothouse.api.machinery.cel.library.every import LIBRARIES

    return LIBRARIES


@cache
def _with_extras(extras: frozenset[Extra]) -> Mapping[str, tuple[Function, ...]]:
    found = _libraries()
    return merged((*found.always, found.json_pointers) if Extra.JSON_PATCH in extras else found.always)
