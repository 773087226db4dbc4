"""Equality, order, arithmetic and access: what the signs of the language do with values.

Numbers of different types compare by what they mean (`1 == 1.0`), a bool is no number, and of different types otherwise
nothing is equal. Integers are of 64 bits and overflow is an error. Sources: google/cel-spec (doc/langdef.md),
common/types of google/cel-go for the texts.
"""

import math
from collections.abc import Callable

from pilothouse.api.machinery.cel.errors import EvaluationError
from pilothouse.api.machinery.cel.times import duration_of, timestamp_of
from pilothouse.api.machinery.cel.values import (
    NONE,
    Duration,
    Optional,
    Struct,
    Timestamp,
    Uint,
    type_name_of,
)
from pilothouse.api.machinery.cel.written import double

_NUMBERS = (int, float)
_ATOMS = frozenset((str, int, bool, float, bytes, type(None)))


def no_overload(function: str = "", *arguments: object) -> EvaluationError:
    """What upstream says where values do not fit; with arguments their types are named."""
    if not function:
        return EvaluationError("no such overload")
    types = f"({', '.join(map(type_name_of, arguments))})" if arguments else ""
    return EvaluationError(f"no such overload: {function}{types}")


def is_number(value: object) -> bool:
    """Whether it is an integer or double; a bool is not."""
    return isinstance(value, _NUMBERS) and value is not True and value is not False


def equals(first: object, second: object) -> bool:
    """`first == second`."""
    kind = type(first)
    if kind is type(second):
        if kind in _ATOMS:
            return first == second
        if kind is list:
            return _equal_lists(first, second)  # type: ignore[arg-type]
        if kind is dict:
            return _equal_maps(first, second)  # type: ignore[arg-type]
        if kind is not Optional and kind is not Struct:
            return first == second
    if is_number(first) and is_number(second):
        return first == second
    if isinstance(first, Optional) and isinstance(second, Optional):
        return first.present == second.present and (not first.present or equals(first.value, second.value))
    if isinstance(first, list) and isinstance(second, list):
        return _equal_lists(first, second)
    if isinstance(first, dict) and isinstance(second, dict):
        return type_name_of(first) == type_name_of(second) and _equal_maps(first, second)
    return False


def _equal_lists(first: list[object], second: list[object]) -> bool:
    return len(first) == len(second) and all(map(equals, first, second))


def _equal_maps(first: dict[object, object], second: dict[object, object]) -> bool:
    if len(first) != len(second):
        return False
    for key, value in first.items():
        found, other = find(second, key)
        if not found or not equals(value, other):
            return False
    return True


def contains(value: object, container: object) -> bool:
    """`value in container`."""
    if isinstance(container, dict):
        return find(container, value)[0]
    if isinstance(container, list):
        return any(equals(value, element) for element in container)
    raise no_overload()


def find(container: dict[object, object], key: object) -> tuple[bool, object]:
    """Whether a map has the key, and the value. Python takes True for 1, the language does not."""
    kind = type(key)
    if kind is str:
        return (True, container[key]) if key in container else (False, None)
    if kind is not bool and key != 0 and key != 1:
        try:
            return (True, container[key]) if key in container else (False, None)
        except TypeError:
            return False, None
    for known, value in container.items():
        if known == key and (type(known) is bool) is (kind is bool):
            return True, value
    return False, None


def shown_key(key: object) -> str:
    """A key as complaints write it."""
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, float):
        return double(key)
    return "null" if key is None else str(key)


def select(value: object, name: str) -> object:
    """`value.name`."""
    try:
        return value[name]  # type: ignore[index]
    except (KeyError, TypeError, IndexError):
        pass
    if isinstance(value, Optional):
        return optional_select(value, name)
    if isinstance(value, list):
        raise EvaluationError("unsupported index type 'string' in list")
    raise EvaluationError(f"no such key: {name}")


def index(value: object, key: object) -> object:
    """`value[key]`."""
    if isinstance(value, dict):
        found, element = find(value, key)
        if found:
            return element
        raise EvaluationError(f"no such key: {shown_key(key)}")
    if isinstance(value, list):
        at = _list_index(key)
        if 0 <= at < len(value):
            return value[at]
        raise EvaluationError(f"index out of bounds: {shown_key(key)}")
    if isinstance(value, Optional):
        return optional_select(value, key)
    raise EvaluationError(f"no such key: {shown_key(key)}")


def _list_index(key: object) -> int:
    if is_number(key):
        assert isinstance(key, _NUMBERS)
        if math.isfinite(key) and key == int(key):
            return int(key)
        raise EvaluationError(f"unsupported index value {shown_key(key)} in list")
    raise EvaluationError(f"unsupported index type '{type_name_of(key)}' in list")


def has(value: object, name: str) -> bool:
    """`has(value.name)`."""
    if isinstance(value, dict):
        return name in value
    if isinstance(value, Optional):
        return value.present and has(value.value, name)
    if isinstance(value, list):
        raise EvaluationError("unsupported index type 'string' in list")
    return False


def optional_select(value: object, key: object) -> Optional:
    """`value.?key` and `value[?key]`: none where it is not there."""
    if isinstance(value, Optional):
        if not value.present:
            return NONE
        value = value.value
    if isinstance(value, dict):
        found, element = find(value, key)
        return Optional(element) if found else NONE
    if isinstance(value, list):
        at = _list_index(key)
        return Optional(value[at]) if 0 <= at < len(value) else NONE
    return NONE


