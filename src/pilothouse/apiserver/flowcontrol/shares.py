"""How the server's seats are divided among priority levels: by their shares, and again by what they ask for.

Nominal limits follow from the shares. Every ten seconds limits are adjusted between bounds: a level lends what it does
not need, up to its lendable part, and borrows up to its own limit. Pure. Source: KEP-1040, "Dispatching" and
"Borrowing"; apiserver/pkg/util/flowcontrol/{apf_controller,conc_alloc}.go.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pilothouse.api.machinery.view import JsonObject

_LEAST_TARGET = 0.001
_MOST_SEATS_PERCENT = 0.15
_MOST_SEATS = 10


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits of one level, in seats."""

    nominal: int
    least: int
    most: int
    list_seats: int
    """How many seats one request may take."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a level may have, and would have, when seats are given out."""

    least: float
    most: float
    target: float


def bounds_of(levels: Sequence[JsonObject], seats: int) -> list[Bounds]:
    """The limits of PriorityLevelConfiguration objects on a server of so many seats."""
    parts = [_part(level) for level in levels]
    shares = [share for share, _, _ in parts]
    total = sum(shares)
    found = []
    for level, (share, lendable, borrowing) in zip(levels, parts, strict=True):
        nominal = math.ceil(seats * share / total) if total else 0
        most = nominal + (seats if borrowing is None else _rounded(nominal * borrowing / 100))
        found.append(Bounds(nominal, nominal - _rounded(nominal * lendable / 100), most, _list_seats(level, nominal)))
    return found


def allocate(total: int, wishes: Sequence[Wish]) -> list[float]:
    """Give out `total` seats: in proportion to the targets, but for those whom their bounds hold back.

    Raises ValueError where the bounds leave no room for that.
    """
    if not sum(wish.least for wish in wishes) <= total <= sum(wish.most for wish in wishes):
        raise ValueError(f"{total} seats fit no bounds")
    targets = [max(wish.target, _LEAST_TARGET) for wish in wishes]

    def given(proportion: float) -> list[float]:
        pairs = zip(wishes, targets, strict=True)
        return [min(max(proportion * target, wish.least), wish.most) for wish, target in pairs]

    corners = sorted(
        {bound / target for wish, target in zip(wishes, targets, strict=True) for bound in (wish.least, wish.most)}
    )
    low, below = 0.0, sum(given(0.0))
    for high in corners:
        above = sum(given(high))
        if above >= total:
            # Between two corners the sum grows evenly.
            part = (total - below) / (above - below) if above > below else 0.0
            return given(low + part * (high - low))
        low, below = high, above
    return given(low)


def _part(level: JsonObject) -> tuple[int, int, int | None]:
    """Shares, lendable percent and the borrowing limit's percent of a level."""
    spec = level["spec"]
    if spec["type"] == "Exempt":
        exempt = spec.get("exempt") or {}
        return exempt.get("nominalConcurrencyShares") or 0, exempt.get("lendablePercent") or 0, None
    limited = spec["limited"]
    shares = limited.get("nominalConcurrencyShares")
    return 30 if shares is None else shares, limited.get("lendablePercent") or 0, limited.get("borrowingLimitPercent")


def _list_seats(level: JsonObject, nominal: int) -> int:
    queuing = ((level["spec"].get("limited") or {}).get("limitResponse") or {}).get("queuing")
    if not queuing:
        return _MOST_SEATS
    hand: int = queuing["handSize"]
    return min(_MOST_SEATS, max(1, min(math.ceil(nominal * _MOST_SEATS_PERCENT), nominal // hand)))


def _rounded(number: float) -> int:
    """To the nearest whole number, halves away from zero."""
    return math.floor(number + 0.5)
