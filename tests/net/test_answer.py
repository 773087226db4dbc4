import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from pilothouse.net.answer import AnswerWriter, dispose
from pilothouse.net.http import ByteStream, Response
from pilothouse.net.outflow import Outflow
from pilothouse.runtime.clock import SystemClock


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += data


async def _pieces() -> AsyncIterator[bytes]:
    for piece in (b"a", b"", b"bc"):
        yield piece


async def _sent(body: bytes | Sequence[bytes] | AsyncIterator[bytes], *, head_only: bool, chunks: bool) -> bytes:
    wire = Wire()
    writer = AnswerWriter(Outflow(wire, SystemClock(), None), lambda: "Date: x\r\n")
    await writer.send(Response(200, body, content_type=""), close=False, head_only=head_only, chunks=chunks)
    return wire.sent.removeprefix(b"HTTP/1.1 200 OK\r\n").replace(b"Date: x\r\n", b"")


@pytest.mark.parametrize(
    ("form", "head_only", "chunks", "expected"),
    [
        ("bytes", False, True, b"Content-Length: 3\r\n\r\nabc"),
        ("pieces", False, True, b"Content-Length: 3\r\n\r\nabc"),
        ("stream", False, True, b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"),
        ("stream", False, False, b"\r\nabc"),
        ("bytes", True, True, b"Content-Length: 3\r\n\r\n"),
        ("stream", True, True, b"Transfer-Encoding: chunked\r\n\r\n"),
    ],
)
def test_forms_of_bodies(form: str, head_only: bool, chunks: bool, expected: bytes) -> None:
    async def main() -> None:
        body = {"bytes": b"abc", "pieces": [b"a", b"bc"], "stream": _pieces()}[form]
        assert isinstance(body, bytes | list | AsyncIterator)
        assert await _sent(body, head_only=head_only, chunks=chunks) == expected

    asyncio.run(main())


def test_a_stream_of_known_length_needs_no_chunks() -> None:
    async def main() -> None:
        wire = Wire()
        writer = AnswerWriter(Outflow(wire, SystemClock(), None), lambda: "Date: x\r\n")
        answer = Response(200, _pieces(), content_type="", length=3)
        await writer.send(answer, close=False, head_only=False, chunks=True)
        assert wire.sent == b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nDate: x\r\n\r\nabc"

    asyncio.run(main())


def test_a_stream_nobody_reads_on_is_closed() -> None:
    async def main() -> None:
        stream = _pieces()
        await dispose(Response(200, stream))
        assert [piece async for piece in stream] == []
        await dispose(Response(200, b""))

    asyncio.run(main())


class Pushed(AsyncIterator[bytes]):
    """Iterates, and pushes between its pieces."""

    def __init__(self) -> None:
        self._pieces = [b"a", b"c"]
        self._take: Callable[[bytes], bool] = lambda _: False
        self.taken: list[bool] = []

    def push_to(self, take: Callable[[bytes], bool]) -> None:
        self._take = take

    async def __anext__(self) -> bytes:
        if not self._pieces:
            raise StopAsyncIteration
        if len(self._pieces) == 1:
            self.taken = [self._take(b"b"), self._take(bytes(1 << 20))]
        return self._pieces.pop(0)


def test_what_is_pushed_takes_its_place_in_the_stream() -> None:
    async def main() -> None:
        body = Pushed()
        sent = await _sent(body, head_only=False, chunks=True)
        chunks = b"1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n"
        assert sent == b"Transfer-Encoding: chunked\r\n\r\n" + chunks
        assert body.taken == [True, False], "what is long waits for its turn"

    asyncio.run(main())


def test_nothing_is_pushed_to_a_client_without_chunks() -> None:
    async def main() -> None:
        body = Pushed()
        assert await _sent(body, head_only=False, chunks=False) == b"\r\nac"
        assert body.taken == [False, False]

    asyncio.run(main())


def test_an_upgrade_that_never_begins_finds_its_client_gone() -> None:
    async def main() -> None:
        found: list[object] = []

        async def upgrade(client: ByteStream) -> None:
            try:
                found.append(await client.read())
                await client.write(b"?")
            finally:
                found.append("cleaned up")

        await dispose(Response(101, upgrade=upgrade))
        assert found == [b"", "cleaned up"]

    asyncio.run(main())