_ORDERED = (str, bytes, Timestamp, Duration)


def compare(first: object, second: object, sign: str) -> int:
    """-1, 0 or 1 as the first is less, equal or greater."""
    if type(first) is int and type(second) is int:
        return (first > second) - (first < second)
    if is_number(first) and is_number(second):
        if first != first or second != second:
            raise EvaluationError("NaN values cannot be ordered")
    elif type(first) is not type(second) or not isinstance(first, (*_ORDERED, bool)):
        if is_number(first) or isinstance(first, (*_ORDERED, bool)):
            raise no_overload()
        raise no_overload(sign)
    above: bool = first > second  # type: ignore[operator]
    below: bool = first < second  # type: ignore[operator]
    return above - below


def whole(value: int) -> int:
    """An integer of 64 bits, or the error."""
    if -9223372036854775808 <= value <= 9223372036854775807:
        return value
    raise EvaluationError("integer overflow")


def unsigned(value: int) -> Uint:
    """An unsigned one."""
    if 0 <= value <= 18446744073709551615:
        return Uint(value)
    raise EvaluationError("unsigned integer overflow")


def add(first: object, second: object) -> object:
    """`first + second`."""
    kind = type(first)
    if kind is type(second):
        if kind is int:
            return whole(first + second)  # type: ignore[operator]
        if kind is Uint:
            return unsigned(int(first) + int(second))  # type: ignore[call-overload]
        if kind in (str, float, bytes, list):
            return first + second  # type: ignore[operator]
    match first, second:
        case Timestamp(), Duration():
            return timestamp_of(first.nanos + second.nanos)
        case Duration(), Timestamp():
            return timestamp_of(first.nanos + second.nanos)
        case Duration(), Duration():
            return duration_of(first.nanos + second.nanos)
    raise _unfit("_+_", first, (int, float, str, bytes, list, Timestamp, Duration))


def subtract(first: object, second: object) -> object:
    """`first - second`."""
    kind = type(first)
    if kind is type(second):
        if kind is int:
            return whole(first - second)  # type: ignore[operator]
        if kind is Uint:
            return unsigned(int(first) - int(second))  # type: ignore[call-overload]
        if kind is float:
            return first - second  # type: ignore[operator]
    match first, second:
        case Timestamp(), Duration():
            return timestamp_of(first.nanos - second.nanos)
        case Timestamp(), Timestamp():
            return duration_of(first.nanos - second.nanos)
        case Duration(), Duration():
            return duration_of(first.nanos - second.nanos)
    raise _unfit("_-_", first, (int, float, Timestamp, Duration))


def multiply(first: object, second: object) -> object:
    """`first * second`."""
    kind = type(first)
    if kind is type(second):
        if kind is int:
            return whole(first * second)  # type: ignore[operator]
        if kind is Uint:
            return unsigned(int(first) * int(second))  # type: ignore[call-overload]
        if kind is float:
            return first * second  # type: ignore[operator]
    raise _unfit("_*_", first, (int, float))


def divide(first: object, second: object) -> object:
    """`first / second`: integers are cut towards zero."""
    if type(first) is type(second) and type(first) in (int, Uint):
        quotient = _quotient(int(first), int(second), "division by zero")  # type: ignore[call-overload]
        return whole(quotient) if type(first) is int else Uint(quotient)
    if isinstance(first, float) and isinstance(second, float):
        if second:
            return first / second
        if first == 0 or math.isnan(first):
            return math.nan
        return math.copysign(math.inf, first) * math.copysign(1.0, second)
    raise _unfit("_/_", first, (int, float))


def modulo(first: object, second: object) -> object:
    """`first % second`, of the sign of the first."""
    if type(first) is type(second) and type(first) in (int, Uint):
        left, right = int(first), int(second)  # type: ignore[call-overload]
        rest = left - right * _quotient(left, right, "modulus by zero")
        return rest if type(first) is int else Uint(rest)
    raise _unfit("_%_", first, (int,))


def _quotient(first: int, second: int, zero: str) -> int:
    if second == 0:
        raise EvaluationError(zero)
    if second == -1 and first == -(2**63):
        raise EvaluationError("integer overflow")
    quotient = abs(first) // abs(second)
    return quotient if (first < 0) is (second < 0) else -quotient


def negate(value: object) -> object:
    """`-value`."""
    if type(value) is int:
        return whole(-value)
    if isinstance(value, float):
        return -value
    if isinstance(value, Duration):
        return duration_of(-value.nanos)
    raise no_overload()


def invert(value: object) -> bool:
    """`!value`."""
    if value is True or value is False:
        return not value
    raise no_overload()


def _unfit(sign: str, first: object, known: tuple[type, ...]) -> EvaluationError:
    """The operator is unknown to the first operand's type, or the second does not fit it."""
    return no_overload() if isinstance(first, known) and not isinstance(first, bool) else no_overload(sign)


BINARY: dict[str, Callable[[object, object], object]] = {
    "_+_": add,
    "_-_": subtract,
    "_*_": multiply,
    "_/_": divide,
    "_%_": modulo,
    "_<_": lambda first, second: compare(first, second, "_<_") < 0,
    "_<=_": lambda first, second: compare(first, second, "_<=_") <= 0,
    "_>_": lambda first, second: compare(first, second, "_>_") > 0,
    "_>=_": lambda first, second: compare(first, second, "_>=_") >= 0,
}
