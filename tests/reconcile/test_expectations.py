from collections.abc import Callable

import pytest

from pilothouse.client.key import Key
from pilothouse.reconcile.expectations import Expectations
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.loop import run

ME = Key("ns", "web")
A, B = Key("ns", "a"), Key("ns", "b")
Step = Callable[[Expectations], None]


@pytest.mark.parametrize(
    ("steps", "satisfied"),
    [
        ([], True),
        ([lambda e: e.expect_creations(ME, 2)], False),
        ([lambda e: e.expect_creations(ME, 2), lambda e: e.created(ME)], False),
        ([lambda e: e.expect_creations(ME, 2), lambda e: e.created(ME, 2)], True),
        ([lambda e: e.expect_creations(ME, 1), lambda e: e.created(ME), lambda e: e.created(ME)], True),
        ([lambda e: e.expect_deletions(ME, [A, B]), lambda e: e.deleted(ME, A), lambda e: e.deleted(ME, A)], False),
        ([lambda e: e.expect_deletions(ME, [A, B]), lambda e: e.deleted(ME, A), lambda e: e.deleted(ME, B)], True),
        ([lambda e: e.expect_creations(ME, 1), lambda e: e.forget(ME)], True),
        ([lambda e: e.expect_creations(A, 1)], True),
        ([lambda e: e.created(ME), lambda e: e.expect_creations(ME, 1)], False),
        ([lambda e: e.expect_creations(ME, 1), lambda e: e.expect_deletions(ME, [A]), lambda e: e.created(ME)], False),
    ],
)
def test_all_must_be_seen(steps: list[Step], satisfied: bool) -> None:
    async def main(clock: LoopClock, chance: Chance) -> bool:
        expectations = Expectations(clock)
        for step in steps:
            step(expectations)
        return expectations.satisfied(ME)

    assert run(main) is satisfied


def test_patience_ends_after_five_minutes() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        expectations = Expectations(clock)
        expectations.expect_creations(ME, 1)
        await clock.sleep(299)
        assert not expectations.satisfied(ME)
        await clock.sleep(expectations.patience(ME))
        assert expectations.satisfied(ME)
        assert expectations.patience(ME) == 0
        expectations.expect_creations(ME, 1)
        assert not expectations.satisfied(ME)

    run(main)
