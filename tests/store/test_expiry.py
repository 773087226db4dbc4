from collections.abc import Callable, Coroutine

from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.expiry import Expiry
from pilothouse.store.interface import Record
from pilothouse.testing.loop import run


def story(body: Callable[[LoopClock, Expiry, list[tuple[str, float]]], Coroutine[None, None, None]]) -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        begin, gone = clock.now(), list[tuple[str, float]]()
        expiry = Expiry(clock, lambda key, revision: gone.append((f"{key}@{revision}", clock.now() - begin)))
        await body(clock, expiry, gone)

    run(main)


def test_each_goes_when_it_is_due_in_whatever_order_they_came() -> None:
    async def body(clock: LoopClock, expiry: Expiry, gone: list[tuple[str, float]]) -> None:
        for revision, ttl in enumerate((30.0, 10.0, 20.0, None), 1):
            expiry.add(Record("k", b"", revision, revision, expiry.when(ttl)))
        await clock.sleep(9.9)
        assert gone == []
        await clock.sleep(90)
        assert gone == [("k@2", 10.0), ("k@3", 20.0), ("k@1", 30.0)]

    story(body)


def test_many_of_one_moment_go_in_turns() -> None:
    async def body(clock: LoopClock, expiry: Expiry, gone: list[tuple[str, float]]) -> None:
        expiry.add_all(Record(f"{n}", b"", n + 1, n + 1, expiry.when(5)) for n in range(250))
        await clock.sleep(5.0)
        await clock.sleep(0.1)
        assert len(gone) == 250

    story(body)


def test_nothing_goes_after_the_end() -> None:
    async def body(clock: LoopClock, expiry: Expiry, gone: list[tuple[str, float]]) -> None:
        expiry.add(Record("k", b"", 1, 1, expiry.when(5)))
        expiry.close()
        await clock.sleep(10)
        assert gone == []

    story(body)
