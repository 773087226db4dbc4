"""Sets of completion indexes as Jobs write them: `0-3,5,7-9`, ascending and below the number of completions.

Source of the facts: pkg/apis/batch/validation/validation.go (validateIndexesFormat, parseIndexInterval,
validateFailedIndexesNotOverlapCompleted).
"""

import re
from collections.abc import Iterator

from pilothouse.api.machinery.whole_numbers import int_or

_NUMBER = re.compile(r"[+-]?[0-9]+")


def count_indexes(text: str, completions: int) -> int:
    """How many indexes there are. Raises ValueError, in upstream's words, where the text is no such set."""
    total, last = 0, None
    for part in text.split(",") if text else ():
        first, end = _interval(part, completions)
        if last is not None and last >= first:
            raise ValueError(_not_ascending(last, first))
        total, last = total + end - first + 1, end
    return total


def first_in_both(completed: str, failed: str, completions: int) -> int | None:
    """The lowest index that two sets share; intervals that cannot be read are passed over."""
    theirs = list(_readable(failed, completions))
    for first, end in _readable(completed, completions):
        shared = [max(first, low) for low, high in theirs if first <= high and low <= end]
        if shared:
            return min(shared)
    return None


def _readable(text: str, completions: int) -> Iterator[tuple[int, int]]:
    for part in text.split(",") if text else ():
        try:
            yield _interval(part, completions)
        except ValueError:
            continue


def _interval(part: str, completions: int) -> tuple[int, int]:
    ends = part.split("-")
    if len(ends) > 2:
        why = "violates the requirement that an index interval can have at most two parts separated by '-'"
        raise ValueError(f'the fragment "{part}" {why}')
    numbers = [_index(end, completions) for end in ends]
    if len(numbers) == 2 and numbers[0] >= numbers[1]:
        raise ValueError(_not_ascending(*numbers))
    return numbers[0], numbers[-1]


def _index(text: str, completions: int) -> int:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f'cannot convert string to integer for index: "{text}"')
    number = int_or(completions, text)
    if number >= completions:
        raise ValueError(f'too large index: "{text}"')
    return number


def _not_ascending(previous: int, current: int) -> str:
    return f"non-increasing order, previous: {previous}, current: {current}"
