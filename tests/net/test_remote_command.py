import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from fakes.pipe import PipeEnd, pipe
from pilothouse.net.channels import ERROR, RESIZE, STDERR, STDIN, STDOUT, ChannelProtocol, choose_protocol
from pilothouse.net.remote_command import Wanted, translate, tunnel
from pilothouse.net.spdy_connection import SpdyConnection, SpdyStream, spdy_connection
from pilothouse.net.websocket_connection import MessageStream, WebSocket
from pilothouse.runtime.clock import SystemClock

CLOCK = SystemClock()
SUCCESS = b'{"metadata":{},"status":"Success"}'
FAILURE = b'{"metadata":{},"status":"Failure","reason":"NonZeroExitCode","message":"exit code 3"}'

Streams = dict[str, SpdyStream]
Command = Callable[[Streams, SpdyConnection], Awaitable[None]]


def _protocol(name: str) -> ChannelProtocol:
    found = choose_protocol([name])
    assert found is not None
    return found


class Client:
    """A WebSocket client that collects what each channel brings."""

    def __init__(self, socket: WebSocket, protocol: ChannelProtocol) -> None:
        self.socket = socket
        self.protocol = protocol
        self.order: list[int] = []
        self.received: dict[int, bytes] = {}

    async def send(self, channel: int, data: bytes) -> None:
        message = self.protocol.encode(channel, data)
        await self.socket.send(message.data, text=message.text)

    async def finish(self) -> None:
        while (message := await self.socket.receive()) is not None:
            channel, data = self.protocol.decode(message)
            self.order.append(channel)
            self.received[channel] = self.received.get(channel, b"") + (data or b"")


def _session(name: str, wanted: Wanted, command: Command, talk: Callable[[Client], Awaitable[None]]) -> Client:
    """One session with a runtime that runs `command`, as a client of protocol `name` sees it."""
    (near, client_end), (backend_end, runtime_end) = pipe(), pipe()
    client = Client(WebSocket(near, mask=lambda: b"abcd"), _protocol(name))

    async def run_command(end: PipeEnd) -> None:
        async with spdy_connection(end, client=False) as connection:
            streams: Streams = {}
            for _ in wanted.channels:
                stream = await connection.accept()
                if stream is None:
                    return
                streams[stream.headers["streamtype"]] = stream
            await command(streams, connection)
            for stream in streams.values():
                await stream.reset()

    async def main() -> None:
        async with CLOCK.timeout(5), asyncio.TaskGroup() as group:
            group.create_task(run_command(runtime_end))
            group.create_task(translate(client_end, client.protocol, backend_end, wanted, CLOCK))
            await talk(client)
            await client.finish()

    asyncio.run(main())
    return client


async def _quiet(client: Client) -> None:
    pass


def test_output_comes_on_its_channels_and_the_status_last() -> None:
    async def command(streams: Streams, connection: SpdyConnection) -> None:
        await streams["stdout"].write(b"out" * 50_000)
        await streams["stderr"].write(b"err")
        await streams["error"].write(SUCCESS)

    client = _session("v5.channel.k8s.io", Wanted(stdout=True, stderr=True), command, _quiet)
    assert client.received == {STDOUT: b"out" * 50_000, STDERR: b"err", ERROR: SUCCESS}
    assert (client.order[0], client.order[-1]) == (STDOUT, ERROR)


async def _cat(streams: Streams, connection: SpdyConnection) -> None:
    while data := await streams["stdin"].read():
        await streams["stdout"].write(data)
    await streams["error"].write(SUCCESS)


def test_version_5_ends_stdin() -> None:
    async def talk(client: Client) -> None:
        await client.send(STDIN, b"one ")
        await client.send(STDIN, b"two")
        await client.socket.send(client.protocol.encode_close(STDIN).data)

    client = _session("v5.channel.k8s.io", Wanted(stdin=True, stdout=True), _cat, talk)
    assert client.received == {STDOUT: b"one two", ERROR: SUCCESS}


