"""What an expression may speak of: its variables, the structs it may build, and the functions of the libraries.

All of Kubernetes' libraries are on, at the level of 1.37. Variables carry types; a dotted name
(`authorizer.requestResource`) is a variable too, found before a field of `authorizer` is looked for. Source:
apiserver/pkg/cel/environment/base.go, checker/env.go of google/cel-go for how names are resolved.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import cache

from pilothouse.api.machinery.cel.declarations import Function, Library, Overload, merged
from pilothouse.api.machinery.cel.library.amounts import AMOUNTS
from pilothouse.api.machinery.cel.library.authorizer import AUTHORIZER
from pilothouse.api.machinery.cel.library.images import IMAGES
from pilothouse.api.machinery.cel.library.json_pointers import JSON_POINTERS
from pilothouse.api.machinery.cel.library.lists import LISTS, SUMS
from pilothouse.api.machinery.cel.library.moments import MOMENTS
from pilothouse.api.machinery.cel.library.named_formats import NAMED_FORMATS
from pilothouse.api.machinery.cel.library.networks import NETWORKS
from pilothouse.api.machinery.cel.library.optionals import OPTIONALS
from pilothouse.api.machinery.cel.library.patterns import REGEX
from pilothouse.api.machinery.cel.library.semver import SEMVER
from pilothouse.api.machinery.cel.library.standard import STANDARD
from pilothouse.api.machinery.cel.library.strings import STRINGS
from pilothouse.api.machinery.cel.library.urls import URLS
from pilothouse.api.machinery.cel.types import CelType

_LIBRARIES: tuple[Library, ...] = (
    STANDARD,
    MOMENTS,
    OPTIONALS,
    STRINGS,
    LISTS,
    *SUMS,
    REGEX,
    URLS,
    AMOUNTS,
    NETWORKS,
    SEMVER,
    NAMED_FORMATS,
    IMAGES,
    AUTHORIZER,
)
_CONSTANTS = {name: found for library in _LIBRARIES for name, found in library.constants.items()}


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
        constant = _CONSTANTS.get(name)
        return None if constant is None else constant[0]

    def constant(self, name: str) -> object:
        """The value of a type's name; None where the name is no type's, or a variable's first."""
        constant = None if name in self.variables else _CONSTANTS.get(name)
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
def _with_extras(extras: frozenset[Extra]) -> Mapping[str, tuple[Function, ...]]:
    return merged((*_LIBRARIES, JSON_POINTERS) if Extra.JSON_PATCH in extras else _LIBRARIES)
