"""Rules for one text that most kinds need: by the rule of its field, or one word of an enumeration.

They join what is wrong (`names`) with the field it is wrong with.
"""

from collections.abc import Callable, Iterable
from typing import Any

from pilothouse.api.machinery.field import FieldErrors


def validate_text(text: str, rule: Callable[[str], list[str]], errors: FieldErrors, path: str) -> None:
    """Say all that `rule` finds wrong."""
    for wrong in rule(text):
        errors.invalid(path, text, wrong)


def validate_required_text(text: str | None, rule: Callable[[str], list[str]], errors: FieldErrors, path: str) -> None:
    """It must be there, and satisfy `rule`."""
    if not text:
        errors.required(path)
    else:
        validate_text(text, rule, errors, path)


def validate_choice(value: Any, choices: Iterable[str], errors: FieldErrors, path: str) -> None:
    """One of the words of an enumeration; nothing is none of them."""
    allowed = tuple(choices)
    if value not in allowed:
        errors.not_supported(path, "" if value is None else value, allowed)
