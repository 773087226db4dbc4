import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from pilothouse.net.stream import HIGH_WATER, ConnectionStream
from pilothouse.runtime.clock import SystemClock

CLOCK = SystemClock()


@asynccontextmanager
async def _pair() -> AsyncIterator[tuple[ConnectionStream, ConnectionStream]]:
    loop = asyncio.get_running_loop()
    accepted: list[ConnectionStream] = []

    def accept() -> ConnectionStream:
        accepted.append(ConnectionStream(CLOCK))
        return accepted[-1]

    server = await loop.create_server(accept, "127.0.0.1", 0)
    _, client = await loop.create_connection(lambda: ConnectionStream(CLOCK), *server.sockets[0].getsockname())
    while not accepted:
        await CLOCK.sleep(0)
    try:
        yield client, accepted[0]
    finally:
        for stream in (client, accepted[0]):
            stream.abort()
            await stream.close()
        server.close()


def test_bytes_go_both_ways_until_each_half_is_closed() -> None:
    async def main() -> None:
        async with _pair() as (one, other):
            await one.write(b"ping")
            assert await other.read() == b"ping"
            one.write_eof()
            assert await other.read() == b""
            await other.write(b"pong")
            assert await one.read() == b"pong"
            await other.close()
            assert await one.read() == b""

    asyncio.run(main())


def test_a_writer_waits_for_a_slow_reader() -> None:
    async def main() -> None:
        async with _pair() as (one, other), asyncio.TaskGroup() as group:
            size = 40_000_000
            writing = group.create_task(one.write(bytes(size)))
            await CLOCK.sleep(0.2)
            assert not writing.done()
            assert other._buffered < HIGH_WATER * 3
            received = 0
            while received < size:
                received += len(await other.read())
            await writing

    asyncio.run(main())


def test_what_was_read_too_far_is_put_back() -> None:
    async def main() -> None:
        async with _pair() as (one, other):
            await one.write(b"rest")
            other.unread(b"first")
            assert await other.read() == b"first"
            assert await other.read() == b"rest"

    asyncio.run(main())


def test_writing_to_a_closed_connection_fails() -> None:
    async def main() -> None:
        async with _pair() as (one, _):
            await one.close()
            with pytest.raises(ConnectionError):
                await one.write(b"x")

    asyncio.run(main())
