"""Single requests over HTTP/2: bodies both ways, at the speed of whoever is slower."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from h2.events import PingAckReceived

from fakes.http2_client import CLOCK, served
from pilothouse.net.http import ByteStream, Request, Response
from pilothouse.net.server import Limits


async def _echo(request: Request) -> Response:
    body = await request.read(10_000_000)
    return Response(200, f"{request.method} {request.target} ".encode() + body, {"X-A": "b"}, "text/plain")


def test_a_request_and_its_answer() -> None:
    seen: list[Request] = []

    async def handler(request: Request) -> Response:
        seen.append(request)
        return await _echo(request)

    async def main() -> None:
        async with served(handler) as (client, _):
            got = await client.ask(
                "PUT", "/a?b=c", ("accept", "x"), ("cookie", "a=1"), ("cookie", "b=2"), body=b"hello"
            )
            assert (got.status, got.body) == (200, b"PUT /a?b=c hello")
            assert got.headers["content-type"] == "text/plain"
            assert (got.headers["x-a"], got.headers["content-length"]) == ("b", "16")
            assert got.headers["date"].endswith("GMT")
        (request,) = seen
        assert dict(request.headers) == {"accept": "x", "cookie": "a=1; b=2", "host": "x"}
        assert request.peer.address.startswith("127.0.0.1:")

    asyncio.run(main())


@pytest.mark.parametrize("status", [200, 204, 304])
def test_answers_without_a_body(status: int) -> None:
    async def handler(request: Request) -> Response:
        return Response(status, b"abc" if status == 200 else b"")

    async def main() -> None:
        async with served(handler) as (client, _):
            got = await client.ask("HEAD" if status == 200 else "GET")
            assert (got.status, got.body, got.ended) == (status, b"", True)
            assert got.headers.get("content-length") == ("3" if status == 200 else None)

    asyncio.run(main())


@pytest.mark.parametrize("form", ["bytes", "pieces", "stream"])
def test_long_answers_wait_for_the_window(form: str) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield bytes(100_000)

    async def handler(request: Request) -> Response:
        if form == "stream":
            return Response(200, pieces())
        return Response(200, bytes(1_000_000) if form == "bytes" else [bytes(100)] * 10_000)

    async def main() -> None:
        async with served(handler) as (client, _):
            got = await client.ask()
            assert (len(got.body), got.ended) == (1_000_000, True)
            assert got.headers.get("content-length") == (None if form == "stream" else "1000000")

    asyncio.run(main())


def test_an_answer_nobody_takes_is_not_made_and_ends() -> None:
    made = 0
    closed = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal made
        try:
            while True:
                made += 1
                yield bytes(10_000)
        finally:
            closed.set()

    async def handler(request: Request) -> Response:
        return Response(200, pieces() if request.target == "/watch" else b"ok")

    async def main() -> None:
        async with served(handler, limits=Limits(write=0.3), acknowledge=False) as (client, _):
            number = client.open("GET", "/watch")
            watched = client.got[number]
            await client.until(lambda: len(watched.body) == 65_535)
            assert made == 7, "one piece more than the window holds"
            client.engine.increment_flow_control_window(1000)
            client.flush()
            assert (await client.ask("GET", "/other")).body == b"ok", "the rest of the connection goes on"
            await client.until(lambda: watched.reset == 8)
            await closed.wait()

    asyncio.run(main())


def test_a_watch_is_sent_as_it_comes() -> None:
    async def main() -> None:
        more = asyncio.Event()

        async def pieces() -> AsyncIterator[bytes]:
            yield b"one"
            await more.wait()
            yield b"two"

        async def handler(request: Request) -> Response:
            return Response(200, pieces())

        async with served(handler) as (client, _):
            got = client.got[client.open()]
            await client.until(lambda: got.body == b"one")
            assert not got.ended
            more.set()
            await client.until(lambda: got.ended)
            assert got.body == b"onetwo"

    asyncio.run(main())


class _Pushed(AsyncIterator[bytes]):
    """Iterates, and pushes as much as it may between its pieces."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.taken: list[bool] = []
        self.left = 3

    def push_to(self, take: Callable[[bytes], bool]) -> None:
        self.take = take

    async def __anext__(self) -> bytes:
        if not self.left:
            raise StopAsyncIteration
        self.left -= 1
        self.taken.append(self.take(b"p" * self.size))
        await CLOCK.sleep(0)
        return b"i"


@pytest.mark.parametrize(("size", "taken"), [(5, True), (20_000, False)], ids=["fits", "is larger than a frame"])
def test_what_is_pushed_takes_its_place_in_the_stream_if_there_is_room(size: int, taken: bool) -> None:
    body = _Pushed(size)

    async def handler(request: Request) -> Response:
        return Response(200, body)

    async def main() -> None:
        async with served(handler) as (client, _):
            got = await client.ask()
            assert body.taken == [taken] * 3
            assert got.body == (b"p" * size + b"i" if taken else b"i") * 3
            assert not body.take(b"late"), "the answer has ended"
            assert (await client.ask("HEAD")).ended, "the connection goes on"

    asyncio.run(main())


