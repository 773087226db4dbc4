"""Sessions over real sockets: SPDY joined, WebSockets translated, the runtime's refusals passed on."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kubelet.server.harness import CLOCK, TestNode, node
from kubelet.web import unused_port
from pilothouse.net.channels import ERROR, STDIN, STDOUT, choose_protocol
from pilothouse.net.dial import Reply, ask, dial
from pilothouse.net.server import serve
from pilothouse.net.spdy_connection import spdy_connection
from pilothouse.net.stream import ConnectionStream
from pilothouse.net.websocket import check_answer, request_headers
from pilothouse.net.websocket_connection import MessageStream, WebSocket

KEY = bytes(16)
EXEC = "/exec/shop/web/app?input=1&output=1&command=cat"
FORWARD = "/portForward/shop/web"
V4, V5 = "v4.channel.k8s.io", "v5.channel.k8s.io"
TUNNEL = "SPDY/3.1+portforward.k8s.io"
SUCCESS = b'{"metadata":{},"status":"Success"}'
Connect = Callable[[str, dict[str, Any]], Coroutine[Any, Any, tuple[ConnectionStream, Reply]]]


@asynccontextmanager
async def front(tmp_path: Path, change: Callable[[TestNode], None] | None = None) -> AsyncIterator[Connect]:
    async with node(tmp_path) as one, serve(one.handler, "127.0.0.1", 0, None, CLOCK, grace=0.1) as door:
        if change is not None:
            change(one)

        async def connect(path: str, headers: dict[str, Any]) -> tuple[ConnectionStream, Reply]:
            stream = await dial("127.0.0.1", door.port, None, CLOCK)
            return stream, await ask(stream, "GET", path, {"Host": "x", **headers})

        yield connect


def spdy(*protocols: str) -> dict[str, Any]:
    return {"Connection": "Upgrade", "Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": protocols}


@pytest.mark.parametrize("path", [EXEC, "/attach/shop/web/app?input=1&output=1"])
def test_spdy_is_joined(tmp_path: Path, path: str) -> None:
    async def main() -> None:
        async with front(tmp_path) as connect:
            stream, reply = await connect(path, spdy(V4, "v3.channel.k8s.io"))
            assert reply.headers["x-stream-protocol-version"] == V4
            async with spdy_connection(stream, client=True) as client:
                error, stdin, stdout = [
                    await client.open({"streamtype": kind}) for kind in ("error", "stdin", "stdout")
                ]
                await stdin.write(b"hello")
                assert await stdout.read() == b"hello"
                await stdin.finish()
                assert await error.read() == SUCCESS

    asyncio.run(main())


def test_a_websocket_of_v5_is_translated(tmp_path: Path) -> None:
    async def main() -> None:
        async with front(tmp_path) as connect:
            stream, reply = await connect(EXEC, request_headers(KEY, [V5, V4]))
            assert check_answer(KEY, [V5], reply.headers) == V5
            socket, channels = WebSocket(stream, mask=lambda: b"abcd"), choose_protocol([V5])
            assert channels is not None
            await socket.send(channels.encode(STDIN, b"hello").data)
            received: dict[int, bytes] = {}
            while not received.get(STDOUT):
                message = await socket.receive()
                assert message is not None
                channel, data = channels.decode(message)
                received[channel] = received.get(channel, b"") + (data or b"")
            assert received == {STDOUT: b"hello"}
            await socket.send(channels.encode_close(STDIN).data)
            status = await socket.receive()
            assert status is not None
            assert channels.decode(status) == (ERROR, SUCCESS)
            await socket.close()

    asyncio.run(main())


def test_ports_are_forwarded_by_spdy_and_through_websockets(tmp_path: Path) -> None:
    async def main() -> None:
        async with front(tmp_path) as connect:
            plain, _ = await connect(FORWARD, spdy("portforward.k8s.io"))
            wrapped, reply = await connect(FORWARD, request_headers(KEY, [TUNNEL]))
            assert check_answer(KEY, [TUNNEL], reply.headers) == TUNNEL
            for stream in (plain, MessageStream(WebSocket(wrapped, mask=lambda: b"abcd"))):
                async with spdy_connection(stream, client=True) as client:
                    data = await client.open({"streamtype": "data", "port": "80", "requestid": "0"})
                    await data.write(b"x")
                    assert await data.read() == b"x"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("path", "headers", "status", "words"),
    [
        (EXEC, {}, 500, b"Upgrade request required\n"),
        (FORWARD, {}, 500, b"Upgrade request required\n"),
        (EXEC, request_headers(KEY, [V4]), 403, b"unknown protocol"),
        (f"{FORWARD}?port=80", request_headers(KEY, [V4]), 403, b"unknown protocol"),
        (EXEC, {**request_headers(KEY, [V5]), "Sec-WebSocket-Key": "x"}, 400, b"missing or bad Sec-WebSocket-Key"),
    ],
)
def test_refusals_are_answers(tmp_path: Path, path: str, headers: dict[str, Any], status: int, words: bytes) -> None:
    async def main() -> None:
        async with front(tmp_path) as connect:
            _, reply = await connect(path, headers)
            assert (reply.status, await reply.read(1000)) == (status, words)

    asyncio.run(main())


@pytest.mark.parametrize("headers", [spdy(V4), request_headers(KEY, [V5])])
def test_a_runtime_that_does_not_listen(tmp_path: Path, headers: dict[str, Any]) -> None:
    async def main() -> None:
        port = await unused_port()

        def deaf(one: TestNode) -> None:
            one.cri.url = f"http://127.0.0.1:{port}"

        async with front(tmp_path, deaf) as connect:
            _, reply = await connect(EXEC, headers)
            assert reply.status == 500
            assert (await reply.read(1000)).startswith(b"error dialing backend: ")

    asyncio.run(main())


def test_a_runtime_is_not_spoken_to_but_in_plain_http(tmp_path: Path) -> None:
    def elsewhere(one: TestNode) -> None:
        one.cri.url = "https://127.0.0.1:1"

    async def main() -> None:
        async with front(tmp_path, elsewhere) as connect:
            _, reply = await connect(EXEC, spdy(V4))
            words = b'the runtime streams at "https://127.0.0.1:1/exec/token", which is not plain HTTP\n'
            assert (reply.status, await reply.read(1000)) == (500, words)

    asyncio.run(main())
