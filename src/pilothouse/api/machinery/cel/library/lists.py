"""Functions of lists: order, extremes, sums and places, and the set functions.

Sources: apiserver/pkg/cel/library/lists.go, ext/sets.go of google/cel-go.
"""

from collections.abc import Callable
from functools import reduce
from itertools import pairwise

from pilothouse.api.machinery.cel.declarations import library
from pilothouse.api.machinery.cel.errors import EvaluationError
from pilothouse.api.machinery.cel.operators import add, compare, contains, equals
from pilothouse.api.machinery.cel.values import Duration, Uint

_ZEROS: dict[str, object] = {"int": 0, "uint": Uint(0), "double": 0.0, "duration": Duration(0)}
_COMPARABLE = ("int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes")


def _is_sorted(values: list[object]) -> bool:
    return all(compare(first, second, "isSorted") <= 0 for first, second in pairwise(values))


def _extreme(name: str, sign: int) -> Callable[[list[object]], object]:
    def run(values: list[object]) -> object:
        if not values:
            raise EvaluationError(f"{name} called on empty list")
        return reduce(lambda best, value: value if compare(best, value, name) == sign else best, values)

    return run


def _sum(zero: object) -> Callable[[list[object]], object]:
    return lambda values: reduce(add, values, zero)


def _index_of(values: list[object], wanted: object) -> int:
    return next((at for at, value in enumerate(values) if equals(value, wanted)), -1)


def _last_index_of(values: list[object], wanted: object) -> int:
    return next((at for at in range(len(values) - 1, -1, -1) if equals(values[at], wanted)), -1)


def _includes(value: object, wanted: object) -> bool:
    return contains(wanted, value) if isinstance(value, list) else equals(value, wanted)


def _subset(values: list[object], part: list[object]) -> bool:
    return all(contains(value, values) for value in part)


_TABLE = "\n".join(
    (
        *(f"isSorted list_{name}_is_sorted_bool list({name}).() bool" for name in _COMPARABLE),
        *(f"{end} list_{name}_{end}_{name} list({name}).() {name}" for end in ("min", "max") for name in _COMPARABLE),
        "indexOf list_a_index_of_int list(A).(A) int",
        "lastIndexOf list_a_last_index_of_int list(A).(A) int",
        "includes list_includes_dyn_dyn dyn.(dyn) bool",
        "sets.contains list_sets_contains_list (list(A), list(A)) bool",
        "sets.equivalent list_sets_equivalent_list (list(A), list(A)) bool",
        "sets.intersects list_sets_intersects_list (list(A), list(A)) bool",
    )
)
LISTS = library(
    _TABLE,
    {
        "isSorted": _is_sorted,
        "min": _extreme("min", 1),
        "max": _extreme("max", -1),
        "indexOf": _index_of,
        "lastIndexOf": _last_index_of,
        "includes": _includes,
        "sets.contains": _subset,
        "sets.equivalent": lambda first, second: _subset(first, second) and _subset(second, first),
        "sets.intersects": lambda first, second: any(contains(value, second) for value in first),
    },
)
SUMS = tuple(
    library(f"sum list_{name}_sum_{name} list({name}).() {name}", {"sum": _sum(zero)}) for name, zero in _ZEROS.items()
)
"""A library each, for the sum of nothing is of the list's type. A list of unknown type is added to the first's zero."""