def test_nothing_is_pushed_past_a_piece_that_waits_for_room() -> None:
    async def main() -> None:
        pushing: list[Callable[[bytes], bool]] = []

        class Body(AsyncIterator[bytes]):
            count = 0

            def push_to(self, take: Callable[[bytes], bool]) -> None:
                pushing.append(take)

            async def __anext__(self) -> bytes:
                self.count += 1
                if self.count > 1:
                    raise StopAsyncIteration
                return b"x" * 70_000

        async def handler(request: Request) -> Response:
            return Response(200, Body())

        async with served(handler, acknowledge=False) as (client, _):
            number = client.open()
            got = client.got[number]
            await client.until(lambda: len(got.body) == 65_535)
            client.engine.increment_flow_control_window(1000)  # for the connection alone
            client.engine.ping(b"12345678")
            client.flush()
            await client.until(lambda: any(isinstance(event, PingAckReceived) for event in client.events))
            assert not pushing[0](b"pushed")
            client.engine.increment_flow_control_window(10_000)
            client.engine.increment_flow_control_window(10_000, number)
            client.flush()
            assert (await client.answer(number)).body == b"x" * 70_000

    asyncio.run(main())


def test_a_body_is_read_as_it_comes_and_answered_while_it_comes() -> None:
    async def handler(request: Request) -> Response:
        assert isinstance(request.body, AsyncIterator)
        return Response(200, request.body)

    async def main() -> None:
        async with served(handler) as (client, _):
            number = client.open("POST", end=False)
            got = client.got[number]
            for count in range(1, 4):
                client.send(number, b"word ")
                await client.until(lambda count=count: got.body == b"word " * count)  # type: ignore[misc]
            client.send(number, b"", end=True)
            await client.until(lambda: got.ended)

    asyncio.run(main())


def test_a_long_body_comes_whole() -> None:
    async def handler(request: Request) -> Response:
        return Response(200, str(len(await request.read(10_000_000))).encode())

    async def main() -> None:
        async with served(handler) as (client, _):
            number = client.open("POST", end=False)
            left = 2_000_000
            while left:
                room = min(client.engine.local_flow_control_window(number), 16_384, left)
                if not room:
                    await client.read()
                    continue
                left -= room
                client.send(number, bytes(room), end=not left)
            assert (await client.answer(number)).body == b"2000000"

    asyncio.run(main())


def test_a_body_nobody_reads_is_held_back_by_the_window_and_costs_others_nothing() -> None:
    async def main() -> None:
        proceed = asyncio.Event()

        async def handler(request: Request) -> Response:
            if request.target == "/slow":
                await proceed.wait()
                return Response(200, b"unread")
            return await _echo(request)

        async with served(handler) as (client, _):
            assert (await client.ask()).status == 200
            number = client.open("POST", "/slow", end=False)
            sent = 0
            while room := min(client.engine.local_flow_control_window(number), 16_384):
                client.send(number, bytes(room))
                sent += room
            assert (await client.ask("POST", "/fast", body=b"x")).body == b"POST /fast x"
            assert (sent, client.engine.local_flow_control_window(number)) == (256 * 1024, 0)
            proceed.set()
            got = await client.answer(number)
            assert (got.body, got.ended) == (b"unread", True)
            await client.until(lambda: got.reset == 0)
            before = client.engine.outbound_flow_control_window
            await client.until(lambda: client.engine.outbound_flow_control_window >= before)

    asyncio.run(main())


def test_who_waits_for_a_100_gets_one() -> None:
    async def main() -> None:
        async with served(_echo) as (client, _):
            number = client.open("POST", "/", ("expect", "100-continue"), end=False)
            got = client.got[number]
            await client.until(lambda: got.informational == ["100"])
            client.send(number, b"abc", end=True)
            assert (await client.answer(number)).body == b"POST / abc"

    asyncio.run(main())


def test_a_body_that_stops_coming() -> None:
    async def main() -> None:
        async with served(_echo, limits=Limits(body=0.05)) as (client, _):
            got = await client.answer(client.open("POST", "/", ("content-length", "3"), end=False))
            assert (got.status, got.body) == (408, b"the body stopped coming\n")

    asyncio.run(main())


async def _upgraded(stream: ByteStream) -> None:
    raise AssertionError


@pytest.mark.parametrize(
    "wrong", [Response(101, upgrade=_upgraded), Response(200, headers={"a": "b\r\nc"}), Response(999), None]
)
def test_a_handler_that_fails_costs_its_own_stream_alone(wrong: Response | None) -> None:
    async def handler(request: Request) -> Response:
        if request.target == "/wrong":
            if wrong is None:
                raise ValueError("no")
            return wrong
        return Response(200, b"ok")

    async def main() -> None:
        async with served(handler) as (client, _):
            got = await client.ask("GET", "/wrong")
            assert (got.status, got.body) == (500, b"Internal Server Error\n")
            assert (await client.ask()).body == b"ok"

    asyncio.run(main())


@pytest.mark.parametrize(("error", "code"), [(ConnectionResetError("gone"), 8), (ValueError("no"), 8)])
def test_an_answer_that_breaks_off_does_not_seem_whole(error: Exception, code: int) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"half"
        raise error

    async def handler(request: Request) -> Response:
        return Response(200, pieces())

    async def main() -> None:
        async with served(handler) as (client, _):
            got = await client.ask()
            assert (got.status, got.body, got.ended, got.reset) == (200, b"half", False, code)

    asyncio.run(main())


def test_a_client_that_loses_interest_stops_the_handler() -> None:
    async def main() -> None:
        begun, stopped = asyncio.Event(), asyncio.Event()

        async def handler(request: Request) -> Response:
            if request.target != "/":
                return Response(200, b"ok")
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                stopped.set()
            return Response(200)

        async with served(handler) as (client, _), CLOCK.timeout(10):
            number = client.open()
            await begun.wait()
            client.engine.reset_stream(number, 8)
            client.flush()
            await stopped.wait()
            assert (await client.ask("GET", "/x")).body == b"ok"

    asyncio.run(main())
