"""Ranges of sizes and costs, for reckoning before anything runs. Nothing overflows: the largest number means "any".

Source: SizeEstimate and CostEstimate in checker/cost.go of google/cel-go.
"""

from dataclasses import dataclass
from math import ceil

MOST = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Range:
    """At least and at most."""

    low: int
    high: int

    def __add__(self, other: "Range") -> "Range":
        return Range(min(self.low + other.low, MOST), min(self.high + other.high, MOST))

    def __mul__(self, other: "Range") -> "Range":
        return Range(min(self.low * other.low, MOST), min(self.high * other.high, MOST))

    def __or__(self, other: "Range") -> "Range":
        """What covers both."""
        return Range(min(self.low, other.low), max(self.high, other.high))

    def scaled(self, factor: float) -> "Range":
        """Times a factor, rounded up."""
        return Range(_scaled(self.low, factor), _scaled(self.high, factor))


def _scaled(number: int, factor: float) -> int:
    product = float(number) * factor
    return MOST if product >= MOST else ceil(product)


def exactly(number: int) -> Range:
    """Just that."""
    return Range(number, number)


NOTHING = exactly(0)
ONE = exactly(1)
ANY = Range(0, MOST)
"""Nothing is known."""
EMPTY = Range(MOST, 0)
"""Where a union begins."""
