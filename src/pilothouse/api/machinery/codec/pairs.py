"""Objects of a JSON text that repeats keys. Plain dicts keep the last value alone; strict readers ask for the rest."""

from typing import Any


class Pairs(dict[str, Any]):
    """An object in whose document some key occurs twice. The dict holds the last value of each key."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs
