"""Field errors: what is wrong with one field of an object, worded as upstream words it.

Source: apimachinery/pkg/util/validation/field/errors.go. Clients and tests match on these texts.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any


class FieldErrorKind(Enum):
    """The kind of a field error: the cause's reason on the wire, and the words in the message."""

    NOT_FOUND = ("FieldValueNotFound", "Not found")
    REQUIRED = ("FieldValueRequired", "Required value")
    DUPLICATE = ("FieldValueDuplicate", "Duplicate value")
    INVALID = ("FieldValueInvalid", "Invalid value")
    NOT_SUPPORTED = ("FieldValueNotSupported", "Unsupported value")
    FORBIDDEN = ("FieldValueForbidden", "Forbidden")
    TOO_LONG = ("FieldValueTooLong", "Too long")
    TOO_MANY = ("FieldValueTooMany", "Too many")
    INTERNAL = ("InternalError", "Internal error")
    TYPE_INVALID = ("FieldValueTypeInvalid", "Invalid value")

    @property
    def reason(self) -> str:
        """The cause's reason, such as FieldValueRequired."""
        return self.value[0]

    @property
    def words(self) -> str:
        """How messages say it, such as `Required value`."""
        return self.value[1]


OMITTED = object()
"""The value of an error whose message shall show none: it is about the whole of something large."""

_WITHOUT_VALUE = frozenset({FieldErrorKind.REQUIRED, FieldErrorKind.FORBIDDEN, FieldErrorKind.TOO_LONG,
                            FieldErrorKind.INTERNAL})  # fmt: skip


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with the field at `path`."""

    kind: FieldErrorKind
    path: str
    value: Any = None
    detail: str = ""

    def body(self) -> str:
        """The message without the path."""
        text = self.kind.words
        if self.kind not in _WITHOUT_VALUE and self.value is not OMITTED:
            text = f"{text}: {quote(self.value)}"
        return f"{text}: {self.detail}" if self.detail else text

    def __str__(self) -> str:
        return f"{self.path or '<nil>'}: {self.body()}"


def quote(value: Any) -> str:
    """A value as messages show it: strings quoted, null as Go prints it, the rest as JSON."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


Fields = Mapping[str, Any]
"""The fields of a Go struct by their Go names: the zero value of each, or the fields of a struct it points to."""


def as_go_shows(obj: Mapping[str, Any], fields: Fields) -> dict[str, Any]:
    """An object as messages show a struct of upstream's internal types, which have no json tags: all its fields."""
    shown: dict[str, Any] = {}
    for name, zero in fields.items():
        value = obj.get(_wire_name(name))
        if isinstance(zero, Mapping):
            shown[name] = None if value is None else as_go_shows(value, zero)
        else:
            shown[name] = zero if value is None else value
    return shown


@cache
def _wire_name(name: str) -> str:
    return re.sub(r"^[A-Z]+(?=[A-Z][a-z])|^[A-Z]+", lambda found: found.group().lower(), name)


class FieldErrors(list[FieldError]):
    """Collects the errors of one object, in the order of the checks."""

    def not_found(self, path: str, value: Any) -> None:
        """The field refers to something that is not there."""
        self.append(FieldError(FieldErrorKind.NOT_FOUND, path, value))

    def required(self, path: str, detail: str = "") -> None:
        """The field must be set."""
        self.append(FieldError(FieldErrorKind.REQUIRED, path, None, detail))

    def duplicate(self, path: str, value: Any) -> None:
        """The value must be unique and is not."""
        self.append(FieldError(FieldErrorKind.DUPLICATE, path, value))

    def invalid(self, path: str, value: Any, detail: str) -> None:
        """The value breaks a rule."""
        self.append(FieldError(FieldErrorKind.INVALID, path, value, detail))

    def not_supported(self, path: str, value: Any, supported: Iterable[str]) -> None:
        """The value is none of an enumeration."""
        allowed = ", ".join(quote(option) for option in supported)
        detail = f"supported values: {allowed}" if allowed else ""
        self.append(FieldError(FieldErrorKind.NOT_SUPPORTED, path, value, detail))

    def forbidden(self, path: str, detail: str) -> None:
        """The field may not be set here, or not be changed."""
        self.append(FieldError(FieldErrorKind.FORBIDDEN, path, None, detail))

    def too_long(self, path: str, limit: int) -> None:
        """The text has more bytes than allowed."""
        unit = "byte" if limit == 1 else "bytes"
        detail = f"may not be more than {limit} {unit}" if limit >= 0 else "value is too long"
        self.append(FieldError(FieldErrorKind.TOO_LONG, path, None, detail))

    def too_many(self, path: str, count: int, limit: int) -> None:
        """The list has more items than allowed."""
        unit = "item" if limit == 1 else "items"
        self.append(FieldError(FieldErrorKind.TOO_MANY, path, count, f"must have at most {limit} {unit}"))

    def type_invalid(self, path: str, value: Any, detail: str) -> None:
        """The value has the wrong type."""
        self.append(FieldError(FieldErrorKind.TYPE_INVALID, path, value, detail))


def at(path: str, name: str) -> str:
    """The path of the field `name` below `path`."""
    return f"{path}.{name}" if path else name


def index(path: str, position: int | str) -> str:
    """The path of one item of a list (a position) or of a map (a key)."""
    return f"{path}[{position}]"
