"""`"%s is %d".format([name, number])`.

Fixed and scientific numbers are printed for the locale en_US, with thousands separated and powers of ten raised, as
upstream's first version of the function does. Source: ext/formatting.go of google/cel-go.
"""

import math
import re

from pilothouse.api.machinery.cel.errors import EvaluationError
from pilothouse.api.machinery.cel.values import Duration, Timestamp, TypeValue, type_name_of
from pilothouse.api.machinery.cel.written import double, duration, timestamp

_CLAUSE = re.compile(r"%(?:%|(?:\.(\d*))?(.)?)", re.DOTALL)
_PRECISION = 6
_MOST = 1000
"""More digits than anyone means; a short text must not cost megabytes."""

_RAISED = str.maketrans("0123456789-+", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺")
PLAIN_ESCAPES = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
}
_STRING_ONLY = (
    "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and "
    "timestamps, was given "
)


def formatted(text: str, arguments: list[object]) -> str:
    """The text with its clauses filled."""
    used = 0
    parts: list[str] = []
    end = 0
    for clause in _CLAUSE.finditer(text):
        parts.append(text[end : clause.start()])
        end = clause.end()
        if clause[0] == "%%":
            parts.append("%")
            continue
        if used >= len(arguments):
            raise EvaluationError(f"index {used} out of range")
        if clause[0] == "%":
            raise EvaluationError("unexpected end of string")
        parts.append(_clause(clause, arguments[used]))
        used += 1
    return "".join((*parts, text[end:]))


def _clause(clause: re.Match[str], value: object) -> str:
    digits, letter = clause[1], clause[2]
    precision = _PRECISION
    if digits is not None:
        if letter is None:
            raise _unparsed("error while parsing precision: could not find end of precision specifier")
        if not digits:
            raise _unparsed(
                'error while parsing precision: error while converting precision to integer: strconv.Atoi: parsing "": '
                "invalid syntax"
            )
        precision = int(digits[:5])
        if precision > _MOST:
            raise _unparsed(f"error while parsing precision: precision {precision} exceeds {_MOST}")
    match letter:
        case "s":
            return _text(value)
        case "d":
            return _decimal(value)
        case "f" | "e":
            return _number(value, letter, precision)
        case "b" | "o":
            return _digits(value, letter)
        case "x" | "X":
            return _hex(value, letter)
    raise _unparsed(f'unrecognized formatting clause "{letter}"')


def _unparsed(why: str) -> EvaluationError:
    return EvaluationError(f"could not parse formatting clause: {why}")


def _failed(why: str) -> EvaluationError:
    return EvaluationError(f"error during formatting: {why}")


def _text(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int():
            return str(int(value))
        case float():
            return double(value)
        case bytes():
            return value.decode("utf-8", "replace")
        case list() | dict():
            return _literal(value)
        case Duration():
            return duration(value)
        case Timestamp():
            return timestamp(value)
        case TypeValue():
            return value.name
    raise _failed(_STRING_ONLY + type_name_of(value))


def _literal(value: object) -> str:
    """The value as the language would write it."""
    match value:
        case str():
            return quoted(value)
        case bytes():
            return f"b{quoted(value.decode('utf-8', 'replace'))}"
        case float():
            shown = f"{value:.6f}" if math.isfinite(value) else double(value)
            return shown if math.isfinite(value) else quoted(shown)
        case Duration():
            return f'duration("{duration(value)}")'
        case Timestamp():
            return f'timestamp("{timestamp(value)}")'
        case list():
            return f"[{', '.join(map(_literal, value))}]"
        case dict():
            entries = sorted((_key(key), _literal(element)) for key, element in value.items())
            return f"{{{', '.join(f'{key}:{element}' for key, element in entries)}}}"
        case None | int() | TypeValue():
            return _text(value)
    raise _failed(f"no formatting function for {type_name_of(value)}")


def _key(key: object) -> str:
    if isinstance(key, str | int):
        return _literal(key)
    raise _failed(f"no formatting function for map key of type {type_name_of(key)}")


def quoted(text: str) -> str:
    """A text in quotes, as Go's `%q` writes it."""
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(char: str) -> str:
    if char == '"':
        return '\\"'
    if char in PLAIN_ESCAPES:
        return PLAIN_ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    if code < 128:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"


def _decimal(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(int(value))
    raise _failed(f"decimal clause can only be used on integers, was given {type_name_of(value)}")


def _number(value: object, letter: str, precision: int) -> str:
    special = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
    number = special.get(value) if isinstance(value, str) else value
    if not isinstance(number, float):
        word = "fixed-point" if letter == "f" else "scientific"
        raise _failed(f"{word} clause can only be used on doubles, was given {type_name_of(value)}")
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "∞" if number > 0 else "-∞"
    if letter == "f":
        return f"{number:,.{precision}f}"
    mantissa, _, exponent = f"{number:.{precision}e}".partition("e")
    sign = "-" if exponent.startswith("-") else ""
    return f"{mantissa}\u202f×\u202f10{(sign + exponent.lstrip('+-')).translate(_RAISED)}"


def _digits(value: object, letter: str) -> str:
    if letter == "b" and isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{int(value):{letter}}"
    allowed = (
        "binary clause can only be used on integers and bools"
        if letter == "b"
        else "octal clause can only be used on integers"
    )
    raise _failed(f"{allowed}, was given {type_name_of(value)}")


def _hex(value: object, letter: str) -> str:
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes):
        shown = value.hex()
    elif isinstance(value, int) and not isinstance(value, bool):
        shown = f"{int(value):x}"
    else:
        given = type_name_of(value)
        raise _failed(f"only integers, byte buffers, and strings can be formatted as hex, was given {given}")
    return shown.upper() if letter == "X" else shown
