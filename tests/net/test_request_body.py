import asyncio

import pytest

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
