"""Selectors: which labels, or which fields, an object must have.

A label selector comes as text (`app=web,tier in (a, b),!old`), as a metav1.LabelSelector, or as a plain map of labels;
a field selector comes as text (`spec.nodeName=n1,status.phase!=Running`). Both become immutable values that are parsed
once and asked often, so the common case, equality, is two dictionary look-ups, and what somebody makes of ten thousand
terms costs each object no more than its own labels do. Source: "Labels and Selectors" and
"Field Selectors" of the documentation; the errors are those of apimachinery/pkg/labels and pkg/fields.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pilothouse.api.machinery.field import FieldErrors, index
from pilothouse.api.machinery.names import label_key, label_value
from pilothouse.api.machinery.view import View
from pilothouse.runtime.short_memo import short_memo

_INTEGER = re.compile(r"[+-]?[0-9]+")
_TOKEN = re.compile(r"[ \t\r\n]*(?:(!=|==|[=!(),<>])|([^=!(),<> \t\r\n]+))")
_SPACE = " \t\r\n"
_BINARY = ("=", "==", "!=", "in", "notin", ">", "<")
_BINARY_NAMES = "in, notin, =, ==, !=, gt, lt"
"""How upstream lists them; > and < go by their names there."""
_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


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
        if value is None or not _is_integer(value):
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


class LabelSelector:
    """Requirements that must all hold. Without any it selects everything, unless it was made to select nothing."""

    __slots__ = ("_equal", "_others", "nothing", "requirements")
    _others: "_Others | None"

    requirements: tuple[Requirement, ...]
    nothing: bool
    """Whether it selects nothing at all, as an absent metav1.LabelSelector does."""

    def __init__(self, requirements: Sequence[Requirement] = (), *, nothing: bool = False) -> None:
        self.requirements = tuple(sorted(requirements, key=lambda requirement: requirement.key))
        self.nothing = nothing
        exact, others = _apart(self.requirements, lambda r: len(r.values) == 1 and r.operator in ("=", "==", "in"))
        self._equal = tuple(dict.fromkeys((r.key, r.values[0]) for r in exact))
        self._others = _Others(others) if others else None

    @property
    def everything(self) -> bool:
        """Whether it selects whatever comes."""
        return not self.requirements and not self.nothing

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        for key, value in self._equal:
            if labels.get(key) != value:
                return False
        return not self.nothing and (self._others is None or self._others.match(labels))

    def exact(self, key: str) -> str | None:
        """The one value this label must have; None where others would do."""
        return next((value for name, value in self._equal if name == key), None)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LabelSelector):
            return NotImplemented
        return self.requirements == other.requirements and self.nothing == other.nothing

    def __hash__(self) -> int:
        return hash((self.requirements, self.nothing))

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))

    def __repr__(self) -> str:
        return f"LabelSelector({'nothing' if self.nothing else repr(str(self))})"


class _Others:
    """Requirements that are not plain equality, as sets and bounds for each key: many cost little more than one."""

    __slots__ = ("absent", "among", "bounds", "present", "unlike")

    def __init__(self, requirements: Sequence[Requirement]) -> None:
        self.absent = frozenset(r.key for r in requirements if r.operator == "!")
        self.present = frozenset(r.key for r in requirements if r.operator not in ("!", "!=", "notin"))
        self.among: dict[str, frozenset[str]] = {}
        self.unlike: dict[str, set[str]] = {}
        self.bounds: dict[str, tuple[int, int]] = {}
        for r in requirements:
            if r.operator in ("=", "==", "in"):
                values = frozenset(r.values)
                self.among[r.key] = self.among.get(r.key, values) & values
            elif r.operator in ("!=", "notin"):
                self.unlike.setdefault(r.key, set()).update(r.values)
            elif r.operator in (">", "<"):
                bound, (low, high) = int(r.values[0]), self.bounds.get(r.key, (-(2**64), 2**64))
                self.bounds[r.key] = (max(low, bound), high) if r.operator == ">" else (low, min(high, bound))

    def match(self, labels: Mapping[str, str]) -> bool:
        """Whether all are satisfied."""
        if not all(key in labels for key in self.present):  # false after as many as there are labels, at the latest
            return False
        for key, value in labels.items():
            if key in self.absent or value in self.unlike.get(key, ()):
                return False
            if not (self.among or self.bounds):
                continue
            if (values := self.among.get(key)) is not None and value not in values:
                return False
            if (bounds := self.bounds.get(key)) and not (_is_integer(value) and bounds[0] < int(value) < bounds[1]):
                return False
        return True


def _apart(
    requirements: Sequence[Requirement], wanted: Callable[[Requirement], bool]
) -> tuple[list[Requirement], list[Requirement]]:
    """Those that are wanted, and the others."""
    parts: tuple[list[Requirement], list[Requirement]] = [], []
    for one in requirements:
        parts[not wanted(one)].append(one)
    return parts


EVERYTHING = LabelSelector()
NOTHING = LabelSelector(nothing=True)


def from_labels(labels: Mapping[str, str]) -> LabelSelector:
    """The selector of objects that have at least these labels, as a Service's. Nothing is validated."""
    return LabelSelector([Requirement(key, "=", (value,)) for key, value in labels.items()])


