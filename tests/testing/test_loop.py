import asyncio
import subprocess
import sys
import threading
import time

import pytest

from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.hold import hold
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.loop import EPOCH, Deadlock, run


def test_a_day_passes_in_no_time() -> None:
    async def main(clock: LoopClock, chance: Chance) -> tuple[float, float]:
        before = clock.now()
        await clock.sleep(86_400)
        return before, clock.now()

    began = time.perf_counter()
    before, after = run(main)
    assert before == pytest.approx(EPOCH)
    assert after - before == pytest.approx(86_400)
    assert time.perf_counter() - began < 5


def test_timers_fire_in_order_at_their_exact_time() -> None:
    async def main(clock: LoopClock, chance: Chance) -> list[float]:
        seen: list[float] = []
        for delay in (3.0, 0.1, 200_000.3, 7.7):
            clock.call_later(delay, lambda: seen.append(clock.monotonic()))
        await clock.sleep(200_001)
        return seen

    assert run(main) == [0.1, 3.0, 7.7, 200_000.3]


def test_a_timeout_is_virtual() -> None:
    async def main(clock: LoopClock, chance: Chance) -> float:
        with pytest.raises(TimeoutError):
            async with clock.timeout(30):
                await asyncio.Event().wait()
        return clock.monotonic()

    assert run(main) == 30


def test_time_stands_still_while_a_thread_works() -> None:
    async def main(clock: LoopClock, chance: Chance) -> list[str]:
        order: list[str] = []
        clock.call_later(1, lambda: order.append("timer"))
        release = threading.Event()
        work = asyncio.get_running_loop().run_in_executor(None, release.wait, 5)
        threading.Timer(0.05, release.set).start()
        await work
        order.append("thread")
        await clock.sleep(2)
        return order

    assert run(main) == ["thread", "timer"]


def test_time_stands_still_while_a_subprocess_runs() -> None:
    async def main(clock: LoopClock, chance: Chance) -> float:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "import time; time.sleep(0.05)", stdin=subprocess.DEVNULL
        )
        async with clock.timeout(1):
            assert await child.wait() == 0
        held = clock.monotonic()
        await clock.sleep(1)
        assert clock.monotonic() == held + 1
        return held

    assert run(main) == 0


def test_a_subprocess_sees_the_end_of_its_input() -> None:
    async def main(clock: LoopClock, chance: Chance) -> bytes:
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec("cat", stdin=pipe, stdout=pipe)
        return (await child.communicate(b"all there is"))[0]

    assert run(main, patience=5) == b"all there is"


def test_time_stands_still_while_a_socket_is_open() -> None:
    async def main(clock: LoopClock, chance: Chance) -> float:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readline())
            await writer.drain()
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            await clock.sleep(10)  # a listening socket alone holds nothing
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
            writer.write(b"hello\n")
            async with clock.timeout(1):
                assert await reader.read() == b"hello\n"
            writer.close()
            await writer.wait_closed()
        return clock.monotonic()

    assert run(main) == 10


def test_an_explicit_hold_waits_for_a_thread() -> None:
    async def main(clock: LoopClock, chance: Chance) -> float:
        loop = asyncio.get_running_loop()
        done = asyncio.Event()
        threading.Timer(0.05, lambda: loop.call_soon_threadsafe(done.set)).start()
        async with clock.timeout(1):
            with hold("a thread of our own"):
                await done.wait()
        return clock.monotonic()

    assert run(main) == 0


def test_hold_does_nothing_on_a_real_loop() -> None:
    async def main() -> None:
        with hold("nothing"):
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)

    asyncio.run(main())


def test_waiting_for_ever_is_a_deadlock() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock, match=r"everybody waits: .*whole"):
        run(main)


def test_a_hold_that_never_ends_is_named() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        with hold("the moon"):
            await asyncio.Event().wait()

    with pytest.raises(Deadlock, match="held too long by the moon"):
        run(main, patience=0.05)


def test_a_task_that_outlives_main_is_an_error() -> None:
    strays: list[asyncio.Task[None]] = []

    async def main(clock: LoopClock, chance: Chance) -> None:
        strays.append(asyncio.get_running_loop().create_task(clock.sleep(5), name="stray"))

    with pytest.raises(RuntimeError, match="outlived their owner: stray"):
        run(main)


def _story(seed: int) -> list[tuple[float, int]]:
    async def main(clock: LoopClock, chance: Chance) -> list[tuple[float, int]]:
        story: list[tuple[float, int]] = []

        async def walker(number: int) -> None:
            for _ in range(20):
                await clock.sleep(chance.uniform(0, 2))
                story.append((clock.monotonic(), number))

        async with Tasks() as tasks:
            walkers = [tasks.spawn(walker(number), name=f"walker {number}") for number in range(5)]
            for task in walkers:
                await task
        return story

    return run(main, seed=seed)


def test_a_seed_replays_everything() -> None:
    assert _story(7) == _story(7)
    assert _story(7) != _story(8)
