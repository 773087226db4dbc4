"""Functions of texts: `charAt`, `indexOf`, `join`, `split`, `substring` and the rest, in version 2 of the extension.

Places are counted in code points. Source: ext/strings.go of google/cel-go; `format` is in `formatting`.
"""

from collections.abc import Callable

from pilothouse.api.machinery.cel.declarations import library
from pilothouse.api.machinery.cel.errors import EvaluationError
from pilothouse.api.machinery.cel.library.formatting import PLAIN_ESCAPES, formatted
from pilothouse.api.machinery.cel.operators import no_overload

_SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""What Go takes for white space."""

_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_UPPER = {code + 32: code for code in _LOWER}
_QUOTED = str.maketrans({**PLAIN_ESCAPES, '"': '\\"'})


def _out(at: int) -> EvaluationError:
    return EvaluationError(f"index out of range: {at}")


def _char_at(text: str, at: int) -> str:
    if not 0 <= at <= len(text):
        raise _out(at)
    return text[at : at + 1]


def _index_of(text: str, part: str, start: int = 0) -> int:
    if not part:
        return start
    if not 0 <= start < len(text):
        if start == 0:
            return -1
        raise _out(start)
    return text.find(part, start)


def _last_index_of(text: str, part: str, start: int | None = None) -> int:
    if not part:
        return len(text) if start is None else start
    if start is None:
        return text.rfind(part)
    if not 0 <= start < len(text):
        raise _out(start)
    return text.rfind(part, 0, start + len(part))


def _replace(text: str, old: str, new: str, count: int = -1) -> str:
    return text.replace(old, new, count if count >= 0 else -1)


def _split(text: str, separator: str, limit: int = -1) -> list[str]:
    if limit == 0:
        return []
    if separator:
        return text.split(separator, limit - 1 if limit > 0 else -1)
    if limit < 0 or limit >= len(text):
        return list(text)
    return [*text[: limit - 1], text[limit - 1 :]]


def _substring(text: str, start: int, end: int | None = None) -> str:
    if end is None:
        end = len(text)
        if start > end:
            raise _out(start)
    if start > end:
        raise EvaluationError(f"invalid substring range. start: {start}, end: {end}")
    for at in (start, end):
        if not 0 <= at <= len(text):
            raise _out(at)
    return text[start:end]


def _join(parts: list[object], separator: str = "") -> str:
    for part in parts:
        if not isinstance(part, str):
            raise no_overload("join", parts, separator)
    return separator.join(parts)  # type: ignore[arg-type]


_RUN: dict[str, Callable[..., object]] = {
    "charAt": _char_at,
    "indexOf": _index_of,
    "join": _join,
    "lastIndexOf": _last_index_of,
    "lowerAscii": lambda text: text.translate(_LOWER),
    "upperAscii": lambda text: text.translate(_UPPER),
    "replace": _replace,
    "split": _split,
    "substring": _substring,
    "trim": lambda text: text.strip(_SPACES),
    "format": formatted,
    "strings.quote": lambda text: f'"{text.translate(_QUOTED)}"',
}
STRINGS = library(
    """
    charAt string_char_at_int string.(int) string
    indexOf string_index_of_string string.(string) int
    indexOf string_index_of_string_int string.(string, int) int
    join list_join list(string).() string
    join list_join_string list(string).(string) string
    lastIndexOf string_last_index_of_string string.(string) int
    lastIndexOf string_last_index_of_string_int string.(string, int) int
    lowerAscii string_lower_ascii string.() string
    replace string_replace_string_string string.(string, string) string
    replace string_replace_string_string_int string.(string, string, int) string
    split string_split_string string.(string) list(string)
    split string_split_string_int string.(string, int) list(string)
    substring string_substring_int string.(int) string
    substring string_substring_int_int string.(int, int) string
    trim string_trim string.() string
    upperAscii string_upper_ascii string.() string
    format string_format string.(list(dyn)) string
    strings.quote strings_quote (string) string
    """,
    _RUN,
)