def from_label_selector(selector: Mapping[str, Any] | View | None) -> LabelSelector:
    """Read a metav1.LabelSelector: absent selects nothing, empty everything. Raises ValueError for a wrong one."""
    if isinstance(selector, View):
        selector = selector.raw if selector else None
    if selector is None:
        return NOTHING
    requirements = [requirement(key, "=", (value,)) for key, value in (selector.get("matchLabels") or {}).items()]
    for expression in selector.get("matchExpressions") or ():
        operator = expression.get("operator") or ""
        if operator not in _OPERATORS:
            raise ValueError(f'"{operator}" is not a valid label selector operator')
        key, values = expression.get("key") or "", tuple(expression.get("values") or ())
        requirements.append(requirement(key, _OPERATORS[operator], values))
    return LabelSelector(requirements) if requirements else EVERYTHING


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
            if not _is_integer(value):
                where = index("values", position)
                errors.invalid(where, value, "for 'Gt', 'Lt' operators, the value must be an integer")
    for position, value in enumerate(values):
        if wrong := label_value(value):
            errors.invalid(index(index("values", position), key), value, "; ".join(wrong))
    if errors:
        texts = list(dict.fromkeys(str(error) for error in errors))
        raise ValueError(texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")
    return Requirement(key, operator, values)


@short_memo(1024)
def parse_label_selector(text: str) -> LabelSelector:
    """Read the text of a label selector, as `?labelSelector=` has it. Raises ValueError in upstream's words."""
    return LabelSelector(_Parser(text).parse()) if text else EVERYTHING


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


def _is_integer(text: str) -> bool:
    return bool(_INTEGER.fullmatch(text)) and len(text) < 25 and -(2**63) <= int(text) < 2**63


class FieldRequirement(NamedTuple):
    """What one field must be, or must not be. `operator` is = or !=."""

    field: str
    operator: str
    value: str


class FieldSelector:
    """Requirements on fields that must all hold. An absent field counts as the empty text."""

    __slots__ = ("_equal", "_unlike", "requirements")

    requirements: tuple[FieldRequirement, ...]

    def __init__(self, requirements: Sequence[FieldRequirement] = ()) -> None:
        self.requirements = tuple(requirements)
        self._equal = tuple(dict.fromkeys((r.field, r.value) for r in requirements if r.operator == "="))
        unlike: dict[str, set[str]] = {}
        for r in requirements:
            if r.operator != "=":
                unlike.setdefault(r.field, set()).add(r.value)
        self._unlike = tuple(unlike.items())

    @property
    def everything(self) -> bool:
        """Whether it selects whatever comes."""
        return not self.requirements

    def matches(self, fields: Mapping[str, str]) -> bool:
        """Whether an object with these fields is selected."""
        for field, value in self._equal:
            if fields.get(field, "") != value:
                return False
        return all(fields.get(field, "") not in values for field, values in self._unlike)

    def exact(self, field: str) -> str | None:
        """The one value this field must have; None where others would do."""
        return next((value for name, operator, value in self.requirements if name == field and operator == "="), None)

    def __eq__(self, other: object) -> bool:
        return self.requirements == other.requirements if isinstance(other, FieldSelector) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.requirements)

    def __str__(self) -> str:
        return ",".join(f"{field}{operator}{escape_field_value(value)}" for field, operator, value in self.requirements)

    def __repr__(self) -> str:
        return f"FieldSelector({str(self)!r})"


def escape_field_value(value: str) -> str:
    """A value as it stands in the text of a field selector."""
    return re.sub(r"[\\,=]", lambda found: f"\\{found.group()}", value)


@short_memo(1024)
def parse_field_selector(text: str) -> FieldSelector:
    """Read the text of a field selector, as `?fieldSelector=` has it. Raises ValueError in upstream's words."""
    terms = re.findall(r"(?:\\.|[^\\,]|\\\Z)+", text, re.DOTALL)
    return FieldSelector([_field_requirement(term, text) for term in sorted(terms)])


def _field_requirement(term: str, text: str) -> FieldRequirement:
    found = re.search("!=|==|=", term)
    if found is None:
        raise ValueError(f"invalid selector: '{text}'; can't understand '{term}'")
    operator = "!=" if found.group() == "!=" else "="
    return FieldRequirement(term[: found.start()], operator, _unescape(term[found.end() :]))


def _unescape(value: str) -> str:
    """Take the backslashes away; only a backslash, a comma and an equals sign may follow one, and must."""
    plain: list[str] = []
    letters = iter(value)
    for letter in letters:
        if letter == "\\":
            escaped = next(letters, "")
            if escaped not in ("\\", ",", "="):
                raise ValueError(f"invalid field selector: invalid escape sequence: \\{escaped}")
            letter = escaped
        elif letter in ",=":
            raise ValueError(f"invalid field selector: unescaped character in value: {ord(letter)}")
        plain.append(letter)
    return "".join(plain)
