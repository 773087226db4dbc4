import asyncio

from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.hold import HoldsTime, hold
from pilothouse.testing.loop import run


def test_the_virtual_loop_holds_time_and_a_real_one_need_not() -> None:
    async def main(clock: LoopClock, chance: Chance) -> bool:
        return isinstance(asyncio.get_running_loop(), HoldsTime)

    async def real() -> bool:
        with hold("nothing"):
            return isinstance(asyncio.get_running_loop(), HoldsTime)

    assert run(main)
    assert not asyncio.run(real())
