import asyncio

from hypothesis import given
from hypothesis import strategies as st

from pilothouse.runtime.backoff import Growth
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.runtime.work_queue import WorkQueue
from pilothouse.testing.loop import run


def test_a_key_is_in_line_once_and_leaves_in_order() -> None:
    async def main(clock: LoopClock, chance: Chance) -> list[str]:
        queue: WorkQueue[str] = WorkQueue(clock)
        for key in ("b", "a", "b", "c", "a"):
            queue.add(key)
        assert queue.depth == 3
        return [await queue.get() for _ in range(3)]

    assert run(main) == ["b", "a", "c"]


def test_a_key_added_while_worked_on_comes_back_when_done() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        queue: WorkQueue[str] = WorkQueue(clock)
        queue.add("a")
        key = await queue.get()
        queue.add("a")
        assert queue.depth == 0
        queue.done(key)
        assert queue.depth == 1
        assert await queue.get() == "a"
        queue.done("a")
        assert queue.idle()

    run(main)


def test_later_means_the_earliest_wish() -> None:
    async def main(clock: LoopClock, chance: Chance) -> list[tuple[str, float]]:
        queue: WorkQueue[str] = WorkQueue(clock)
        queue.add_after("a", 10)
        queue.add_after("a", 3)
        queue.add_after("a", 7)
        queue.add_after("b", 5)
        queue.add_after("now", 0)
        return [(await queue.get(), clock.monotonic()) for _ in range(3)]

    assert run(main) == [("now", 0), ("a", 3), ("b", 5)]


def test_failures_wait_longer_until_forgotten() -> None:
    async def main(clock: LoopClock, chance: Chance) -> list[float]:
        queue: WorkQueue[str] = WorkQueue(clock, Growth(first=1, limit=3))
        times = []
        for _ in range(4):
            queue.add_rate_limited("a")
            queue.done(await queue.get())
            times.append(clock.monotonic())
        assert queue.retries("a") == 4
        queue.forget("a")
        queue.add_rate_limited("a")
        await queue.get()
        return [*times, clock.monotonic()]

    assert run(main) == [1, 3, 6, 9, 10]


def test_a_cancelled_worker_passes_its_turn_on() -> None:
    async def main(clock: LoopClock, chance: Chance) -> str:
        queue: WorkQueue[str] = WorkQueue(clock)
        async with Tasks() as tasks:
            first = tasks.spawn(queue.get(), name="first")
            second = tasks.spawn(queue.get(), name="second")
            await clock.sleep(1)
            queue.add("a")
            first.cancel()
            return await second

    assert run(main) == "a"


def test_close_drops_timers() -> None:
    async def main(clock: LoopClock, chance: Chance) -> int:
        queue: WorkQueue[str] = WorkQueue(clock)
        queue.add_after("a", 1)
        queue.close()
        await clock.sleep(5)
        return queue.depth

    assert run(main) == 0


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(0, 3)), max_size=40), st.integers(1, 4))
def test_no_key_is_lost_and_none_is_worked_on_twice_at_once(wishes: list[tuple[int, float]], workers: int) -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        queue: WorkQueue[int] = WorkQueue(clock)
        last_add: dict[int, float] = {}
        last_start: dict[int, float] = {}
        at_work: list[int] = []

        async def work() -> None:
            while True:
                key = await queue.get()
                assert key not in at_work
                at_work.append(key)
                last_start[key] = clock.monotonic()
                await clock.sleep(chance.uniform(0, 1))
                at_work.remove(key)
                queue.done(key)

        async with Tasks() as tasks:
            for number in range(workers):
                tasks.spawn(work(), name=f"worker {number}")
            for key, pause in wishes:
                await clock.sleep(pause)
                last_add[key] = clock.monotonic()
                queue.add(key)
            await clock.sleep(100)
            assert queue.idle()
        assert all(last_start[key] >= added for key, added in last_add.items())

    run(main)


def test_get_waits() -> None:
    async def main(clock: LoopClock, chance: Chance) -> float:
        queue: WorkQueue[str] = WorkQueue(clock)
        asyncio.get_running_loop().call_later(4, queue.add, "a")
        await queue.get()
        return clock.monotonic()

    assert run(main) == 4


def test_what_is_put_first_leaves_first() -> None:
    async def main(clock: LoopClock, chance: Chance) -> list[str]:
        queue: WorkQueue[str] = WorkQueue(clock)
        for key in "abc":
            queue.add(key)
        queue.add_first("c")
        queue.add_first("d")
        found = [await queue.get() for _ in range(4)]
        queue.add_first("a")
        assert queue.depth == 0
        queue.done("a")
        return [*found, await queue.get()]

    assert run(main) == ["d", "c", "a", "b", "a"]


def test_what_is_put_first_wakes_who_waits() -> None:
    async def main(clock: LoopClock, chance: Chance) -> str:
        queue: WorkQueue[str] = WorkQueue(clock)
        asyncio.get_running_loop().call_later(4, queue.add_first, "a")
        return await queue.get()

    assert run(main) == "a"
