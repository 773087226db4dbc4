"""The functions and operators of the language itself.

Operators that are no plain functions (`&&`, `?:`, indexing) are only declared here; `planner` does them. Sources:
google/cel-spec (doc/langdef.md, "List of Standard Definitions"), common/stdlib/standard.go and common/types of
google/cel-go for ids and texts.
"""

import math
from collections.abc import Callable

from pilothouse.api.machinery.cel import operators, types
from pilothouse.api.machinery.cel.declarations import library
from pilothouse.api.machinery.cel.errors import EvaluationError
from pilothouse.api.machinery.cel.library.patterns import search
from pilothouse.api.machinery.cel.operators import no_overload
from pilothouse.api.machinery.cel.times import SECOND, duration_of, parse_duration, parse_timestamp, timestamp_of
from pilothouse.api.machinery.cel.types import type_of
from pilothouse.api.machinery.cel.values import Duration, Opaque, Timestamp, TypeValue, Uint, type_name_of
from pilothouse.api.machinery.cel.written import double, duration, timestamp

_MOST_DIGITS = 1000
"""No number of 64 bits needs more, whatever zeros stand before it."""

_ORDER = "".join(
    f"_{sign}_ {word}_{name} ({kinds}) bool\n"
    for sign, word in (("<", "less"), ("<=", "less_equals"), (">", "greater"), (">=", "greater_equals"))
    for name, kinds in (
        ("bool", "bool, bool"),
        ("int64", "int, int"),
        ("int64_double", "int, double"),
        ("int64_uint64", "int, uint"),
        ("uint64", "uint, uint"),
        ("uint64_double", "uint, double"),
        ("uint64_int64", "uint, int"),
        ("double", "double, double"),
        ("double_int64", "double, int"),
        ("double_uint64", "double, uint"),
        ("string", "string, string"),
        ("bytes", "bytes, bytes"),
        ("timestamp", "timestamp, timestamp"),
        ("duration", "duration, duration"),
    )
)
_TABLE = """
_?_:_ conditional (bool, A, A) A
_&&_ logical_and (bool, bool) bool
_||_ logical_or (bool, bool) bool
!_ logical_not (bool) bool
@not_strictly_false not_strictly_false (bool) bool
_==_ equals (A, A) bool
_!=_ not_equals (A, A) bool
_+_ add_bytes (bytes, bytes) bytes
_+_ add_double (double, double) double
_+_ add_duration_duration (duration, duration) duration
_+_ add_duration_timestamp (duration, timestamp) timestamp
_+_ add_timestamp_duration (timestamp, duration) timestamp
_+_ add_int64 (int, int) int
_+_ add_list (list(A), list(A)) list(A)
_+_ add_string (string, string) string
_+_ add_uint64 (uint, uint) uint
_/_ divide_double (double, double) double
_/_ divide_int64 (int, int) int
_/_ divide_uint64 (uint, uint) uint
_%_ modulo_int64 (int, int) int
_%_ modulo_uint64 (uint, uint) uint
_*_ multiply_double (double, double) double
_*_ multiply_int64 (int, int) int
_*_ multiply_uint64 (uint, uint) uint
-_ negate_double (double) double
-_ negate_int64 (int) int
_-_ subtract_double (double, double) double
_-_ subtract_duration_duration (duration, duration) duration
_-_ subtract_int64 (int, int) int
_-_ subtract_timestamp_duration (timestamp, duration) timestamp
_-_ subtract_timestamp_timestamp (timestamp, timestamp) duration
_-_ subtract_uint64 (uint, uint) uint
_[_] index_list (list(A), int) A
_[_] index_map (map(A, B), A) B
@in in_list (A, list(A)) bool
@in in_map (A, map(A, B)) bool
cel.@mapInsert @mapInsert_map_key_value (map(K, V), K, V) map(K, V)
cel.@mapInsert @mapInsert_map_map (map(K, V), map(K, V)) map(K, V)
size size_bytes (bytes) int
size bytes_size bytes.() int
size size_list (list(A)) int
size list_size list(A).() int
size size_map (map(A, B)) int
size map_size map(A, B).() int
size size_string (string) int
size string_size string.() int
type type (A) type(A)
bool bool_to_bool (bool) bool
bool string_to_bool (string) bool
bytes bytes_to_bytes (bytes) bytes
bytes string_to_bytes (string) bytes
double double_to_double (double) double
double int64_to_double (int) double
double string_to_double (string) double
double uint64_to_double (uint) double
duration duration_to_duration (duration) duration
duration int64_to_duration (int) duration
duration string_to_duration (string) duration
dyn to_dyn (A) dyn
int int64_to_int64 (int) int
int double_to_int64 (double) int
int duration_to_int64 (duration) int
int string_to_int64 (string) int
int timestamp_to_int64 (timestamp) int
int uint64_to_int64 (uint) int
string string_to_string (string) string
string bool_to_string (bool) string
string bytes_to_string (bytes) string
string double_to_string (double) string
string duration_to_string (duration) string
string int64_to_string (int) string
string timestamp_to_string (timestamp) string
string uint64_to_string (uint) string
string ip_to_string (IP) string
string cidr_to_string (CIDR) string
timestamp timestamp_to_timestamp (timestamp) timestamp
timestamp int64_to_timestamp (int) timestamp
timestamp string_to_timestamp (string) timestamp
uint uint64_to_uint64 (uint) uint
uint double_to_uint64 (double) uint
uint int64_to_uint64 (int) uint
uint string_to_uint64 (string) uint
contains contains_string string.(string) bool
endsWith ends_with_string string.(string) bool
startsWith starts_with_string string.(string) bool
matches matches (string, string) bool
matches matches_string string.(string) bool
"""


