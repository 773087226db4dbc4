"""Decisions that are remembered: for their time, and no more of them than wanted."""

from pilothouse.kubelet.server.caller import Remembered
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing import loop


def test_a_decision_counts_for_its_time() -> None:
    async def main(clock: LoopClock, _: object) -> None:
        known: Remembered[str, int] = Remembered(clock)
        known.put("short", 1, 10)
        known.put("long", 2, 20)
        await clock.sleep(9.9)
        assert (known.get("short"), known.get("long")) == (1, 2)
        await clock.sleep(0.2)
        assert (known.get("short"), known.get("long")) == (None, 2)
        known.put("short", 3, 10)
        assert known.get("short") == 3

    loop.run(main)


def test_what_was_not_asked_for_the_longest_goes_first() -> None:
    async def main(clock: LoopClock, _: object) -> None:
        known: Remembered[str, int] = Remembered(clock, most=2)
        known.put("a", 1, 10)
        known.put("b", 2, 10)
        known.get("a")
        known.put("c", 3, 10)
        assert [known.get(name) for name in "abc"] == [1, None, 3]

    loop.run(main)
