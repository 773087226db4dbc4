"""What a call may cost, and how large its result may be, by the sizes of what it is given.

The counterpart of `costs`, which knows the values. Sources: functionCost in checker/cost.go of google/cel-go,
EstimateCallCost in apiserver/pkg/cel/library/cost.go.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from pilothouse.api.machinery.cel.ranges import MOST, NOTHING, ONE, Range, exactly
from pilothouse.api.machinery.cel.types import CelType, Kind

_WALK = 0.1
_PATTERN = 0.25


@dataclass(frozen=True, slots=True)
class Operand:
    """The receiver or an argument."""

    type: CelType
    size: Range
    items: Range
    """Of what is in it, where it is a list."""
    literal: object = None


Estimate = tuple[Range, Range | None]
"""The cost beside that of the arguments, and the size of the result."""


def call_estimate(
    function: str, overload: str, target: Operand | None, arguments: list[Operand], costs: list[Range]
) -> Estimate:
    """Of one overload, with the cost of the arguments."""
    if overload in ("logical_and", "logical_or"):
        return Range(costs[0].low, (costs[0] + costs[1]).high), None
    if overload == "conditional":
        return costs[0] + (costs[1] | costs[2]), arguments[1].size | arguments[2].size
    given = NOTHING
    for cost in costs:
        given += cost
    found = _by_function(function, overload, target, arguments) or _by_overload(overload, target, arguments)
    cost, size = found or (ONE, None)
    return given + cost, size


def _by_function(function: str, overload: str, target: Operand | None, arguments: list[Operand]) -> Estimate | None:
    """Kubernetes' own numbers; None where the language's rules go."""
    if function == "check":
        return exactly(350_000), None
    if function == "url" and len(arguments) == 1:
        return arguments[0].size.scaled(_WALK), None
    if overload in _SETS:
        return (arguments[0].size * arguments[1].size).scaled(_SETS[overload]) + ONE, None
    estimate = _OF_TARGET.get(function)
    return None if estimate is None or target is None else estimate(overload, target, arguments)


def _of_list(_overload: str, target: Operand, _arguments: list[Operand]) -> Estimate:
    if target.type.kind is not Kind.LIST:
        return target.size.scaled(_WALK), None
    each = ONE
    if target.type.parameters[0].name in ("string", "bytes"):
        each += target.items.scaled(_WALK)
    return target.size * each, None


def _same_size(_overload: str, target: Operand, _arguments: list[Operand]) -> Estimate:
    return target.size.scaled(_WALK), target.size


def _replace(_overload: str, target: Operand, arguments: list[Operand]) -> Estimate:
    size, old, new = target.size, arguments[0].size, arguments[1].size
    most, kept_most = _replaced(size.high, old.low, grows=new.high > old.low)
    least, kept_least = _replaced(size.low, old.high, grows=old.high > new.low)
    return size.scaled(2 * _WALK), Range(least, most) * new + Range(kept_least, kept_most)


def _replaced(size: int, old: int, *, grows: bool) -> tuple[int, int]:
    """How often something is put in, and how much of the text stays beside it; the extreme case of both."""
    if old == 0:
        return min(size + 1, MOST), size
    if not grows:
        return 0, size
    return ceil(size / old), 0


def _split(_overload: str, target: Operand, _arguments: list[Operand]) -> Estimate:
    return target.size.scaled(2 * _WALK), Range(0, target.size.high)


def _join(_overload: str, target: Operand, arguments: list[Operand]) -> Estimate:
    size = target.size * target.items if target.type.parameters else NOTHING
    if arguments:
        between = Range(max(target.size.low - 1, 0), max(target.size.high - 1, 0))
        size += arguments[0].size * between
    return size.scaled(_WALK), size


def _find(_overload: str, target: Operand, arguments: list[Operand]) -> Estimate:
    return _matched(target.size, arguments[0].size), Range(0, target.size.high)


def _matched(text: Range, pattern: Range) -> Range:
    return (text + ONE).scaled(_WALK) * pattern.scaled(_PATTERN)


_ADDRESS = Range(4, 16)


def _contains_ip(overload: str, _target: Operand, arguments: list[Operand]) -> Estimate:
    cost = (_ADDRESS + _ADDRESS).scaled(_WALK)
    return (cost + arguments[0].size.scaled(_WALK) if overload == "cidr_contains_ip_string" else cost), None


def _contains_cidr(overload: str, _target: Operand, arguments: list[Operand]) -> Estimate:
    cost = (_ADDRESS + _ADDRESS).scaled(_WALK) + _ADDRESS.scaled(_WALK) + ONE
    return (cost + arguments[0].size.scaled(_WALK) if overload == "cidr_contains_cidr_string" else cost), None


_SETS = {"list_sets_contains_list": 1.0, "list_sets_intersects_list": 1.0, "list_sets_equivalent_list": 2.0}
_OF_TARGET: dict[str, Callable[[str, Operand, list[Operand]], Estimate]] = {
    **dict.fromkeys(("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf", "includes"), _of_list),
    **dict.fromkeys(("lowerAscii", "upperAscii", "substring", "trim"), _same_size),
    "replace": _replace,
    "split": _split,
    "join": _join,
    **dict.fromkeys(("find", "findAll"), _find),
    "containsIP": _contains_ip,
    "containsCIDR": _contains_cidr,
}


def _by_overload(overload: str, target: Operand | None, arguments: list[Operand]) -> Estimate | None:
    """The language's numbers; None where a call costs one."""
    sizes = [argument.size for argument in arguments]
    match overload:
        case "string_format" if target is not None:
            return target.size.scaled(_WALK), target.size + sizes[0]
        case "string_to_bytes":
            return sizes[0].scaled(_WALK), Range(sizes[0].low, min(sizes[0].high * 4, MOST))
        case "bytes_to_string":
            return sizes[0].scaled(_WALK), Range(sizes[0].low // 4, sizes[0].high)
        case "strings_quote":
            return sizes[0].scaled(_WALK), sizes[0] * Range(1, 2) + exactly(2)
        case "starts_with_string" | "ends_with_string":
            return sizes[0].scaled(_WALK), None
        case "in_list":
            return sizes[1], None
        case "matches_string" if target is not None:
            return _matched(target.size, sizes[0]), None
        case "contains_string" if target is not None:
            return target.size.scaled(_WALK) * sizes[0].scaled(_WALK), None
        case "add_list":
            return ONE, sizes[0] + sizes[1]
        case "add_string" | "add_bytes":
            return (sizes[0] + sizes[1]).scaled(_WALK), sizes[0] + sizes[1]
        case "equals" | "not_equals":
            return _compared(sizes), None
    ordered = overload.startswith(("less_", "greater_")) and overload.endswith(("_string", "_bytes"))
    return (_compared(sizes), None) if ordered else None


def _compared(sizes: list[Range]) -> Range:
    most = min(sizes[0].high, sizes[1].high)
    return Range(1 if most else 0, most).scaled(_WALK)
