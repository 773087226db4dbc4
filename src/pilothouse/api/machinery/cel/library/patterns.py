"""Regular expressions of RE2's syntax, matched in time linear in the text.

google-re2 is loaded at the first pattern: a server whose expressions have none does not pay for it. The engine's words
for what is wrong with a pattern are put into those of Go's regexp. Sources: apiserver/pkg/cel/library/regex.go,
regexp/syntax of Go's documentation.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Protocol

from pilothouse.api.machinery.cel.declarations import library
from pilothouse.api.machinery.cel.errors import EvaluationError

_GO_WORDS = {
    "missing ]": "missing closing ]",
    "missing )": "missing closing )",
    "unexpected )": "unexpected )",
    "no argument for repetition operator": "missing argument to repetition operator",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid repetition size": "invalid repeat count",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "invalid character class range": "invalid character class range",
    "invalid escape sequence": "invalid escape sequence",
    "trailing \\ at end of regexp": "trailing backslash at end of expression",
    "trailing \\": "trailing backslash at end of expression",
    "invalid named capture group": "invalid named capture",
}


class _Match(Protocol):
    def group(self) -> str: ...


class _Pattern(Protocol):
    def search(self, text: str) -> _Match | None: ...
    def finditer(self, text: str) -> Iterable[_Match]: ...


@lru_cache(maxsize=512)
def compiled(pattern: str) -> _Pattern:
    """The pattern, or the error upstream gives for it."""
    import re2  # loaded at the first pattern

    options = re2.Options()
    options.log_errors = False
    try:
        found: _Pattern = re2.compile(pattern, options)
    except re2.error as error:
        raise EvaluationError(f"error parsing regexp: {_in_go_words(error.args[0])}") from error
    return found


def _in_go_words(message: object) -> str:
    text = message.decode() if isinstance(message, bytes) else str(message)
    words, colon, rest = text.partition(": ")
    shown = _GO_WORDS.get(words, words)
    return f"{shown}: `{rest}`" if colon else shown


def search(text: str, pattern: str) -> bool:
    """`text.matches(pattern)`: anywhere in the text."""
    return compiled(pattern).search(text) is not None


def _find(text: str, pattern: str) -> str:
    match = compiled(pattern).search(text)
    return "" if match is None else match.group()


def _find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    found: list[str] = []
    for match in compiled(pattern).finditer(text):
        if 0 <= limit <= len(found):
            break
        found.append(match.group())
    return found


REGEX = library(
    """
    find string_find_string string.(string) string
    findAll string_find_all_string string.(string) list(string)
    findAll string_find_all_string_int string.(string, int) list(string)
    """,
    {"find": _find, "findAll": _find_all},
)
