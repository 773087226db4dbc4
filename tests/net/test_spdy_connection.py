import asyncio
from collections.abc import Awaitable, Callable

import pytest

from fakes.pipe import PipeEnd, pipe
from pilothouse.net.spdy import GoAway, Ping, RstStream, SpdyDecoder, SpdyEncoder, SynReply, SynStream
from pilothouse.net.spdy_connection import SpdyConnection, spdy_connection

Talk = Callable[[SpdyConnection, SpdyConnection], Awaitable[None]]


def _talk(talk: Talk) -> None:
    async def main() -> None:
        one, other = pipe()
        async with (
            asyncio.timeout(5),  # noqa: TID251
            spdy_connection(one, client=True) as client,
            spdy_connection(other, client=False) as server,
        ):
            await talk(client, server)

    asyncio.run(main())


def test_streams_carry_bytes_and_end_half_by_half() -> None:
    async def talk(client: SpdyConnection, server: SpdyConnection) -> None:
        mine = await client.open({"streamtype": "stdin"})
        theirs = await server.accept()
        assert theirs is not None
        assert theirs.headers == {"streamtype": "stdin"}
        await mine.write(b"x" * 200_000)
        await mine.finish()
        received = b""
        while data := await theirs.read():
            received += data
        assert received == b"x" * 200_000
        await theirs.write(b"answer")
        await theirs.finish()
        assert await mine.read() == b"answer"
        assert await mine.read() == b""
        assert mine.over
        assert theirs.over

    _talk(talk)


def test_many_streams_from_both_sides() -> None:
    async def talk(client: SpdyConnection, server: SpdyConnection) -> None:
        ours = [await client.open({"n": str(n)}) for n in range(3)]
        theirs = await server.open({"from": "server"})
        assert [stream.number for stream in ours] == [1, 3, 5]
        assert theirs.number == 2
        accepted = await client.accept()
        assert accepted is not None
        await accepted.write(b"hi")
        assert await theirs.read() == b"hi"

    _talk(talk)


def test_a_reset_stream_fails_at_both_ends_and_others_go_on() -> None:
    async def talk(client: SpdyConnection, server: SpdyConnection) -> None:
        doomed, fine = await client.open({}), await client.open({})
        first, second = await server.accept(), await server.accept()
        assert first is not None
        assert second is not None
        await doomed.reset()
        with pytest.raises(ConnectionError):
            await first.read()
        with pytest.raises(ConnectionError):
            await doomed.write(b"x")
        await fine.write(b"ok")
        assert await second.read() == b"ok"

    _talk(talk)


def test_losing_the_connection_fails_every_stream() -> None:
    async def talk(client: SpdyConnection, server: SpdyConnection) -> None:
        stream = await client.open({})
        await server.close()
        with pytest.raises(ConnectionError):
            await stream.read()
        assert await client.accept() is None
        with pytest.raises(ConnectionError):
            await client.open({})

    _talk(talk)


def _raw(script: Callable[[PipeEnd, SpdyConnection], Awaitable[None]]) -> None:
    """A server of ours, spoken to in raw frames."""

    async def main() -> None:
        one, other = pipe()
        async with asyncio.timeout(5), spdy_connection(other, client=False) as server:  # noqa: TID251
            await script(one, server)

    asyncio.run(main())


def test_pings_of_the_peer_are_answered_and_own_ones_are_not() -> None:
    async def script(wire: PipeEnd, server: SpdyConnection) -> None:
        await wire.write(SpdyEncoder().encode(Ping(2)) + SpdyEncoder().encode(Ping(7)))
        assert SpdyDecoder().receive(await wire.read()) == [Ping(7)]

    _raw(script)


def test_a_stream_with_a_wrong_number_ends_the_connection() -> None:
    async def script(wire: PipeEnd, server: SpdyConnection) -> None:
        await wire.write(SpdyEncoder().encode(SynStream(2, {})))
        assert await server.accept() is None
        assert server.lost

    _raw(script)


def test_frames_of_unknown_streams_are_passed_over() -> None:
    async def script(wire: PipeEnd, server: SpdyConnection) -> None:
        encoder = SpdyEncoder()
        for frame in (RstStream(9, 5), SynReply(9), GoAway(0), Ping(1)):
            await wire.write(encoder.encode(frame))
        assert SpdyDecoder().receive(await wire.read()) == [Ping(1)]

    _raw(script)
