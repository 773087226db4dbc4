"""One priority level at work: seats, queues, fairness, and who is turned away."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from pilothouse.apiserver.flowcontrol.queues import QueueSet, Rejected, Seat, deal
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.loop import run


def level(queues: int = 0, hand: int = 1, longest: int = 10) -> dict[str, Any]:
    response: dict[str, Any] = {"type": "Reject"}
    if queues:
        response = {"type": "Queue", "queuing": {"queues": queues, "handSize": hand, "queueLengthLimit": longest}}
    return {"spec": {"type": "Limited", "limited": {"limitResponse": response}}}


def made(clock: LoopClock, limit: int | None, **queuing: int) -> QueueSet:
    found = QueueSet(clock)
    found.configure(level(**queuing))
    found.limit = limit
    return found


async def enter(queues: QueueSet, seats: int = 1, flow: int = 0, seconds: float = 15.0) -> Seat:
    return queues.admit(seats) or await queues.wait(seats, flow, seconds)


def tell(story: Callable[[LoopClock], Awaitable[None]]) -> None:
    async def whole(clock: LoopClock, _: Chance) -> None:
        await story(clock)

    run(whole)


def test_seats_are_taken_and_given_back() -> None:
    async def story(clock: LoopClock) -> None:
        queues = made(clock, 3)
        first, second = queues.admit(1), queues.admit(2)
        assert first is not None
        assert second is not None
        assert queues.admit(1) is None
        with pytest.raises(Rejected, match="concurrency-limit"):
            await queues.wait(1, 0, 15.0)
        second.leave()
        second.leave()
        assert (queues.in_use, queues.executing) == (1, 1)
        first.leave()
        assert queues.idle

    tell(story)


def test_who_wants_more_than_there_is_runs_alone() -> None:
    async def story(clock: LoopClock) -> None:
        queues = made(clock, 2)
        wide = queues.admit(10)
        assert wide is not None
        assert queues.admit(1) is None
        wide.leave()
        assert queues.admit(1) is not None
        assert queues.admit(10) is None

    tell(story)


def test_without_a_limit_all_run() -> None:
    async def story(clock: LoopClock) -> None:
        queues = made(clock, None)
        assert all(queues.admit(10) for _ in range(1000))

    tell(story)


def test_who_waits_is_served_before_who_comes() -> None:
    async def story(clock: LoopClock) -> None:
        queues = made(clock, 1, queues=1)
        first = await enter(queues)
        order: list[int] = []

        async def visit(number: int) -> None:
            seat = await enter(queues)
            order.append(number)
            await clock.sleep(1)
            seat.leave()

        async with Tasks() as tasks:
            visits = [tasks.spawn(visit(number), name="visit") for number in range(3)]
            await clock.sleep(1)
            assert queues.waiting == 3
            first.leave()
            assert queues.admit(1) is None
            await asyncio.gather(*visits)
        assert order == [0, 1, 2]
        assert clock.monotonic() == 4.0
        assert queues.idle

    tell(story)


def test_a_full_queue_turns_away() -> None:
    async def story(clock: LoopClock) -> None:
        queues = made(clock, 1, queues=1, longest=1)
        seat = await enter(queues)
        async with Tasks() as tasks:
            waits = tasks.spawn(enter(queues), name="waits")
            await clock.sleep(0)
            with pytest.raises(Rejected, match="queue-full"):
                await enter(queues)
            seat.leave()
            (await waits).leave()

    tell(story)


def test_waiting_ends_in_time() -> None:
    async def story(clock: LoopClock) -> None:
        queues = made(clock, 1, queues=1)
        seat = await enter(queues)
        with pytest.raises(Rejected, match="time-out"):
            await enter(queues, seconds=5.0)
        assert clock.monotonic() == 5.0
        assert queues.waiting == 0
        assert queues.demand.now == 1
        seat.leave()
        assert queues.admit(1) is not None

    tell(story)


def test_who_leaves_takes_no_seat_along() -> None:
    async def story(clock: LoopClock) -> None:
        queues = made(clock, 1, queues=1)
        seat = await enter(queues)
        async with Tasks() as tasks:
            gone = tasks.spawn(enter(queues), name="gone")
            other = tasks.spawn(enter(queues), name="other")
            await clock.sleep(0)
            gone.cancel()
            await clock.sleep(0)
            assert queues.waiting == 1
            late = tasks.spawn(enter(queues), name="late")
            await clock.sleep(0)
            seat.leave()
            other.cancel()  # at the very moment at which it got the seat
            (await late).leave()
        assert queues.idle

    tell(story)


def test_seats_that_come_free_as_one_gives_up_go_to_the_next() -> None:
    async def story(clock: LoopClock) -> None:
        queues = made(clock, 1, queues=1)
        served: list[str] = []
        first = queues.admit(1)
        assert first is not None

        async def wait(name: str, seconds: float) -> None:
            try:
                (await queues.wait(1, 0, seconds)).leave()
                served.append(name)
            except Rejected as refusal:
                served.append(f"{name}: {refusal}")

        async with Tasks() as tasks:
            tasks.spawn(wait("impatient", 5.0), name="impatient")
            tasks.spawn(wait("patient", 50.0), name="patient")
            await clock.sleep(0)
            clock.call_later(5.0, first.leave)  # as its time is over, and before it runs again
            await clock.sleep(60)
        assert served == ["impatient: time-out", "patient"]
        assert (queues.in_use, queues.executing, queues.waiting, queues.idle) == (0, 0, 0, True)

    tell(story)


def test_one_flow_does_not_starve_another() -> None:
    """A flow of a hundred requests came first; another one's few get every other seat."""

    async def story(clock: LoopClock) -> None:
        queues = made(clock, 1, queues=2, longest=1000)
        seat = await enter(queues)
        order: list[str] = []

        async def visit(name: str, flow: int) -> None:
            taken = await enter(queues, flow=flow, seconds=1000.0)
            order.append(name)
            await clock.sleep(1)
            taken.leave()

        async with Tasks() as tasks:
            visits = [tasks.spawn(visit("many", 0), name="many") for _ in range(100)]
            await clock.sleep(0)
            visits += [tasks.spawn(visit("few", 1), name="few") for _ in range(3)]
            await clock.sleep(0)
            seat.leave()
            await asyncio.gather(*visits)
        assert order[:6].count("few") == 3

    tell(story)


