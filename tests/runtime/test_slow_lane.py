"""The slow lane: the loop runs on, one at a time, and nothing is left over."""

import asyncio
import threading

import pytest

from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.slow_lane import SlowLane
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.loop import run


def test_the_loop_runs_on_while_work_is_done_one_by_one() -> None:
    """Each piece of work waits for the loop, which could not let it go on if it were held by it."""
    here = threading.get_ident()
    at_work = most = 0
    released = threading.Event()

    def work() -> int:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        assert released.wait(30)
        at_work -= 1
        return threading.get_ident()

    async def main(clock: LoopClock, _chance: Chance) -> None:
        async with Tasks() as tasks, SlowLane() as lane:
            waiting = [tasks.spawn(lane.run(work), name="work") for _ in range(5)]
            while not at_work:
                await clock.sleep(0)
            released.set()
            threads = {await one for one in waiting}
            assert len(threads) == 1
            assert here not in threads
            assert most == 1

    run(main)


def test_what_fails_there_fails_here() -> None:
    def work() -> int:
        raise ValueError("no")

    async def main(_clock: LoopClock, _chance: Chance) -> None:
        async with SlowLane() as lane:
            with pytest.raises(ValueError, match="no"):
                await lane.run(work)

    run(main)


def test_work_that_nobody_waits_for_any_more_is_not_begun() -> None:
    begun: list[str] = []
    released = threading.Event()

    def first() -> None:
        begun.append("first")
        assert released.wait(30)

    async def main(clock: LoopClock, _chance: Chance) -> None:
        async with Tasks() as tasks, SlowLane() as lane:
            running = tasks.spawn(lane.run(first), name="first")
            while not begun:
                await clock.sleep(0)
            left = tasks.spawn(lane.run(lambda: begun.append("second")), name="second")
            await clock.sleep(0)
            left.cancel()
            await asyncio.wait([left])
            released.set()
            await running
            await lane.run(lambda: begun.append("third"))
        assert begun == ["first", "third"]

    run(main)


def test_no_thread_without_work_and_none_after_it() -> None:
    async def main(_clock: LoopClock, _chance: Chance) -> None:
        before = threading.active_count()
        async with SlowLane() as lane:
            assert threading.active_count() == before
            await lane.run(lambda: None)
            assert _named() == 1
        assert _named() == 0

    run(main)


def _named() -> int:
    return sum(thread.name.startswith("slow lane") for thread in threading.enumerate())
