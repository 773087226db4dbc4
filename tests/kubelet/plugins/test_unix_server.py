"""A server on a socket, asked by our own client."""

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pilothouse.kubelet.plugins.unix_client import PluginError
from pilothouse.kubelet.plugins.unix_server import Streaming, serve_unix
from pilothouse.net.grpc_channel import GrpcChannel
from pilothouse.net.grpc_frames import GrpcCode, GrpcError
from pilothouse.runtime.clock import SystemClock


async def echo(question: bytes) -> bytes:
    if question == b"no":
        raise PluginError("not you", GrpcCode.PERMISSION_DENIED)
    return question


async def count(question: bytes) -> AsyncIterator[bytes]:
    for number in range(int(question)):
        yield str(number).encode()
    raise PluginError("no more", GrpcCode.OUT_OF_RANGE)


def test_calls_are_answered_and_refused(tmp_path: Path) -> None:
    async def main() -> None:
        clock, socket = SystemClock(), tmp_path / "below" / "s.sock"
        for _ in range(2):
            async with serve_unix(socket, {"/t.T/Echo": echo, "/t.T/Count": Streaming(count)}, clock):
                assert stat.S_IMODE(socket.stat().st_mode) == 0o660
                channel = GrpcChannel(f"unix:{socket}", None, clock)
                assert await channel.call("/t.T/Echo", b"x", 10) == b"x"
                for path, question, code in (
                    ("/t.T/Echo", b"no", GrpcCode.PERMISSION_DENIED), ("/t.T/None", b"", GrpcCode.UNIMPLEMENTED),
                ):  # fmt: skip
                    with pytest.raises(GrpcError) as told:
                        await channel.call(path, question, 10)
                    assert told.value.code is code
                stream = await channel.stream("/t.T/Count")
                stream.write(b"2", last=True)
                assert [await stream.read(), await stream.read()] == [b"0", b"1"]
                with pytest.raises(GrpcError, match="no more"):
                    await stream.read()
                await channel.close()
            assert not socket.exists()

    asyncio.run(main())


def test_the_library_serves_from_the_first_caller_on(tmp_path: Path) -> None:
    def files() -> list[str]:
        return sorted(path.name for path in tmp_path.iterdir())

    async def main() -> None:
        clock, socket = SystemClock(), tmp_path / "s.sock"
        async with serve_unix(socket, {"/t.T/Echo": echo}, clock):
            assert files() == ["s.sock"]
            channels = [GrpcChannel(f"unix:{socket}", None, clock) for _ in range(3)]
            calls = (channel.call("/t.T/Echo", str(at).encode(), 10) for at, channel in enumerate(channels))
            assert await asyncio.gather(*calls) == [b"0", b"1", b"2"]
            assert files() == [".s.sock", "s.sock"]
            for channel in channels:
                await channel.close()
        assert files() == []

    asyncio.run(main())


def test_a_socket_that_was_left_behind_is_replaced_and_one_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        socket = tmp_path / "s.sock"
        socket.touch()
        async with serve_unix(socket, {}, SystemClock()):
            assert stat.S_ISSOCK(socket.stat().st_mode)
        with pytest.raises(OSError, match=r"s\.sock"):
            async with serve_unix(tmp_path / ("x" * 200) / "s.sock", {}, SystemClock()):
                pass

    asyncio.run(main())