def test_wide_requests_count_for_what_they_take() -> None:
    """Of two flows, one asks for three seats at a time: the other gets three requests for each of its."""

    async def story(clock: LoopClock) -> None:
        queues = made(clock, 3, queues=2, longest=1000)
        seat = await enter(queues, seats=3)
        done = {"wide": 0, "narrow": 0}

        async def visit(name: str, flow: int, seats: int) -> None:
            taken = await enter(queues, seats=seats, flow=flow, seconds=10_000.0)
            await clock.sleep(1)
            done[name] += 1
            taken.leave()

        async with Tasks() as tasks:
            for _ in range(200):
                tasks.spawn(visit("wide", 0, 3), name="wide")
                tasks.spawn(visit("narrow", 1, 1), name="narrow")
            await clock.sleep(0)
            seat.leave()
            await clock.sleep(60.5)
            ratio = done["narrow"] / done["wide"]
            tasks.cancel_all()
        assert 2.0 <= ratio <= 4.0

    tell(story)


def test_more_seats_are_given_at_once() -> None:
    async def story(clock: LoopClock) -> None:
        queues = made(clock, 1, queues=4, hand=2)
        await enter(queues)
        async with Tasks() as tasks:
            for number in range(3):
                tasks.spawn(enter(queues, flow=number), name="waits")
            await clock.sleep(0)
            queues.limit = 3
            queues.dispatch()
            assert (queues.executing, queues.waiting) == (3, 1)
            queues.configure(level(queues=1))
            queues.limit = 4
            queues.dispatch()
            assert (queues.executing, queues.waiting) == (4, 0), "who waits is not forgotten"

    tell(story)


def test_hands_are_distinct_cards_and_spread_evenly() -> None:
    counts = [0] * 8
    for flow in range(8 * 7 * 6):
        hand = deal(flow, 8, 3)
        assert len(set(hand)) == 3
        for card in hand:
            counts[card] += 1
    assert set(counts) == {8 * 7 * 6 * 3 // 8}
