import asyncio

from pilothouse.apiserver.admission.dynamic.breath import LONGEST, Breath
from pilothouse.runtime.clock import SystemClock


class Stepping(SystemClock):
    """Time that goes on when it is told to."""

    seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


def test_others_have_a_turn_when_it_has_been_long() -> None:
    async def story() -> None:
        clock, turns = Stepping(), list[str]()
        breath = Breath(clock)
        asyncio.get_running_loop().call_soon(turns.append, "other")
        await breath.take()
        assert turns == []
        clock.seconds += 2 * LONGEST
        await breath.take()
        assert turns == ["other"]
        asyncio.get_running_loop().call_soon(turns.append, "again")
        await breath.take()
        assert turns == ["other"]

    asyncio.run(story())
