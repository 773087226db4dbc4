"""What a call costs when it runs, in upstream's units.

Most cost one. What walks a text costs a tenth of its length, what walks a list its length, a pattern its length times
the text's. `call_cost` says which of these a call is, once, when the program is made. Sources:
interpreter/runtimecost.go of google/cel-go, apiserver/pkg/cel/library/cost.go.
"""

from collections.abc import Callable, Sequence
from math import ceil

from pilothouse.api.machinery.cel.values import size_of

Cost = Callable[[Sequence[object], object], int]
"""From arguments, the receiver first, and the result."""

LIST, MAP, STRUCT = 10, 30, 40
"""Of making one."""

_CHECK = 350_000
_SCALAR = frozenset((int, bool, float, type(None)))


def traversal(size: int) -> int:
    """Of walking a text of that size: a tenth, rounded up."""
    return ceil(size * 0.1)


def _walk(arguments: Sequence[object], _result: object) -> int:
    text = arguments[0]
    return ceil(len(text) * 0.1) if type(text) is str else traversal(size_of(text))


def _walk_twice(arguments: Sequence[object], _result: object) -> int:
    return traversal(2 * size_of(arguments[0]))


def _walk_result_twice(_arguments: Sequence[object], result: object) -> int:
    return traversal(2 * size_of(result))


def _tree(arguments: Sequence[object], _result: object) -> int:
    return _tree_of(arguments[0])


def _tree_of(value: object) -> int:
    match value:
        case str():
            return len(value.encode("utf-8", "surrogatepass")) // 10
        case bytes():
            return len(value) // 10
        case list():
            return sum(map(_tree_of, value))
        case dict():
            return sum(_tree_of(key) + _tree_of(element) for key, element in value.items())
    return 1


def _pattern(arguments: Sequence[object], _result: object) -> int:
    text, pattern = arguments[:2]
    return traversal(1 + size_of(text)) * -(-size_of(pattern) // 4)


def _validate(arguments: Sequence[object], _result: object) -> int:
    form, text = arguments
    return traversal(1 + size_of(text)) * -(-getattr(form, "pattern_size", 0) // 4)


def _products(arguments: Sequence[object], _result: object) -> int:
    return 1 + size_of(arguments[0]) * size_of(arguments[1])


def _products_twice(arguments: Sequence[object], _result: object) -> int:
    return 1 + 2 * size_of(arguments[0]) * size_of(arguments[1])


def _contains(arguments: Sequence[object], _result: object) -> int:
    return traversal(size_of(arguments[0])) * traversal(size_of(arguments[1]))


def _shorter(arguments: Sequence[object], _result: object) -> int:
    first, second = arguments
    if type(first) in _SCALAR and type(second) in _SCALAR:
        return 1
    return traversal(min(size_of(arguments[0]), size_of(arguments[1])))


def _both(arguments: Sequence[object], _result: object) -> int:
    return traversal(size_of(arguments[0]) + size_of(arguments[1]))


def _elements(arguments: Sequence[object], _result: object) -> int:
    return size_of(arguments[1])


def _contains_ip(arguments: Sequence[object], _result: object) -> int:
    return traversal(2 * size_of(arguments[0]))


def _contains_ip_text(arguments: Sequence[object], _result: object) -> int:
    return _contains_ip(arguments, None) + traversal(size_of(arguments[1]))


def _contains_cidr(arguments: Sequence[object], _result: object) -> int:
    return _contains_ip(arguments, None) + traversal(size_of(arguments[0])) + 1


def _contains_cidr_text(arguments: Sequence[object], _result: object) -> int:
    return _contains_cidr(arguments, None) + traversal(size_of(arguments[1]))


_BY_FUNCTION: dict[str, int | Cost] = {
    "check": _CHECK,
    **dict.fromkeys(("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf", "includes"), _tree),
    **dict.fromkeys(("url", "lowerAscii", "upperAscii", "substring", "trim"), _walk),
    **dict.fromkeys(("replace", "split"), _walk_twice),
    "join": _walk_result_twice,
    **dict.fromkeys(("find", "findAll"), _pattern),
    **dict.fromkeys(("cidr", "isIP", "isCIDR", "ip"), _walk),
    "ip.isCanonical": _walk_twice,
    "containsIP": _contains_ip,
    "containsCIDR": _contains_cidr,
    **dict.fromkeys(("quantity", "isQuantity", "semver", "isSemver", "image", "isImage", "jsonpatch.escapeKey"), _walk),
    "validate": _validate,
}
_BY_OVERLOAD: dict[str, int | Cost] = {
    "cidr_ip": 1,
    "cidr_contains_ip_string": _contains_ip_text,
    "cidr_contains_cidr_string": _contains_cidr_text,
    **dict.fromkeys(("starts_with_string", "ends_with_string", "string_to_bytes", "bytes_to_string"), _walk),
    "in_list": _elements,
    **dict.fromkeys(("list_sets_contains_list", "list_sets_intersects_list"), _products),
    "list_sets_equivalent_list": _products_twice,
    **{
        f"{order}_{kind}": _shorter
        for order in ("less", "less_equals", "greater", "greater_equals")
        for kind in ("string", "bytes")
    },
    **dict.fromkeys(("equals", "not_equals"), _shorter),
    **dict.fromkeys(("add_string", "add_bytes"), _both),
    "matches_string": _pattern,
    "contains_string": _contains,
}


def call_cost(function: str, overloads: tuple[str, ...]) -> int | Cost:
    """A number where it is always the same, else who knows."""
    overload = overloads[0] if len(overloads) == 1 else ""
    return _BY_OVERLOAD.get(overload) or _BY_FUNCTION.get(function, 1)
