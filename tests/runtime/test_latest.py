import asyncio

from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.latest import Latest
from pilothouse.testing.loop import run


def test_only_the_newest_is_read() -> None:
    async def main(clock: LoopClock, chance: Chance) -> list[int]:
        inbox: Latest[int] = Latest()
        assert not inbox
        inbox.put(1)
        inbox.put(2)
        first = await inbox.get()
        asyncio.get_running_loop().call_later(3, inbox.put, 3)
        second = await inbox.get()
        return [first, second, int(clock.monotonic())]

    assert run(main) == [2, 3, 3]


def test_take_never_waits() -> None:
    async def main(clock: LoopClock, chance: Chance) -> tuple[str | None, str | None]:
        inbox: Latest[str] = Latest()
        inbox.put("a")
        return inbox.take(), inbox.take()

    assert run(main) == ("a", None)
