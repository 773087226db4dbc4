from collections.abc import Awaitable, Callable
from typing import Any

from pilothouse.client.key import Key
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.scheduler.changes import Change, Happened
from pilothouse.scheduler.framework import Plugin
from pilothouse.scheduler.pod_info import PodInfo
from pilothouse.scheduler.queue import PATIENCE, Queued, SchedulingQueue
from pilothouse.testing.loop import run
from scheduler.samples import node, pod

Story = Callable[[SchedulingQueue, LoopClock], Awaitable[None]]
ADDED = Happened(Change.NODE_ADDED, None, node("good"))


class Picky(Plugin):
    """Refuses for what only a good node can change."""

    name = "Picky"
    requeue_on = (Change.NODE_ADDED, Change.OWN_LABELS)

    def helps(self, pod: PodInfo, happened: Happened) -> bool:
        return happened.change is Change.OWN_LABELS or happened.new.metadata.name == "good"


def play(story: Story) -> None:
    async def whole(clock: LoopClock, chance: Chance) -> None:
        await story(SchedulingQueue({"Picky": Picky()}, clock), clock)

    run(whole)


async def take(queue: SchedulingQueue, clock: LoopClock, within: float = 0.0) -> Queued | None:
    """The next pod, if there is one in so many seconds."""
    try:
        async with clock.timeout(within + 0.001):
            return await queue.next()
    except TimeoutError:
        return None


async def names(queue: SchedulingQueue, clock: LoopClock, within: float = 0.0) -> list[str]:
    found = []
    while (queued := await take(queue, clock, within)) is not None:
        found.append(queued.info.key.name)
    return found


def place(queue: SchedulingQueue, name: str = "p") -> str:
    return queue.place(Key("ns", name))


def test_by_priority_then_by_age() -> None:
    async def story(queue: SchedulingQueue, clock: LoopClock) -> None:
        for name, priority in (("a", 0), ("b", 5), ("c", 0), ("d", 5), ("e", None)):
            queue.set(pod(name, priority=priority))
        queue.set(pod("c", labels={"changed": "yes"}))
        queue.remove(Key("ns", "d"))
        assert await names(queue, clock) == ["b", "a", "c", "e"]
        assert len(queue) == 4

    play(story)


def test_it_waits_for_the_first_pod() -> None:
    async def story(queue: SchedulingQueue, clock: LoopClock) -> None:
        clock.call_later(5, lambda: queue.set(pod()))
        found = await queue.next()
        assert (found.info.key.name, clock.monotonic()) == ("p", 5)
        assert place(queue) == "tried"

    play(story)


async def _refused(queue: SchedulingQueue, clock: LoopClock, *plugins: str, times: int = 1, **more: Any) -> Queued:
    """A pod that was refused so often."""
    queue.set(pod(**more))
    for number in range(times):
        queued = await queue.next()
        queue.refused(queued, dict.fromkeys(plugins))
        if number < times - 1:
            queue.changed(ADDED)
    assert place(queue) == "waiting"
    return queued


def test_a_refused_pod_waits_for_what_helps() -> None:
    async def story(queue: SchedulingQueue, clock: LoopClock) -> None:
        await _refused(queue, clock, "Picky")
        queue.changed(Happened(Change.NODE_ADDED, None, node("bad")))
        queue.changed(Happened(Change.NODE_LABELS, None, node("good")))
        assert place(queue) == "waiting"
        queue.changed(ADDED)
        assert place(queue) == "backoff"

    play(story)


def test_whom_nobody_refused_anything_may_help() -> None:
    async def story(queue: SchedulingQueue, clock: LoopClock) -> None:
        await _refused(queue, clock)
        queue.changed(Happened(Change.POD_LABELS, None, None))
        assert place(queue) == "backoff"

    play(story)


def test_backoff_ends_with_time_or_when_nothing_else_is_to_do() -> None:
    async def story(queue: SchedulingQueue, clock: LoopClock) -> None:
        await _refused(queue, clock, "Picky", times=3)
        await clock.sleep(1)
        queue.changed(ADDED)
        assert place(queue) == "backoff"  # 4 s after the third refusal
        queue.set(pod("other", priority=-1))
        assert await names(queue, clock) == ["other", "p"]
        await clock.sleep(1)

    play(story)


def test_a_pod_whose_backoff_is_over_goes_by_its_priority() -> None:
    async def story(queue: SchedulingQueue, clock: LoopClock) -> None:
        await _refused(queue, clock, "Picky", priority=5)
        await clock.sleep(1)
        queue.set(pod("other"))
        queue.changed(ADDED)
        assert place(queue) == "active"
        assert await names(queue, clock) == ["p", "other"]

    play(story)


def test_errors_back_off_for_longer_each_time() -> None:
    async def story(queue: SchedulingQueue, clock: LoopClock) -> None:
        queue.set(pod())
        waits = []
        for _ in range(6):
            queued = await queue.next()
            at = clock.monotonic()
            queue.failed(queued)
            assert await take(queue, clock) is None
            clock.call_later(0, lambda: None)
            queued = await queue.next()
            waits.append(round(clock.monotonic() - at))
            queue._activate(queued)
        assert waits == [1, 2, 4, 8, 10, 10]

    play(story)


