"""Many timeouts by one timer, and as exact as each by its own."""

import asyncio

import pytest

from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.deadlines import Deadlines
from pilothouse.testing.loop import run


class _Counting(LoopClock):
    timers = 0

    def call_later(self, seconds, callback):  # type: ignore[no-untyped-def]
        self.timers += 1
        return super().call_later(seconds, callback)


def test_each_ends_on_its_own_second() -> None:
    async def story(clock: LoopClock, _chance: Chance) -> None:
        deadlines = Deadlines(clock, 10)
        ended: list[float] = []

        async def wait(begin: float) -> None:
            await clock.sleep(begin)
            with pytest.raises(TimeoutError), deadlines.begin():
                await asyncio.Event().wait()
            ended.append(round(clock.monotonic() - start, 6))
            await clock.sleep(0)  # nothing of the cancellation is left

        start = clock.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for begin in (0.0, 0.5, 7.0, 30.0):
                tasks.create_task(wait(begin))
        assert ended == [10.0, 10.5, 17.0, 40.0]

    run(story)


def test_what_ends_in_time_costs_no_timer() -> None:
    async def story(clock: LoopClock, _chance: Chance) -> None:
        counting = _Counting(0)
        deadlines = Deadlines(counting, 10)
        for _ in range(1000):
            with deadlines.begin():
                await clock.sleep(0)
        assert counting.timers == 1
        await clock.sleep(11)
        with deadlines.begin():
            await clock.sleep(9)
        assert counting.timers == 2

    run(story)


def test_a_cancellation_from_outside_stays_one() -> None:
    async def story(clock: LoopClock, _chance: Chance) -> None:
        deadlines = Deadlines(clock, 10)

        async def wait() -> None:
            with deadlines.begin():
                await asyncio.Event().wait()

        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(wait())
            await clock.sleep(1)
            task.cancel()
        assert task.cancelled()

        async def both() -> None:
            with deadlines.begin():
                try:
                    await asyncio.Event().wait()
                finally:
                    task_again.cancel()

        async with asyncio.TaskGroup() as tasks:
            task_again = tasks.create_task(both())
        assert task_again.cancelled(), "the deadline came first, but somebody wanted the whole task to end"

    run(story)
