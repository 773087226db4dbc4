import asyncio

import pytest

from fakes.pipe import pipe
from pilothouse.net.splice import splice


def test_bytes_and_halves_are_carried_both_ways() -> None:
    async def main() -> None:
        (client, near), (far, server) = pipe(), pipe()
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:  # noqa: TID251
            joined = group.create_task(splice(near, far))
            await client.write(b"question")
            assert await server.read() == b"question"
            client.write_eof()
            assert await server.read() == b""
            await server.write(b"answer")
            assert await client.read() == b"answer"
            assert not joined.done()
            server.write_eof()
            assert await client.read() == b""
            await joined
        assert near.closed
        assert far.closed

    asyncio.run(main())


def test_an_end_that_is_lost_takes_the_other_along() -> None:
    async def main() -> None:
        (client, near), (far, server) = pipe(), pipe()
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:  # noqa: TID251
            group.create_task(splice(near, far))
            await client.close()
            assert await server.read() == b""
            await server.write(b"late")
        assert far.closed

    asyncio.run(main())


def test_cancelling_closes_both() -> None:
    async def main() -> None:
        (_, near), (far, _) = pipe(), pipe()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):  # noqa: TID251
                await splice(near, far)
        assert near.closed
        assert far.closed

    asyncio.run(main())


def test_without_halves_the_first_end_closes_both() -> None:
    async def main() -> None:
        (client, near), (far, server) = pipe(), pipe()
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:  # noqa: TID251
            joined = group.create_task(splice(near, far, halves=False))
            await server.write(b"last words")
            server.write_eof()
            assert await client.read() == b"last words"
            assert await client.read() == b""
            await joined

    asyncio.run(main())
