from collections.abc import Awaitable, Callable

from pilothouse.net.deadline import Deadline
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.loop import run

Story = Callable[[LoopClock, Deadline, list[float]], Awaitable[None]]


def _tell(story: Story) -> list[float]:
    """What time it was when the deadline was missed."""
    missed: list[float] = []

    async def main(clock: LoopClock, _chance: Chance) -> None:
        deadline = Deadline(clock, lambda: missed.append(clock.monotonic()))
        await story(clock, deadline, missed)

    run(main)
    return missed


def test_a_deadline_comes_once() -> None:
    async def story(clock: LoopClock, deadline: Deadline, missed: list[float]) -> None:
        deadline.set(5.0)
        await clock.sleep(4.9)
        assert missed == []
        await clock.sleep(100.0)

    assert _tell(story) == [5.0]


def test_the_last_word_counts() -> None:
    async def story(clock: LoopClock, deadline: Deadline, missed: list[float]) -> None:
        deadline.set(5.0)
        await clock.sleep(3.0)
        deadline.set(5.0)
        await clock.sleep(3.0)
        assert missed == [], "it was put off"
        deadline.set(90.0)
        deadline.set(1.0)
        await clock.sleep(100.0)

    assert _tell(story) == [7.0]


def test_putting_off_costs_no_timer() -> None:
    class Counting(LoopClock):
        timers = 0

        def call_later(self, seconds: float, callback: Callable[[], object]):  # type: ignore[no-untyped-def]
            self.timers += 1
            return super().call_later(seconds, callback)

    async def main(_clock: LoopClock, _chance: Chance) -> None:
        clock = Counting(0.0)
        deadline = Deadline(clock, lambda: None)
        for _ in range(100):
            deadline.set(90.0)
            deadline.lift()
        assert clock.timers == 1
        deadline.end()

    run(main)


def test_what_is_lifted_does_not_come_until_it_is_set_again() -> None:
    async def story(clock: LoopClock, deadline: Deadline, missed: list[float]) -> None:
        deadline.set(5.0)
        deadline.lift()
        await clock.sleep(10.0)
        assert missed == []
        deadline.set(5.0)
        await clock.sleep(10.0)

    assert _tell(story) == [15.0]


def test_whoever_misses_one_may_set_the_next() -> None:
    async def main(clock: LoopClock, _chance: Chance) -> None:
        missed: list[float] = []

        def again() -> None:
            missed.append(clock.monotonic())
            deadline.set(2.0)

        deadline = Deadline(clock, again)
        deadline.set(1.0)
        await clock.sleep(6.0)
        deadline.end()
        await clock.sleep(6.0)
        assert missed == [1.0, 3.0, 5.0]

    run(main)


def test_after_the_end_there_is_none() -> None:
    async def story(clock: LoopClock, deadline: Deadline, missed: list[float]) -> None:
        deadline.set(5.0)
        deadline.end()
        deadline.set(1.0)
        await clock.sleep(10.0)

    assert _tell(story) == []
