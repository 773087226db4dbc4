"""Optional values: `optional.of`, `orValue` and the rest; `?.` and `[?]` are in `planner`.

Source: cel/library.go of google/cel-go (OptionalTypes).
"""

from pilothouse.api.machinery.cel import operators
from pilothouse.api.machinery.cel.declarations import library
from pilothouse.api.machinery.cel.errors import EvaluationError
from pilothouse.api.machinery.cel.operators import no_overload
from pilothouse.api.machinery.cel.values import NONE, Duration, Optional, Timestamp


def _optional(value: object) -> Optional:
    if isinstance(value, Optional):
        return value
    raise no_overload()


def _value(optional: object) -> object:
    if _optional(optional).present:
        return _optional(optional).value
    raise EvaluationError("optional.none() dereference")


def _of_non_zero(value: object) -> Optional:
    zero = value is None or value in (False, 0, 0.0, "", b"") or value in ([], {}, Duration(0), Timestamp(0))
    return NONE if zero else Optional(value)


def _unwrap(optionals: list[object]) -> list[object]:
    found = [_optional(each) for each in optionals]
    return [each.value for each in found if each.present]


OPTIONALS = library(
    """
    optional.of optional_of (V) optional(V)
    optional.ofNonZeroValue optional_ofNonZeroValue (V) optional(V)
    optional.none optional_none () optional(V)
    optional.unwrap optional_unwrap (list(optional(V))) list(V)
    unwrapOpt optional_unwrapOpt list(optional(V)).() list(V)
    value optional_value optional(V).() V
    hasValue optional_hasValue optional(V).() bool
    or optional_or_optional optional(V).(optional(V)) optional(V)
    orValue optional_orValue_value optional(V).(V) V
    first list_first list(V).() optional(V)
    last list_last list(V).() optional(V)
    _[?_] list_optindex_optional_int (list(V), int) optional(V)
    _[?_] optional_list_optindex_optional_int (optional(list(V)), int) optional(V)
    _[?_] map_optindex_optional_value (map(K, V), K) optional(V)
    _[?_] optional_map_optindex_optional_value (optional(map(K, V)), K) optional(V)
    _[_] optional_list_index_int (optional(list(V)), int) optional(V)
    _[_] optional_map_index_value (optional(map(K, V)), K) optional(V)
    """,
    {
        "optional.of": Optional,
        "optional.ofNonZeroValue": _of_non_zero,
        "optional.none": lambda: NONE,
        "optional.unwrap": _unwrap,
        "unwrapOpt": _unwrap,
        "value": _value,
        "hasValue": lambda optional: _optional(optional).present,
        "or": lambda optional, other: optional if _optional(optional).present else other,
        "orValue": lambda optional, other: _optional(optional).value if _optional(optional).present else other,
        "first": lambda values: Optional(values[0]) if values else NONE,
        "last": lambda values: Optional(values[-1]) if values else NONE,
        "_[?_]": operators.optional_select,
        "_[_]": operators.index,
    },
)
