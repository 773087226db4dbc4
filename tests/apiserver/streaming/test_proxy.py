"""A client, the API server's side, and a kubelet that runs `cat`, over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pilothouse.api.machinery.errors import BadRequest, Forbidden, InternalError, NotFound, StatusError
from pilothouse.apiserver.streaming.location import Kubelet
from pilothouse.apiserver.streaming.proxy import KubeletProxy
from pilothouse.net.channels import ERROR, STDIN, STDOUT, choose_protocol
from pilothouse.net.dial import Reply, ask, dial
from pilothouse.net.http import ByteStream, Handler, Peer, Request, Response
from pilothouse.net.relay import stream_protocols
from pilothouse.net.remote_command import Wanted
from pilothouse.net.server import serve
from pilothouse.net.spdy_connection import SpdyStream, spdy_connection
from pilothouse.net.stream import ConnectionStream
from pilothouse.net.websocket import check_answer, request_headers
from pilothouse.net.websocket_connection import MessageStream, WebSocket
from pilothouse.runtime.clock import SystemClock

CLOCK = SystemClock()
KEY = bytes(16)
SUCCESS = b'{"metadata":{},"status":"Success"}'
EXEC = "/api/v1/namespaces/shop/pods/web/exec?stdin=1&stdout=1"
FORWARD = "/api/v1/namespaces/shop/pods/web/portforward"


async def _cat(stream: ByteStream) -> None:
    async with spdy_connection(stream, client=False) as connection:
        streams: dict[str, SpdyStream] = {}
        for _ in range(3):
            accepted = await connection.accept()
            if accepted is None:
                return
            streams[accepted.headers["streamtype"]] = accepted
        while data := await streams["stdin"].read():
            await streams["stdout"].write(data)
        await streams["error"].write(SUCCESS)


async def _echo(stream: ByteStream) -> None:
    async with spdy_connection(stream, client=False) as connection:
        while (accepted := await connection.accept()) is not None:
            await accepted.write(await accepted.read())


async def kubelet(request: Request) -> Response:
    offered = stream_protocols(request.headers)
    if request.headers.get("upgrade") == "websocket":
        return Response(403, b"unknown protocol", content_type="text/plain")
    if request.target.startswith("/missing"):
        return Response(404, b'container not found ("x")', content_type="text/plain")
    headers = {"Connection": "Upgrade", "Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": offered[0]}
    return Response(101, b"", headers, upgrade=_cat if request.target.startswith("/exec") else _echo)


@asynccontextmanager
async def _front(
    target: str, behind: Handler = kubelet
) -> AsyncIterator[Callable[[str, dict[str, Any]], Coroutine[Any, Any, tuple[ConnectionStream, Reply]]]]:
    """What asks the API server, which asks a kubelet for `target`."""
    errors: list[StatusError] = []
    async with serve(behind, "127.0.0.1", 0, None, CLOCK, grace=0.1) as node:

        async def handle(request: Request) -> Response:
            proxy, where = KubeletProxy(None, CLOCK), Kubelet("127.0.0.1", node.port)
            try:
                if "/portforward" in request.target:
                    return await proxy.port_forward(request, where, target)
                return await proxy.command(request, where, target, Wanted(stdin=True, stdout=True))
            except StatusError as error:
                errors.append(error)
                return Response(error.code, error.message.encode())

        async with serve(handle, "127.0.0.1", 0, None, CLOCK, grace=0.1) as front, CLOCK.timeout(10):

            async def connect(path: str, headers: dict[str, Any]) -> tuple[ConnectionStream, Reply]:
                stream = await dial("127.0.0.1", front.port, None, CLOCK)
                method = "GET" if headers.get("Upgrade") == "websocket" else "POST"
                return stream, await ask(stream, method, path, {"Host": "x", **headers})

            yield connect


def _spdy(*protocols: str) -> dict[str, Any]:
    return {"Connection": "Upgrade", "Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": protocols}


@pytest.mark.parametrize("protocol", ["v5.channel.k8s.io", "v4.channel.k8s.io"])
def test_exec_by_websocket(protocol: str) -> None:
    async def main() -> None:
        async with _front("/exec/shop/web/app?input=1&output=1") as connect:
            stream, reply = await connect(EXEC, request_headers(KEY, [protocol, "v4.channel.k8s.io"]))
            assert check_answer(KEY, [protocol], reply.headers) == protocol
            socket, channels = WebSocket(stream, mask=lambda: b"abcd"), choose_protocol([protocol])
            assert channels is not None
            await socket.send(channels.encode(STDIN, b"hello").data)
            received: dict[int, bytes] = {}
            while STDOUT not in received or not received[STDOUT]:
                message = await socket.receive()
                assert message is not None
                channel, data = channels.decode(message)
                received[channel] = received.get(channel, b"") + (data or b"")
            assert received == {STDOUT: b"hello"}
            if channels.closes:
                await socket.send(channels.encode_close(STDIN).data)
                status = await socket.receive()
                assert status is not None
                assert channels.decode(status) == (ERROR, SUCCESS)
                assert await socket.receive() is None
            await socket.close()

    asyncio.run(main())


def test_exec_by_spdy_is_joined() -> None:
    async def main() -> None:
        async with _front("/exec/shop/web/app") as connect:
            stream, reply = await connect(EXEC, _spdy("v4.channel.k8s.io", "v3.channel.k8s.io"))
            assert reply.headers["x-stream-protocol-version"] == "v4.channel.k8s.io"
            async with spdy_connection(stream, client=True) as client:
                error, stdin, stdout = [
                    await client.open({"streamtype": kind}) for kind in ("error", "stdin", "stdout")
                ]
                await stdin.write(b"hello")
                assert await stdout.read() == b"hello"
                await stdin.finish()
                assert await error.read() == SUCCESS

    asyncio.run(main())


def test_port_forward_tunnelled_through_a_websocket() -> None:
    async def main() -> None:
        async with _front("/portForward/shop/web") as connect:
            offered = ["SPDY/3.1+portforward.k8s.io"]
            stream, reply = await connect(FORWARD, request_headers(KEY, offered))
            assert check_answer(KEY, offered, reply.headers) == offered[0]
            tunnelled = MessageStream(WebSocket(stream, mask=lambda: b"abcd"))
            async with spdy_connection(tunnelled, client=True) as client:
                data = await client.open({"streamtype": "data", "port": "80", "requestid": "0"})
                await data.write(b"GET /")
                assert await data.read() == b"GET /"

    asyncio.run(main())


def test_port_forward_by_spdy_is_joined() -> None:
    async def main() -> None:
        async with _front("/portForward/shop/web") as connect:
            stream, _ = await connect(FORWARD, _spdy("portforward.k8s.io"))
            async with spdy_connection(stream, client=True) as client:
                data = await client.open({"streamtype": "data", "port": "80", "requestid": "0"})
                await data.write(b"x")
                assert await data.read() == b"x"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("path", "headers", "status", "text"),
    [
        (EXEC, {}, 400, b"Upgrade request required"),
        (FORWARD, {}, 400, b"Upgrade request required"),
        (EXEC, {"Connection": "Upgrade", "Upgrade": "h2c"}, 400, b"Upgrade request required"),
        (EXEC, request_headers(KEY, ["v9.channel.k8s.io"]), 403,
         b"requested protocol(s) are not supported: [v9.channel.k8s.io]"),
        (EXEC, {**request_headers(KEY, ["v5.channel.k8s.io"]), "Sec-WebSocket-Key": "x"}, 400,
         b"missing or bad Sec-WebSocket-Key"),
        (EXEC, request_headers(KEY, ["v5.channel.k8s.io"]), 404, b'container not found ("x")'),
        (EXEC, _spdy("v4.channel.k8s.io"), 404, b'container not found ("x")'),
        (FORWARD, request_headers(KEY, ["SPDY/3.1+portforward.k8s.io"]), 404, b'container not found ("x")'),
        (FORWARD, request_headers(KEY, ["v4.channel.k8s.io"]), 403, b"unknown protocol"),
    ],
)  # fmt: skip
def test_refusals_are_answers(path: str, headers: dict[str, Any], status: int, text: bytes) -> None:
    async def main() -> None:
        async with _front("/missing") as connect:
            _, reply = await connect(path, headers)
            assert (reply.status, await reply.read(1000)) == (status, text)

    asyncio.run(main())


@asynccontextmanager
async def _log(handler: Handler) -> AsyncIterator[Coroutine[Any, Any, Response]]:
    async with serve(handler, "127.0.0.1", 0, None, CLOCK, grace=0.1) as node, CLOCK.timeout(10):
        yield KubeletProxy(None, CLOCK).log(Kubelet("127.0.0.1", node.port), "/containerLogs/a/b/c?follow=true", "b")


def test_a_log_is_passed_on_as_it_comes() -> None:
    async def main() -> None:
        more, seen = asyncio.Event(), []

        async def pieces() -> AsyncIterator[bytes]:
            yield b"one\n"
            await more.wait()
            yield b"two\n"

        async def node(request: Request) -> Response:
            seen.append(request.target)
            return Response(200, pieces(), content_type="text/plain")

        async with _log(node) as asked:
            response = await asked
            assert isinstance(response.body, AsyncIterator)
            assert await anext(response.body) == b"one\n"
            more.set()
            assert [piece async for piece in response.body] == [b"two\n"]
            assert response.content_type == "text/plain"
        assert seen == ["/containerLogs/a/b/c?follow=true"]

    asyncio.run(main())


def test_a_client_that_leaves_a_log_ends_it_at_the_kubelet() -> None:
    async def main() -> None:
        ended = asyncio.Event()

        async def node(request: Request) -> Response:
            async def pieces() -> AsyncIterator[bytes]:
                try:
                    await asyncio.Event().wait()
                    yield b""
                finally:
                    ended.set()

            return Response(200, pieces())

        async with _log(node) as asked:
            response = await asked
            close = getattr(response.body, "aclose", None)
            assert close is not None
            await close()
            await ended.wait()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (400, BadRequest, "text"),
        (403, Forbidden, "text"),
        (404, NotFound, "the server could not find the requested resource ( pods/log b)"),
        (500, InternalError, "Internal error occurred: text"),
        (302, StatusError, "the server responded with the status code 302 but did not return more information"),
    ],
)
def test_a_kubelet_that_refuses_a_log(status: int, kind: type[StatusError], message: str) -> None:
    """The wording for 302, 403 and 404 is assumed."""

    async def node(request: Request) -> Response:
        return Response(status, b"text")

    async def main() -> None:
        async with _log(node) as asked:
            with pytest.raises(kind) as caught:
                await asked
            assert caught.value.message == message

    asyncio.run(main())


def test_a_page_for_the_server_itself() -> None:
    async def node(request: Request) -> Response:
        pages = {"/metrics/resource": b"all of it", "/metrics/long": bytes((4 << 20) + 1)}
        found = pages.get(request.target)
        return Response(403, b"Forbidden") if found is None else Response(200, found)

    async def main() -> None:
        async with serve(node, "127.0.0.1", 0, None, CLOCK, grace=0.1) as listening, CLOCK.timeout(10):
            proxy, kubelet = KubeletProxy(None, CLOCK), Kubelet("127.0.0.1", listening.port)
            assert await proxy.page(kubelet, "/metrics/resource") == "all of it"
            with pytest.raises(StatusError, match="/metrics/other: status 403"):
                await proxy.page(kubelet, "/metrics/other")
            # A part of it would end in the middle of a number.
            with pytest.raises(StatusError, match="/metrics/long: the page is too long"):
                await proxy.page(kubelet, "/metrics/long")
            with pytest.raises(StatusError, match="no such address"):
                await proxy.page(Kubelet("127.0.0.1", 70_000), "/metrics/resource")

    asyncio.run(main())


def test_a_kubelet_that_is_not_there() -> None:
    nowhere = Kubelet("127.0.0.1", 1)
    upgrade = {"connection": "upgrade", "upgrade": "SPDY/3.1"}
    request = Request("POST", EXEC, upgrade, Peer(""))
    proxy = KubeletProxy(None, CLOCK)
    with pytest.raises(StatusError) as caught:
        asyncio.run(proxy.command(request, nowhere, "/exec/a/b/c", Wanted()))
    assert caught.value.message == "error dialing backend: dial tcp 127.0.0.1:1: connect: connection refused"
    with pytest.raises(StatusError) as caught:
        asyncio.run(proxy.log(nowhere, "/containerLogs/a/b/c", "b"))
    expected = 'Get "http://127.0.0.1:1/containerLogs/a/b/c": dial tcp 127.0.0.1:1: connect: connection refused'
    assert (caught.value.code, caught.value.message) == (500, expected)
