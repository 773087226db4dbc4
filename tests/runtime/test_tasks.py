import asyncio

import pytest

from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.loop import run


def test_leaving_stops_what_still_runs_and_waits_for_it() -> None:
    ended: list[str] = []

    async def background(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    async def main(clock: LoopClock, chance: Chance) -> None:
        async with Tasks() as tasks:
            for name in ("a", "b", "c"):
                tasks.spawn(background(name), name=name)
            await clock.sleep(1)

    run(main)
    assert ended == ["a", "b", "c"]


def test_a_failure_stops_the_others_and_the_body() -> None:
    async def fails() -> None:
        raise ValueError("broken")

    async def main(clock: LoopClock, chance: Chance) -> None:
        async with Tasks() as tasks:
            tasks.spawn(clock.sleep(1000), name="other")
            tasks.spawn(fails(), name="fails")
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as caught:
        run(main)
    assert [str(error) for error in caught.value.exceptions] == ["broken"]


def test_one_task_can_be_cancelled_alone_and_results_awaited() -> None:
    async def answer() -> int:
        return 42

    async def main(clock: LoopClock, chance: Chance) -> int:
        async with Tasks() as tasks:
            lonely = tasks.spawn(clock.sleep(1000), name="lonely")
            lonely.cancel()
            await clock.sleep(1)
            assert lonely.cancelled()
            return await tasks.spawn(answer(), name="answer")

    assert run(main) == 42
