"""One requirement of a label: what it is, when it may be so, and how several are read from text.

    app=web,tier in (a, b),!old

The errors are those of apimachinery/pkg/labels. What is made of several is in `selectors.py`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pilothouse.api.machinery.field import FieldErrors, index
from pilothouse.api.machinery.names import label_key, label_value

_INTEGER = re.compile(r"[+-]?[0-9]+")
_TOKEN = re.compile(r"[ \t\r\n]*(?:(!=|==|[=!(),<>])|([^=!(),<> \t\r\n]+))")
_SPACE = " \t\r\n"
_BINARY = ("=", "==", "!=", "in", "notin", ">", "<")
_BINARY_NAMES = "in, notin, =, ==, !=, gt, lt"
"""How upstream lists them; > and < go by their names there."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """What one label must be. `operator` is one of = == != in notin exists ! > <."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels satisfy it."""
        value = labels.get(self.key)
        match self.operator:
            case "=" | "==" | "in":
                return value is not None and value in self.values
            case "!=" | "notin":
                return value is None or value not in self.values
            case "exists":
                return value is not None
            case "!":
                return value is None
        if value is None or not is_integer(value):
            return False
        bound = int(self.values[0])
        return int(value) > bound if self.operator == ">" else int(value) < bound

    def __str__(self) -> str:
        match self.operator:
            case "exists":
                return self.key
            case "!":
                return f"!{self.key}"
            case "in" | "notin":
                return f"{self.key} {self.operator} ({','.join(sorted(self.values))})"
        return f"{self.key}{self.operator}{self.values[0]}"


def requirement(key: str, operator: str, values: tuple[str, ...] = ()) -> Requirement:
    """A checked requirement. Raises ValueError in upstream's words."""
    errors = FieldErrors()
    if wrong := label_key(key):
        errors.invalid("key", key, "; ".join(wrong))
    if operator in ("in", "notin") and not values:
        errors.invalid("values", [], "for 'in', 'notin' operators, values set can't be empty")
    elif operator in ("=", "==", "!=") and len(values) != 1:
        errors.invalid("values", list(values), "exact-match compatibility requires one single value")
    elif operator in ("exists", "!") and values:
        errors.invalid("values", list(values), "values set must be empty for exists and does not exist")
    elif operator in (">", "<"):
        for position, value in enumerate(values):
            if not is_integer(value):
                where = index("values", position)
                errors.invalid(where, value, "for 'Gt', 'Lt' operators, the value must be an integer")
    for position, value in enumerate(values):
        if wrong := label_value(value):
            errors.invalid(index(index("values", position), key), value, "; ".join(wrong))
    if errors:
        texts = list(dict.fromkeys(str(error) for error in errors))
        raise ValueError(texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")
    return Requirement(key, operator, values)


def parse_requirements(text: str) -> list[Requirement]:
    """The requirements that a text lists. Raises ValueError in upstream's words."""
    return _Parser(text).parse()


class _Parser:
    """Reads the tokens of one selector. The end of the text is the token ""."""

    def __init__(self, text: str) -> None:
        self.tokens = [found.group(1) or found.group(2) for found in _TOKEN.finditer(text.rstrip(_SPACE))]
        self.position = 0

    def peek(self) -> str:
        """The next token."""
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def take(self) -> str:
        """The next token, and go on."""
        word = self.peek()
        self.position += 1
        return word

    def parse(self) -> list[Requirement]:
        """All requirements."""
        requirements: list[Requirement] = []
        while word := self.peek():
            if not _is_word(word) and word != "!":
                raise ValueError(f"found '{word}', expected: !, identifier, or 'end of string'")
            try:
                requirements.append(self.requirement())
            except ValueError as error:
                raise ValueError(f"unable to parse requirement: {error}") from None
            word = self.take()
            if word == ",":
                following = self.peek()
                if not _is_word(following) and following != "!":
                    raise ValueError(f"found '{following}', expected: identifier after ','")
            elif word:
                raise ValueError(f"found '{word}', expected: ',' or 'end of string'")
        return requirements

    def requirement(self) -> Requirement:
        """One requirement, up to a comma or the end."""
        word = self.take()
        absent = word == "!"
        key = self.take() if absent else word
        if not _is_word(key):
            raise ValueError(f"found '{key}', expected: identifier")
        if wrong := label_key(key):
            errors = FieldErrors()
            errors.invalid("", key, "; ".join(wrong))
            raise ValueError(str(errors[0]))
        if absent or self.peek() in ("", ","):
            return requirement(key, "!" if absent else "exists")
        operator = self.take()
        if operator not in _BINARY:
            raise ValueError(f"found '{operator}', expected: {_BINARY_NAMES}")
        values = self.values() if operator in ("in", "notin") else {self.exact_value()}
        return requirement(key, operator, tuple(sorted(values)))

    def exact_value(self) -> str:
        """The value after = and its like; nothing is the empty value."""
        if self.peek() in ("", ","):
            return ""
        word = self.take()
        if not _is_word(word):
            raise ValueError(f"found '{word}', expected: identifier")
        return word

    def values(self) -> set[str]:
        """The values between parentheses; between two commas stands the empty one."""
        if (word := self.take()) != "(":
            raise ValueError(f"found '{word}' expected: '('")
        word = self.peek()
        if word == ")":
            self.take()
            return {""}
        if not _is_word(word) and word != ",":
            raise ValueError(f"found '{word}', expected: ',', ')' or identifier")
        values: set[str] = set()
        while True:
            word = self.take()
            if _is_word(word):
                values.add(word)
                if self.peek() == ")":
                    break
                if (following := self.peek()) != ",":
                    raise ValueError(f"found '{following}', expected: ',' or ')'")
            elif word == ",":
                if not values or self.peek() in (",", ")"):
                    values.add("")
                if self.peek() == ")":
                    break
            else:
                raise ValueError(f"found '{word}', expected: ',', or identifier")
        self.take()
        return values


def _is_word(word: str) -> bool:
    return bool(word) and word[0] not in "=!(),<>"


def is_integer(text: str) -> bool:
    """Whether a value can be compared with a bound."""
    return bool(_INTEGER.fullmatch(text)) and len(text) < 25 and -(2**63) <= int(text) < 2**63