@pytest.mark.parametrize("name", ["v4.channel.k8s.io", "base64.channel.k8s.io", "v4.base64.channel.k8s.io"])
def test_older_protocols_carry_the_same(name: str) -> None:
    async def command(streams: Streams, connection: SpdyConnection) -> None:
        await streams["stdout"].write(await streams["stdin"].read())
        await streams["error"].write(SUCCESS)

    async def talk(client: Client) -> None:
        await client.send(STDIN, b"one")

    client = _session(name, Wanted(stdin=True, stdout=True), command, talk)
    assert client.received[STDOUT] == b"one"


def test_a_terminal_has_a_size_and_no_stderr() -> None:
    sizes: list[bytes] = []

    async def command(streams: Streams, connection: SpdyConnection) -> None:
        assert sorted(streams) == ["error", "resize", "stdin", "stdout"]
        sizes.append(await streams["resize"].read())
        await streams["error"].write(SUCCESS)

    async def talk(client: Client) -> None:
        await client.send(RESIZE, b'{"Width":80,"Height":24}')

    _session("v5.channel.k8s.io", Wanted(stdin=True, stdout=True, stderr=True, tty=True), command, talk)
    assert sizes == [b'{"Width":80,"Height":24}']


@pytest.mark.parametrize(
    ("name", "status", "expected"),
    [
        ("v5.channel.k8s.io", FAILURE, FAILURE),
        ("v4.channel.k8s.io", FAILURE, FAILURE),
        ("channel.k8s.io", FAILURE, b"exit code 3"),
        ("channel.k8s.io", SUCCESS, None),
    ],
)
def test_the_status_as_each_protocol_tells_it(name: str, status: bytes, expected: bytes | None) -> None:
    async def command(streams: Streams, connection: SpdyConnection) -> None:
        await streams["error"].write(status)

    assert _session(name, Wanted(stdout=True), command, _quiet).received.get(ERROR) == expected


def test_a_lost_runtime_is_not_success() -> None:
    async def command(streams: Streams, connection: SpdyConnection) -> None:
        await streams["stdout"].write(b"half")
        await connection.close()

    client = _session("v5.channel.k8s.io", Wanted(stdout=True), command, _quiet)
    assert client.received[STDOUT] == b"half"
    status = json.loads(client.received[ERROR])
    assert (status["status"], status["code"]) == ("Failure", 500)


def test_a_client_that_leaves_ends_the_session() -> None:
    ended: list[bool] = []

    async def command(streams: Streams, connection: SpdyConnection) -> None:
        with pytest.raises(ConnectionError):
            await streams["stdin"].read()
        ended.append(True)

    async def talk(client: Client) -> None:
        await client.send(STDIN, b"")
        await CLOCK.sleep(0.05)
        await client.socket.close()

    _session("v5.channel.k8s.io", Wanted(stdin=True, stdout=True), command, talk)
    assert ended == [True]


def test_messages_of_no_channel_are_dropped() -> None:
    async def talk(client: Client) -> None:
        for data in (b"", b"\xff", b"\x09x", b"\x01not yours", b"\x04{}"):
            await client.socket.send(data)
        await client.send(STDIN, b"fine")
        await client.socket.send(client.protocol.encode_close(STDIN).data)

    client = _session("v5.channel.k8s.io", Wanted(stdin=True, stdout=True), _cat, talk)
    assert client.received[STDOUT] == b"fine"


def test_a_tunnel_carries_spdy() -> None:
    async def main() -> None:
        (near, client_end), (backend_end, runtime_end) = pipe(), pipe()
        async with CLOCK.timeout(5), asyncio.TaskGroup() as group:
            group.create_task(tunnel(client_end, backend_end))
            mine = MessageStream(WebSocket(near, mask=lambda: b"abcd"))
            async with (
                spdy_connection(mine, client=True) as client,
                spdy_connection(runtime_end, client=False) as server,
            ):
                stream = await client.open({"streamtype": "data", "port": "80"})
                accepted = await server.accept()
                assert accepted is not None
                await stream.write(b"GET /")
                assert await accepted.read() == b"GET /"

    asyncio.run(main())