def test_patience_ends() -> None:
    async def story(queue: SchedulingQueue, clock: LoopClock) -> None:
        await _refused(queue, clock, "Picky")
        assert await names(queue, clock, PATIENCE - 1) == []
        assert await names(queue, clock, 2) == ["p"]

    play(story)


def test_a_change_of_the_pod_itself_may_help() -> None:
    async def story(queue: SchedulingQueue, clock: LoopClock) -> None:
        await _refused(queue, clock, "Picky")
        queue.set(pod(status={"phase": "Pending"}))
        queue.set(pod(tolerations=[{"operator": "Exists"}]))
        assert place(queue) == "waiting"
        queue.set(pod(labels={"a": "b"}, tolerations=[{"operator": "Exists"}]))
        assert place(queue) == "backoff"

    play(story)


def test_gates_hold_a_pod() -> None:
    async def story(queue: SchedulingQueue, clock: LoopClock) -> None:
        queue.set(pod(schedulingGates=[{"name": "a"}]))
        assert place(queue) == "gated"
        queue.changed(ADDED)
        assert await names(queue, clock, PATIENCE + 1) == []
        queue.set(pod())
        assert await names(queue, clock) == ["p"]

    play(story)


def test_what_is_gone_does_not_come_back() -> None:
    async def story(queue: SchedulingQueue, clock: LoopClock) -> None:
        queue.set(pod())
        queued = await queue.next()
        queue.remove(Key("ns", "p"))
        queue.refused(queued, {})
        queue.failed(queued)
        queue.changed(ADDED)
        assert place(queue) == ""
        assert await names(queue, clock, 20) == []

    play(story)


def test_a_namesake_begins_anew() -> None:
    async def story(queue: SchedulingQueue, clock: LoopClock) -> None:
        await _refused(queue, clock, "Picky")
        new = pod()
        new.raw["metadata"]["uid"] = "another"
        queue.set(new)
        found = await queue.next()
        assert (found.info.uid, found.failures) == ("another", 0)

    play(story)


def test_who_failed_earlier_goes_before_who_came_later() -> None:
    async def story(queue: SchedulingQueue, clock: LoopClock) -> None:
        await _refused(queue, clock, "Picky")
        await clock.sleep(5)
        queue.set(pod("later"))
        queue.changed(ADDED)
        assert await names(queue, clock) == ["p", "later"]

    play(story)


def test_backoffs_that_end_in_one_second_go_by_priority() -> None:
    async def story(queue: SchedulingQueue, clock: LoopClock) -> None:
        await clock.sleep(0.2)
        for name, priority in (("low", 1), ("high", 9), ("late", 99)):
            if name == "late":
                await clock.sleep(1)
            queue.set(pod(name, priority=priority))
            queue.refused(await queue.next(), {"Picky": None})
            await clock.sleep(0.1)
        queue.changed(ADDED)
        assert [place(queue, name) for name in ("low", "high", "late")] == ["active", "active", "backoff"]
        assert await names(queue, clock) == ["high", "low", "late"]

    play(story)


def test_a_waiting_pod_can_be_called() -> None:
    async def story(queue: SchedulingQueue, clock: LoopClock) -> None:
        await _refused(queue, clock, "Picky")
        queue.activate(Key("ns", "unknown"))
        queue.activate(Key("ns", "p"))
        assert await names(queue, clock) == ["p"]
        queue.activate(Key("ns", "p"))
        assert place(queue) == "tried"

    play(story)


def test_what_nobody_asked_for_wakes_only_whom_nobody_refused() -> None:
    async def story(queue: SchedulingQueue, clock: LoopClock) -> None:
        await _refused(queue, clock, "Picky")
        queue.set(pod("q"))
        queue.refused(await queue.next(), {})
        queue.changed(Happened(Change.POD_DELETED, None, None))
        assert (place(queue), place(queue, "q")) == ("waiting", "backoff")

    play(story)


def test_places_are_counted() -> None:
    async def story(queue: SchedulingQueue, clock: LoopClock) -> None:
        await _refused(queue, clock, "Picky")
        queue.set(pod("gated", schedulingGates=[{"name": "a"}]))
        queue.set(pod("new"))
        assert queue.counts() == {"active": 1, "backoff": 0, "waiting": 1, "gated": 1, "tried": 0}
        queued = await queue.next()
        assert (queued.attempts, queue.counts()["tried"]) == (1, 1)

    play(story)


def test_a_claim_on_its_way_outlives_an_older_state() -> None:
    async def story(queue: SchedulingQueue, clock: LoopClock) -> None:
        queued = queue.set(pod())
        queued.info.nominated = "n"
        assert queue.set(pod(labels={"a": "b"})).info.nominated == "n"
        assert queue.set(pod(status={"nominatedNodeName": "n"})).info.nominated == "n"
        assert queue.set(pod()).info.nominated == ""

    play(story)


def test_an_error_outweighs_a_refusal() -> None:
    async def story(queue: SchedulingQueue, clock: LoopClock) -> None:
        queued = await _refused(queue, clock, "Picky")
        queue.failed(queued)
        assert place(queue) == "backoff"
        queue.changed(ADDED)
        assert await names(queue, clock) == []
        assert await names(queue, clock, 1) == ["p"]

    play(story)
