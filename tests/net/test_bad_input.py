"""The front door and bytes that are no good HTTP: every piece of the head cut, joined and replaced, from a seed.

Whatever comes, a connection ends, or answers; nothing that follows a refusal is handled, no body is taken for a head,
and the server serves the next client. Sockets are left out: what asyncio calls is called here.
"""

import asyncio
from random import Random  # noqa: TID251 - what is sent is to be the same every time

import pytest

from pilothouse.net.door import Door, Limits
from pilothouse.net.http import BodyTooLarge, Request, Response
from pilothouse.net.server_connection import ServerConnection
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.loop import run

SECRET = "/secret"
PIECES = (
    b"GET ", b"POST ", b"HEAD ", b"/a", b"//", b"/..", b"/%2f", b"/%00", b"/%zz", b"*", b"http://x/", b"?a=%ff",
    b"/\xff", b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", b" HTTP/9.9\r\n", b"\r\n", b"\n", b"\r", b"\x00", b" ", b"\t", b":",
    b"Host: x\r\n", b"Host: y\r\n", b"Host:\r\n", b"Content-Length: 3\r\n", b"Content-Length: 3, 3\r\n",
    b"Content-Length: -1\r\n", b"Content-Length: 0x3\r\n", b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: \x0bchunked\r\n", b"Transfer-Encoding: identity\r\n",
    b"Transfer-Encoding : chunked\r\n", b" folded\r\n", b"X: \xff\xfe\r\n", b"Connection: close\r\n",
    b"Connection: upgrade\r\nUpgrade: websocket\r\n", b"Expect: 100-continue\r\n", b"abc", b"3\r\nabc\r\n",
    b"3;x=y\r\nabc\r\n", b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"-1\r\n", b"ffffffffffffffffff\r\n", b"g\r\n",
    b"\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
    b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", b"A" * 3000,
)  # fmt: skip
SMUGGLED = b"GET /secret HTTP/1.1\r\nHost: x\r\n\r\n"
REFUSED = (
    b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 34\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff1\r\na\r\n0\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
    b"GET /a HTTP/1.1\nHost: x\nX-A\n\n",
    b"GET http://x/a HTTP/1.1\r\nHost: x\r\n\r\n",
)


class _Wire(asyncio.Transport):
    """What a connection writes to, and how it ended."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = bytearray()
        self.protocol: ServerConnection | None = None
        self.closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += data

    def writelines(self, list_of_data: object) -> None:
        for piece in list_of_data:  # type: ignore[attr-defined]
            self.sent += piece

    def is_closing(self) -> bool:
        return self.closing

    def get_extra_info(self, name: str, default: object = None) -> object:
        return ("127.0.0.1", 1) if name == "peername" else default

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def abort(self) -> None:
        self.close()

    def close(self) -> None:
        if not self.closing:
            self.closing = True
            assert self.protocol is not None
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)


class Talk:
    """One server, to which many talk one after the other."""

    def __init__(self, clock: LoopClock, tasks: Tasks) -> None:
        self.clock = clock
        self.handled: list[Request] = []
        self.door = Door(self._handle, clock, Limits(header_bytes=2048, header_count=20), tasks)

    async def _handle(self, request: Request) -> Response:
        self.handled.append(request)
        try:
            return Response(200, str(len(await request.read(1000))).encode())
        except BodyTooLarge:
            return Response(413)

    async def say(self, data: bytes, pieces: int, *, leave: bool = False) -> bytes:
        """Send the bytes in so many pieces; what came back when the connection had ended."""
        wire = _Wire()
        connection = wire.protocol = ServerConnection(self.door)
        connection.connection_made(wire)
        size = -(-len(data) // pieces) or 1
        for start in range(0, len(data), size):
            if wire.closing:
                break
            part = data[start : start + size]
            connection.get_buffer(-1)[: len(part)] = part
            connection.buffer_updated(len(part))
            await self.clock.sleep(0)
        if leave:
            wire.close()
        while connection in self.door.connections:
            await self.clock.sleep(1.0)
        return bytes(wire.sent)


def _talk(story: object) -> None:
    async def main(clock: LoopClock, _chance: Chance) -> None:
        async with Tasks() as tasks:
            await story(Talk(clock, tasks))  # type: ignore[operator]
            tasks.cancel_all()

    run(main)


@pytest.mark.parametrize("seed", range(8))
def test_pieces_in_any_order(seed: int, pytestconfig: pytest.Config) -> None:
    chance = Random(f"{pytestconfig.getoption('--from')}{seed}")

    async def story(talk: Talk) -> None:
        for _ in range(10 * pytestconfig.getoption("--examples")):
            data = b"".join((chance.choice((b"", *PIECES[-4:-1])), *chance.choices(PIECES, k=chance.randrange(1, 14))))
            answer = await talk.say(data, chance.choice((1, 1, 2, 7, 100)), leave=chance.random() < 0.2)
            assert not answer or answer.startswith(b"HTTP/1.1 "), (data, answer)
            assert b"HTTP/1.1 500" not in answer, (data, answer)
        assert talk.handled, "some of it is good"
        for request in talk.handled:
            assert request.target.startswith("/")
            assert request.target.isascii()
        assert (await talk.say(PIECES[-4], 1)).startswith(b"HTTP/1.1 200"), "it serves the next"

    _talk(story)


@pytest.mark.parametrize("refused", REFUSED, ids=range(len(REFUSED)))
def test_nothing_is_handled_behind_what_is_refused(refused: bytes) -> None:
    async def story(talk: Talk) -> None:
        for pieces in (1, 3, len(refused)):
            answer = await talk.say(refused + SMUGGLED, pieces)
            assert answer.startswith(b"HTTP/1.1 4"), answer
            assert answer.count(b"HTTP/1.1 ") == 1, answer
        assert [request.target for request in talk.handled if request.target == SECRET] == []

    _talk(story)


def test_a_client_that_leaves_or_falls_silent_after_every_byte() -> None:
    whole = b"POST /a?b=%20 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n"

    async def story(talk: Talk) -> None:
        for end in range(len(whole)):
            assert await talk.say(whole[:end], 2, leave=True) == b""
            answer = await talk.say(whole[:end], 2)
            assert answer.startswith(b"HTTP/1.1 408") or answer == b"", (end, answer)
        assert (await talk.say(whole, 1)).startswith(b"HTTP/1.1 200")

    _talk(story)
