"""short_memo: remembers answers to short questions, and only to those.

`lru_cache` counts entries, whatever they weigh. Where strangers choose the text, two thousand of a hundred kilobytes
would fill the memory; what comes again and again is short.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

LONGEST = 1024


def short_memo(
    maxsize: int, longest: int = LONGEST
) -> Callable[[Callable[Concatenate[str, P], R]], Callable[Concatenate[str, P], R]]:
    """Remember up to `maxsize` results of a function of a text, where the text has at most `longest` letters."""

    def decorate(function: Callable[Concatenate[str, P], R]) -> Callable[Concatenate[str, P], R]:
        remembered = lru_cache(maxsize)(function)

        @wraps(function)
        def ask(text: str, /, *rest: P.args, **named: P.kwargs) -> R:
            if len(text) > longest:
                return function(text, *rest, **named)
            return remembered(text, *rest, **named)  # type: ignore[arg-type]

        return ask

    return decorate
