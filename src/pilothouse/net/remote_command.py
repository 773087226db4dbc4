"""Translating a WebSocket client's exec or attach to the SPDY that container runtimes speak, and tunnelling.

kubectl from 1.30 and the official Python client open WebSockets; containerd refuses `v5.channel.k8s.io` and its v4
cannot end stdin. So the server speaks the channels with the client and, as a client itself, v4 over SPDY with the
runtime: one stream for each channel. Port-forward over WebSocket carries SPDY itself and is only unwrapped.
(KEP-4006; streamtranslator and streamtunnel of apiserver/pkg/util/proxy.)
"""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass

from pilothouse.net.channels import ERROR, RESIZE, STDERR, STDIN, STDOUT, ChannelError, ChannelProtocol
from pilothouse.net.http import ByteStream
from pilothouse.net.spdy_connection import SpdyConnection, SpdyStream, spdy_connection
from pilothouse.net.splice import splice
from pilothouse.net.websocket_connection import MessageStream, WebSocket
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.tasks import Tasks

BACKEND_PROTOCOL = "v4.channel.k8s.io"
"""What is spoken over SPDY: the error stream carries a Status."""
TUNNEL_PREFIX = "SPDY/3.1+"
_FAREWELL = 15 * 60.0
"""How long a client may take to read what is left and close, as upstream allows."""
_MAX_STATUS = 1024 * 1024
_NAMES = {ERROR: "error", STDIN: "stdin", STDOUT: "stdout", STDERR: "stderr", RESIZE: "resize"}
_LOST = "the connection to the node was lost before the command ended"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The streams a session has. A terminal has no stderr of its own, and a size."""

    stdin: bool = False
    stdout: bool = False
    stderr: bool = False
    tty: bool = False

    @property
    def channels(self) -> tuple[int, ...]:
        """The channels in the order in which their streams are opened."""
        stderr = self.stderr and not self.tty
        wanted = ((ERROR, True), (STDIN, self.stdin), (STDOUT, self.stdout), (STDERR, stderr), (RESIZE, self.tty))
        return tuple(channel for channel, want in wanted if want)


async def translate(
    client: ByteStream, protocol: ChannelProtocol, backend: ByteStream, wanted: Wanted, clock: Clock
) -> None:
    """Run one session between a WebSocket client and a SPDY backend, both just upgraded; both are closed in the end."""
    socket = WebSocket(client)
    session = _Session(socket, protocol, wanted)
    try:
        async with Tasks() as tasks:
            reading = tasks.spawn(session.read_client(), name="client")
            working = tasks.spawn(session.run(backend), name="session")
            await asyncio.wait((reading, working), return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                await socket.goodbye()
                with suppress(TimeoutError):
                    async with clock.timeout(_FAREWELL):
                        await asyncio.wait((reading,))
    finally:
        await backend.close()
        await socket.close()


async def tunnel(client: ByteStream, backend: ByteStream) -> None:
    """Carry a SPDY connection that travels in the messages of a WebSocket; both are closed in the end."""
    await splice(MessageStream(WebSocket(client)), backend, halves=False)


class _Session:
    """Streams of the backend by channel, and the two directions between them and the client."""

    def __init__(self, socket: WebSocket, protocol: ChannelProtocol, wanted: Wanted) -> None:
        self._socket = socket
        self._protocol = protocol
        self._wanted = wanted
        self._streams: dict[int, SpdyStream] = {}
        self._opened = asyncio.Event()

    async def run(self, backend: ByteStream) -> None:
        """Open the streams, pass the output on, and last of all the status."""
        try:
            first = next((channel for channel in self._wanted.channels if channel in (STDOUT, STDERR)), ERROR)
            await self._send(first, b"")
            async with spdy_connection(backend, client=True) as connection:
                status = await self._converse(connection)
            self._opened.set()
            if status:
                await self._send(ERROR, status)
        except* ConnectionError:
            self._opened.set()

    async def _converse(self, connection: SpdyConnection) -> bytes:
        try:
            for channel in self._wanted.channels:
                self._streams[channel] = await connection.open({"streamtype": _NAMES[channel]})
        except ConnectionError:
            return self._status(b"")
        self._opened.set()
        outputs = [channel for channel in (STDOUT, STDERR) if channel in self._streams]
        async with asyncio.TaskGroup() as group:
            for channel in outputs:
                group.create_task(self._pass_on(channel))
            status = group.create_task(_whole(self._streams[ERROR]))
        return self._status(status.result())

    async def _pass_on(self, channel: int) -> None:
        stream = self._streams[channel]
        while data := await _read(stream):
            await self._send(channel, data)

    async def read_client(self) -> None:
        """Pass the client's input on until it leaves."""
        with suppress(ConnectionError):
            while (message := await self._socket.receive()) is not None:
                try:
                    channel, data = self._protocol.decode(message)
                except ChannelError:
                    continue  # as upstream: what belongs to no channel is dropped
                await self._opened.wait()
                stream = self._streams.get(channel)
                if stream is None or channel not in (STDIN, RESIZE):
                    continue
                with suppress(ConnectionError):  # the command may have ended before its input
                    await (stream.finish() if data is None else stream.write(data))

    async def _send(self, channel: int, data: bytes) -> None:
        message = self._protocol.encode(channel, data)
        await self._socket.send(message.data, text=message.text)

    def _status(self, received: bytes) -> bytes:
        """What the error channel carries in this protocol."""
        status = received or json.dumps(_lost_status()).encode()
        if self._protocol.status:
            return status
        try:
            found = json.loads(status)
        except ValueError:
            return status
        return b"" if found.get("status") == "Success" else str(found.get("message", "")).encode()


async def _read(stream: SpdyStream) -> bytes:
    """The next bytes; a reset ends a stream like any end does: runtimes reset all streams when they are done."""
    try:
        return await stream.read()
    except ConnectionError:
        return b""


async def _whole(stream: SpdyStream) -> bytes:
    whole = b""
    while data := await _read(stream):
        whole += data
        if len(whole) > _MAX_STATUS:
            return b""
    return whole


def _lost_status() -> dict[str, object]:
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"Internal error occurred: {_LOST}",
        "reason": "InternalError",
        "details": {"causes": [{"message": _LOST}]},
        "code": 500,
    }
