"""Bodies as they come: in order, held back in time, and no heavier than what they say."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator

import pytest

from pilothouse.net.http import BodyTooLarge, Peer, Request
from pilothouse.net.request_body import HIGH_WATER, BodyBroken, RequestBody
from pilothouse.runtime.clock import SystemClock


def _body(patience: float = 5.0) -> tuple[RequestBody, list[bool]]:
    told: list[bool] = []
    return RequestBody(SystemClock(), patience, told.append), told


def test_pieces_come_out_as_they_came_in() -> None:
    async def main() -> None:
        body, _ = _body()
        body.feed(b"a")
        asyncio.get_running_loop().call_soon(body.feed, b"b")
        asyncio.get_running_loop().call_soon(body.finish)
        assert [piece async for piece in body] == [b"a", b"b"]

    asyncio.run(main())


def test_the_sender_is_stopped_and_started() -> None:
    async def main() -> None:
        body, told = _body()
        body.feed(bytes(HIGH_WATER))
        assert told == []
        body.feed(b"x")
        assert told == [False]
        await anext(body)
        assert told == [False, True]

    asyncio.run(main())


def test_what_came_before_a_fault_is_given_and_then_the_fault() -> None:
    async def main() -> None:
        body, _ = _body()
        body.feed(b"a")
        body.fail("malformed")
        assert await anext(body) == b"a"
        with pytest.raises(BodyBroken, match="malformed"):
            await anext(body)

    asyncio.run(main())


def test_a_body_that_stops_coming_is_broken() -> None:
    async def main() -> None:
        body, _ = _body(0.01)
        with pytest.raises(BodyBroken, match="stopped coming"):
            await anext(body)

    asyncio.run(main())


def test_the_first_question_is_told_once() -> None:
    async def main() -> None:
        body, _ = _body()
        asked: list[int] = []

        def wanted() -> None:
            asked.append(1)
            body.feed(b"a")
            body.finish()

        body.wanted = wanted
        assert [piece async for piece in body] == [b"a"]
        assert asked == [1]

    asyncio.run(main())


def test_tiny_pieces_weigh_no_more_than_they_say() -> None:
    """Each alone would be forty bytes for two."""
    body, flow = _body()
    tracemalloc.start()
    try:
        while not flow:
            body.feed(b"ab")
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 2 * HIGH_WATER
    assert body.take() == b"ab" * (HIGH_WATER // 2 + 1)


def test_small_and_large_pieces_come_out_in_order() -> None:
    sizes = (1, 2, 5000, 3, 4, 6000, 7000, 1)
    wanted = b"".join(bytes([n]) * size for n, size in enumerate(sizes))

    async def main() -> bytes:
        body, _ = _body()
        for n, size in enumerate(sizes):
            body.feed(bytes([n]) * size)
        body.finish()
        return b"".join([piece async for piece in body])

    assert asyncio.run(main()) == wanted


def test_a_body_read_in_tiny_pieces_weighs_no_more_than_it_says() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for number in range(100_000):
            yield b"%02d" % (number % 100)

    async def main() -> None:
        request = Request("POST", "/", {}, Peer(""), pieces())
        tracemalloc.start()
        try:
            await request.read(200_000)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 5 * 200_000  # a list of its pieces weighs twenty times as much
        again = Request("POST", "/", {}, Peer(""), pieces())
        with pytest.raises(BodyTooLarge):
            await again.read(199_999)

    asyncio.run(main())
