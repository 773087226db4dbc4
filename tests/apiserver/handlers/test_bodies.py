"""Wrapped bodies: what they tell, when, and once."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from pilothouse.apiserver.handlers.bodies import Beginning, Closing, Ending, when_over
from pilothouse.net.http import ByteStream, Pushing, Response


async def pieces() -> AsyncIterator[bytes]:
    yield b"a"
    yield b"b"


@pytest.mark.parametrize(
    ("kind", "expected"), [(Closing, [0, 0, 0, 1]), (Ending, [0, 0, 1, 1]), (Beginning, [1, 1, 1, 1])]
)
def test_when_they_tell(kind: type[Closing], expected: list[int]) -> None:
    async def story() -> None:
        told: list[None] = []
        body = kind(pieces(), lambda: told.append(None))
        counts = []
        assert await anext(body) == b"a"
        counts.append(len(told))
        assert await anext(body) == b"b"
        counts.append(len(told))
        with pytest.raises(StopAsyncIteration):
            await anext(body)
        counts.append(len(told))
        await body.aclose()
        await body.aclose()
        counts.append(len(told))
        assert counts == expected

    asyncio.run(story())


@pytest.mark.parametrize("kind", [Closing, Ending, Beginning])
def test_a_body_that_nobody_reads(kind: type[Closing]) -> None:
    async def story() -> None:
        told: list[None] = []
        await kind(pieces(), lambda: told.append(None)).aclose()
        assert len(told) == 1

    asyncio.run(story())


def test_upgrades_and_answers_that_are_whole() -> None:
    async def story() -> None:
        told: list[None] = []

        async def upgrade(_: ByteStream) -> None:
            assert told == []
            raise ConnectionError

        response = Response(101, upgrade=upgrade)
        assert when_over(response, lambda: told.append(None))
        assert response.upgrade is not None
        with pytest.raises(ConnectionError):
            await response.upgrade(None)  # type: ignore[arg-type]
        assert len(told) == 1
        assert not when_over(Response(200, b"whole"), lambda: told.append(None))
        assert len(told) == 1

    asyncio.run(story())


def test_what_can_be_pushed_is_pushed_through_the_wrap() -> None:
    class Source(AsyncIterator[bytes]):
        takes: list[bool]

        async def __anext__(self) -> bytes:
            raise StopAsyncIteration

        def push_to(self, take: Callable[[bytes], bool]) -> None:
            self.takes = [take(b"a"), take(b"b")]

    source = Source()
    body = Beginning(Ending(source, lambda: None), lambda: None)
    assert isinstance(body, Pushing)
    body.push_to(lambda piece: piece == b"a")
    assert source.takes == [True, False]
    Closing(pieces(), lambda: None).push_to(lambda _: True)  # what can only iterate is left to iterate
