"""Functions of lists: order, extremes, sums and places, and the set functions.

Sources: apiserver/pkg/cel/library/lists.go, ext/sets.go of google/cel-go.
"""

from collections.abc import Callable
from functools import reduce
from itertools import pairwise

from pilothouse.api.machinery.cel.declarations import library
from pilothouse.api.machinery.cel.errors import EvaluationError
from pilothouse.api.machinery.cel.operators import add, compare, contains, equals

_SUMMABLE = ("int", "uint", "double", "duration")
_COMPARABLE = (*_SUMMABLE[:3], "bool", "duration", "timestamp", "string", "bytes")


def _is_sorted(values: list[object]) -> bool:
    return all(compare(first, second, "isSorted") <= 0 for first, second in pairwise(values))


def _extreme(name: str, sign: int) -> Callable[[list[object]], object]:
    def run(values: list[object]) -> object:
        if not values:
            raise EvaluationError(f"{name} called on empty list")
        return reduce(lambda best, value: value if compare(best, value, name) == sign else best, values)

    return run


def _sum(values: list[object]) -> object:
    return reduce(add, values) if values else 0


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
        *(f"sum list_{name}_sum_{name} list({name}).() {name}" for name in _SUMMABLE),
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
        "sum": _sum,
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
