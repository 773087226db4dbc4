import asyncio

import pytest

from pilothouse.client.connection import Connection


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.paused = False
        self.aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += data

    def is_closing(self) -> bool:
        return self.aborted

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def abort(self) -> None:
        self.aborted = True


def _connected() -> tuple[Connection, Wire]:
    connection, wire = Connection(), Wire()
    connection.connection_made(wire)
    return connection, wire


def _arrive(connection: Connection, data: bytes) -> None:
    """Bytes come in, as a transport brings them."""
    while data:
        buffer = connection.get_buffer(-1)
        count = min(len(buffer), len(data))
        buffer[:count] = data[:count]
        connection.buffer_updated(count)
        data = data[count:]


def test_one_exchange_after_another() -> None:
    async def main() -> None:
        connection, wire = _connected()
        for number in range(2):
            asyncio.get_running_loop().call_soon(
                _arrive, connection, b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % number
            )
            await connection.exchange(b"request")
            assert await connection.piece() == b"%d" % number
            assert await connection.piece() == b""
            assert connection.reusable
        assert wire.sent == b"requestrequest"

    asyncio.run(main())


def test_reading_pauses_while_the_reader_is_behind() -> None:
    async def main() -> None:
        connection, wire = _connected()
        loop = asyncio.get_running_loop()
        loop.call_soon(_arrive, connection, b"HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n")
        await connection.exchange(b"request")
        _arrive(connection, b"x" * 300_000)
        assert wire.paused
        for _ in range(3):
            await connection.piece()
        assert not wire.paused
        assert not connection.reusable

    asyncio.run(main())


@pytest.mark.parametrize("header", [b"Connection: close\r\n", b""])
def test_the_server_may_end_it(header: bytes) -> None:
    async def main() -> bool:
        connection, _ = _connected()
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + header + b"\r\n"
        asyncio.get_running_loop().call_soon(_arrive, connection, answer)
        await connection.exchange(b"request")
        return connection.reusable

    assert asyncio.run(main()) is (header == b"")
