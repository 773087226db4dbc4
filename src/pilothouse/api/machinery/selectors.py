"""Selectors: which labels, or which fields, an object must have.

A label selector comes as text (`app=web,tier in (a, b),!old`), as a metav1.LabelSelector, or as a plain map of labels;
a field selector comes as text (`spec.nodeName=n1,status.phase!=Running`). Both become immutable values that are parsed
once and asked often, so the common case, equality, is two dictionary look-ups, and what somebody makes of ten thousand
terms costs each object no more than its own labels do. Source: "Labels and Selectors" and "Field Selectors" of the
documentation; the errors are those of apimachinery/pkg/labels (`label_requirements.py`) and pkg/fields.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pilothouse.api.machinery.label_requirements import (
    Requirement,
    is_integer,
    parse_requirements,
    requirement,
)
from pilothouse.api.machinery.view import View
from pilothouse.runtime.short_memo import short_memo

_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


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
            if (bounds := self.bounds.get(key)) and not (is_integer(value) and bounds[0] < int(value) < bounds[1]):
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


@short_memo(1024)
def parse_label_selector(text: str) -> LabelSelector:
    """Read the text of a label selector, as `?labelSelector=` has it. Raises ValueError in upstream's words."""
    return LabelSelector(parse_requirements(text)) if text else EVERYTHING


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
