"""How seats are divided: upstream's numbers for what every cluster begins with, and any wishes within bounds."""

from typing import Any

import pytest

from pilothouse.apiserver.flowcontrol.bootstrap import MANDATORY_LEVELS, SUGGESTED_LEVELS
from pilothouse.apiserver.flowcontrol.shares import Wish, allocate, bounds_of
from pilothouse.runtime.chance import Chance


def test_bounds_of_what_a_cluster_begins_with() -> None:
    """The nominal limits are those that the documentation's example of a server with 600 seats shows."""
    levels = (*MANDATORY_LEVELS, *SUGGESTED_LEVELS)
    found = {
        level["metadata"]["name"]: (bounds.nominal, bounds.least, bounds.most, bounds.list_seats)
        for level, bounds in zip(levels, bounds_of(levels, 600), strict=True)
    }
    assert found == {
        "catch-all": (13, 13, 613, 10),
        "exempt": (0, 0, 600, 10),
        "system": (74, 50, 674, 10),
        "node-high": (98, 73, 698, 10),
        "leader-election": (25, 25, 625, 4),
        "workload-high": (98, 49, 698, 10),
        "workload-low": (245, 24, 845, 10),
        "global-default": (49, 24, 649, 8),
    }


def test_what_may_be_borrowed_may_be_limited() -> None:
    def level(**more: Any) -> dict[str, Any]:
        return {"spec": {"type": "Limited", "limited": {"limitResponse": {"type": "Reject"}, **more}}}

    first, second = bounds_of(
        [level(nominalConcurrencyShares=10, borrowingLimitPercent=50), level(nominalConcurrencyShares=0)], 100
    )
    assert (first.nominal, first.most) == (100, 150)
    assert (second.nominal, second.most) == (0, 100)


def test_seats_follow_targets_within_bounds() -> None:
    wishes = [Wish(10, 100, 80), Wish(5, 10, 40), Wish(50, 100, 50)]
    first, second, third = allocate(100, wishes)
    assert (second, third) == (10, 50)
    assert first == pytest.approx(40)


def test_what_fits_no_bounds() -> None:
    with pytest.raises(ValueError, match="fit no bounds"):
        allocate(1, [Wish(2, 3, 2)])
    with pytest.raises(ValueError, match="fit no bounds"):
        allocate(9, [Wish(2, 3, 2)])


@pytest.mark.parametrize("seed", range(100))
def test_every_allocation_is_the_one(seed: int) -> None:
    """It sums up, keeps all bounds, and is proportional to the targets where no bound holds."""
    chance = Chance(seed)
    wishes = []
    for _ in range(1 + chance.below(8)):
        least = chance.below(100)
        wishes.append(Wish(least, least + chance.below(100), max(least, chance.uniform(0, 300) * chance.below(2))))
    low, high = sum(wish.least for wish in wishes), sum(wish.most for wish in wishes)
    total = int(low + (high - low) * chance.choice((0.0, chance.uniform(0, 1), 1.0)))
    found = allocate(total, wishes)
    assert sum(found) == pytest.approx(total, abs=1e-6)
    proportions = []
    for wish, seats in zip(wishes, found, strict=True):
        assert wish.least - 1e-9 <= seats <= wish.most + 1e-9
        if wish.least + 1e-6 < seats < wish.most - 1e-6:
            proportions.append(seats / max(wish.target, 0.001))
    assert all(one == pytest.approx(proportions[0], rel=1e-6) for one in proportions)