def _conversion(wanted: str, value: object) -> EvaluationError:
    given = type_name_of(value)
    return EvaluationError(f"type conversion error from '{given}' to '{wanted}'")


def _to_bool(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("1", "t", "T", "true", "TRUE", "True"):
        return True
    if value in ("0", "f", "F", "false", "FALSE", "False"):
        return False
    raise _conversion("bool", value)


def _to_bytes(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    raise _conversion("bytes", value)


def _to_double(value: object) -> float:
    if isinstance(value, str):
        if value.strip() == value and "_" not in value:
            try:
                return float.fromhex(value) if "0x" in value.lower() else float(value)
            except (ValueError, OverflowError):
                pass
        raise _conversion("double", value)
    if operators.is_number(value):
        return float(value)  # type: ignore[arg-type]
    raise _conversion("double", value)


def _to_duration(value: object) -> Duration:
    if isinstance(value, Duration):
        return value
    if type(value) is int:
        return duration_of(value)
    parsed = parse_duration(value) if isinstance(value, str) else None
    if parsed is None:
        raise _conversion("google.protobuf.Duration", value)
    return parsed


def _digits(text: str, *, signed: bool) -> int | None:
    plain = text[1:] if signed and text[:1] in ("-", "+") else text
    return int(text) if plain.isascii() and plain.isdigit() and len(plain) < _MOST_DIGITS else None


def _to_int(value: object) -> int:
    if isinstance(value, str):
        parsed = _digits(value, signed=True)
        if parsed is None or not -(2**63) <= parsed < 2**63:
            raise _conversion("int", value)
        return parsed
    if isinstance(value, float):
        if not -9223372036854775808 < value < 9223372036854775808:
            raise EvaluationError("integer overflow")
        return int(value)
    if isinstance(value, Timestamp):
        return value.nanos // SECOND
    if isinstance(value, Duration):
        return value.nanos
    if operators.is_number(value):
        return operators.whole(int(value))  # type: ignore[call-overload]
    raise _conversion("int", value)


def _to_uint(value: object) -> Uint:
    if isinstance(value, str):
        parsed = _digits(value, signed=False)
        if parsed is None or parsed >= 2**64:
            raise _conversion("uint", value)
        return Uint(parsed)
    if isinstance(value, float):
        if not 0 <= value < 18446744073709551616 or math.isnan(value):
            raise EvaluationError("unsigned integer overflow")
        return Uint(int(value))
    if operators.is_number(value):
        return operators.unsigned(int(value))  # type: ignore[call-overload]
    raise _conversion("uint", value)


def to_string(value: object) -> str:
    """`string(value)`."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return double(value)
    if isinstance(value, Duration):
        return duration(value)
    if isinstance(value, Timestamp):
        return timestamp(value)
    if isinstance(value, Opaque):
        return str(value)
    return _decoded(value)


def _decoded(value: object) -> str:
    if not isinstance(value, bytes):
        raise _conversion("string", value)
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise EvaluationError("invalid UTF-8 in bytes, cannot convert to string") from error


def _to_timestamp(value: object) -> Timestamp:
    if isinstance(value, Timestamp):
        return value
    if type(value) is int:
        return timestamp_of(value * SECOND)
    parsed = parse_timestamp(value) if isinstance(value, str) else None
    if parsed is None:
        raise _conversion("google.protobuf.Timestamp", value)
    return parsed


def _size(value: object) -> int:
    if isinstance(value, str | bytes | list | dict):
        return len(value)
    raise no_overload("size", value)


def _declared_only(*_values: object) -> object:
    raise no_overload()


_DECLARED = ("_?_:_", "_&&_", "_||_", "@not_strictly_false", "cel.@mapInsert")
_RUN: dict[str, Callable[..., object]] = dict.fromkeys(_DECLARED, _declared_only) | {
    **operators.BINARY,
    "!_": operators.invert,
    "-_": operators.negate,
    "_==_": operators.equals,
    "_!=_": lambda first, second: not operators.equals(first, second),
    "_[_]": operators.index,
    "@in": operators.contains,
    "size": _size,
    "type": lambda value: TypeValue(type_name_of(value)),
    "bool": _to_bool,
    "bytes": _to_bytes,
    "double": _to_double,
    "duration": _to_duration,
    "dyn": lambda value: value,
    "int": _to_int,
    "string": to_string,
    "timestamp": _to_timestamp,
    "uint": _to_uint,
    "contains": lambda text, part: part in text,
    "endsWith": lambda text, end: text.endswith(end),
    "startsWith": lambda text, start: text.startswith(start),
    "matches": search,
}
_TYPES = {
    name: (type_of(named), TypeValue(named.name))
    for name, named in {
        "bool": types.BOOL,
        "bytes": types.BYTES,
        "double": types.DOUBLE,
        "google.protobuf.Duration": types.DURATION,
        "google.protobuf.Timestamp": types.TIMESTAMP,
        "int": types.INT,
        "list": types.LIST,
        "map": types.MAP,
        "null_type": types.NULL,
        "string": types.STRING,
        "type": type_of(types.DYN),
        "uint": types.UINT,
        "optional_type": types.optional_of(types.DYN),
        "kubernetes.URL": types.URL,
        "kubernetes.Quantity": types.QUANTITY,
        "net.IP": types.IP,
        "net.CIDR": types.CIDR,
        "kubernetes.Semver": types.SEMVER,
    }.items()
}
STANDARD = library(_TABLE + _ORDER, _RUN, _TYPES)

CONVERSIONS = frozenset(("bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint"))
"""Done once, at compilation, where they are given a constant."""
