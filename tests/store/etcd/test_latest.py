"""One question for the latest revision is under way at a time; nobody gets an answer from before their own."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.store.etcd.latest import LatestRevision
from pilothouse.store.interface import Unavailable
from pilothouse.testing.loop import run


class Etcd:
    """Answers a second after it was asked, with the revision when it was."""

    def __init__(self, clock: LoopClock) -> None:
        self._clock = clock
        self.revision = 1
        self.asked = 0
        self.fails = False

    async def ask(self) -> int:
        self.asked += 1
        found = self.revision
        await self._clock.sleep(1)
        if self.fails:
            raise Unavailable("etcdserver: no leader")
        return found


def story(body: Callable[[LatestRevision, Etcd, LoopClock], Awaitable[None]]) -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        etcd = Etcd(clock)
        async with Tasks() as tasks:
            await body(LatestRevision(etcd.ask, tasks), etcd, clock)

    run(main)


def test_who_comes_while_a_question_is_under_way_shares_the_next() -> None:
    async def body(latest: LatestRevision, etcd: Etcd, clock: LoopClock) -> None:
        async with asyncio.TaskGroup() as tasks:
            early = [tasks.create_task(latest.get()) for _ in range(3)]
            await clock.sleep(0.5)
            etcd.revision = 2
            late = [tasks.create_task(latest.get()) for _ in range(30)]
        assert {await each for each in early} == {1}
        assert {await each for each in late} == {2}, "the answer under way was older than they may be given"
        assert etcd.asked == 2
        assert await latest.get() == 2
        assert etcd.asked == 3

    story(body)


def test_a_failure_is_everybodys_and_the_next_question_is_asked() -> None:
    async def body(latest: LatestRevision, etcd: Etcd, clock: LoopClock) -> None:
        etcd.fails = True
        failed = await asyncio.gather(latest.get(), latest.get(), return_exceptions=True)
        assert [type(each) for each in failed] == [Unavailable] * 2
        etcd.fails = False
        assert await latest.get() == 1

    story(body)


def test_who_gives_up_takes_nothing_from_the_others() -> None:
    async def body(latest: LatestRevision, etcd: Etcd, clock: LoopClock) -> None:
        async with asyncio.TaskGroup() as tasks:
            first, second = tasks.create_task(latest.get()), tasks.create_task(latest.get())
            await clock.sleep(0.5)
            first.cancel()
        assert first.cancelled()
        assert await second == 1

    story(body)


def test_the_end_is_told_to_all() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        etcd = Etcd(clock)
        async with asyncio.TaskGroup() as waiting, Tasks() as tasks:
            latest = LatestRevision(etcd.ask, tasks)
            first = waiting.create_task(told(latest))
            await clock.sleep(0.5)
            second = waiting.create_task(told(latest))
            await clock.sleep(0.1)
        assert [await first, await second] == ["the store is closed"] * 2

    async def told(latest: LatestRevision) -> str:
        with pytest.raises(Unavailable) as refused:
            await latest.get()
        return str(refused.value)

    run(main)
