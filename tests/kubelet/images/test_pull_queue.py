"""Pulls in their order, and pulls for several at a time."""

import asyncio
from collections.abc import Callable, Coroutine

import pytest

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri.interface import CriError
from pilothouse.kubelet.images.pull_queue import Pulled, PullQueue
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.rate_limit import TokenBucket
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing import loop
from pilothouse.testing.fake_cri import FakeCri


class Line:
    """A queue, and pulls that end in some order, each at some time."""

    def __init__(self, clock: Clock, tasks: Tasks, at_once: int | None, pace: TokenBucket | None) -> None:
        self.clock = clock
        self.cri = FakeCri(clock, present={}, absent={"none:1"}, pull_seconds=10.0)
        self.queue = PullQueue(self.cri, clock, at_once, pace)
        self.ended: list[tuple[str, float]] = []
        self._tasks = tasks
        self._began = clock.monotonic()

    def pull(self, who: str, image: str, auth: JsonObject | None = None) -> asyncio.Task[None]:
        async def pull() -> None:
            try:
                found = await self.queue.pull(image, auth, {})
                assert found == Pulled(f"sha256:{image}", 10.0)
            except CriError:
                who_failed = f"{who} failed"
            else:
                who_failed = who
            self.ended.append((who_failed, self.clock.monotonic() - self._began))

        return self._tasks.spawn(pull(), name=who)


def run(
    story: Callable[[Line], Coroutine[None, None, None]], at_once: int | None = None, pace: tuple[float, int] = (0, 0)
) -> None:
    async def main(clock: Clock, _: Chance) -> None:
        async with Tasks() as tasks:
            await story(Line(clock, tasks, at_once, TokenBucket(*pace, clock) if pace[0] else None))

    loop.run(main)


@pytest.mark.parametrize(("at_once", "ends"), [(None, [10, 10, 10, 10]), (1, [10, 20, 30, 40]), (3, [10, 10, 10, 20])])
def test_so_many_at_once_in_the_order_in_which_they_came(at_once: int | None, ends: list[float]) -> None:
    async def story(line: Line) -> None:
        names = ["d", "b", "c", "a"]
        for name in names:
            line.pull(name, f"{name}:1")
        await line.clock.sleep(50)
        assert dict(line.ended) == dict(zip(names, ends, strict=True))

    run(story, at_once)


def test_the_same_pull_is_made_once() -> None:
    async def story(line: Line) -> None:
        line.pull("first", "a:1", {"username": "u"})
        await line.clock.sleep(9)
        line.pull("second", "a:1", {"username": "u"})
        line.pull("another's", "a:1", {"username": "v"})
        line.pull("nobody's", "a:1")
        await line.clock.sleep(20)
        assert line.ended == [("first", 10), ("second", 10), ("another's", 19), ("nobody's", 19)]
        line.pull("later", "a:1", {"username": "u"})
        await line.clock.sleep(11)
        assert line.cri.calls == ["pull_image a:1"] * 4

    run(story)


def test_what_fails_fails_for_all_that_wait() -> None:
    async def story(line: Line) -> None:
        line.pull("first", "none:1")
        line.pull("second", "none:1")
        await line.clock.sleep(11)
        assert line.ended == [("first failed", 10), ("second failed", 10)]
        line.cri.absent.clear()
        line.pull("third", "none:1")
        await line.clock.sleep(11)
        assert line.ended[2:] == [("third", 21)]

    run(story)


def test_who_goes_does_not_take_the_others_pull_along() -> None:
    async def story(line: Line) -> None:
        first = line.pull("first", "a:1")
        line.pull("second", "a:1")
        line.pull("third", "b:1")
        await line.clock.sleep(5)
        first.cancel()
        await line.clock.sleep(30)
        assert line.ended == [("third", 15), ("second", 25)]

    run(story, at_once=1)


def test_too_many_in_a_short_time_fail() -> None:
    async def story(line: Line) -> None:
        for name in "abc":
            line.pull(name, f"{name}:1")
        line.pull("with a", "a:1")
        await line.clock.sleep(0.5)
        line.pull("d", "d:1")
        await line.clock.sleep(20)
        assert line.ended == [("c failed", 0), ("a", 10), ("b", 10), ("with a", 10), ("d", 10.5)]

    run(story, pace=(2, 2))


def test_those_that_wait_for_their_turn_are_not_many_at_once() -> None:
    async def story(line: Line) -> None:
        for name in "abc":
            line.pull(name, f"{name}:1")
        await line.clock.sleep(40)
        assert line.ended == [("a", 10), ("b", 20), ("c", 30)]

    run(story, at_once=1, pace=(2, 1))


def test_who_waits_may_go() -> None:
    async def story(line: Line) -> None:
        line.pull("first", "a:1")
        waiting = line.pull("second", "b:1")
        line.pull("third", "c:1")
        await line.clock.sleep(5)
        waiting.cancel()
        await line.clock.sleep(30)
        assert line.ended == [("first", 10), ("third", 20)]

    run(story, at_once=1)
