"""A Transport over HTTP/2: one connection, as many requests at once as the server takes, then another connection.

Windows are those of Go's client, so that a large answer does not wait for leave to go on.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    DataReceived,
    Event,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.settings import SettingCodes

from pilothouse.client.transport import Answer, Headers, StreamedAnswer

_READ = 1 << 18
_STREAM_WINDOW, _CONNECTION_WINDOW = 4 << 20, 1 << 30


class Http2Transport:
    """The way to a server on this machine, with the identity that the context has."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        context.set_alpn_protocols(["h2"])
        self._port = port
        self._context = context
        self._connections: list[_Connection] = []
        self._opening = asyncio.Lock()

    async def send(self, method: str, target: str, headers: Headers, body: bytes = b"") -> Answer:
        """One request, answered whole."""
        async with self._exchange(method, target, headers, body) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    def stream(self, method: str, target: str, headers: Headers) -> AbstractAsyncContextManager[StreamedAnswer]:
        """One request whose answer is read as it comes; leaving the block ends it."""
        return self._exchange(method, target, headers, b"")

    async def close(self) -> None:
        """Close the connections."""
        for each in self._connections:
            each.close()

    @asynccontextmanager
    async def _exchange(self, method: str, target: str, headers: Headers, body: bytes) -> AsyncIterator[StreamedAnswer]:
        async with self._opening:
            connection = next((each for each in self._connections if each.has_room), None)
            if connection is None:
                connection = await _Connection.open(self._port, self._context)
                self._connections.append(connection)
            number, stream = connection.begin(method, target, headers, ends=not body)
        try:
            if body:
                await connection.send(number, body)
            head = await stream.head
            status = int(head.pop(":status"))
            yield StreamedAnswer(status, head, stream.pieces())
        finally:
            connection.end(number)


class _Stream:
    """An answer that arrives."""

    def __init__(self) -> None:
        self.head: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()
        self.arrived: asyncio.Queue[bytes] = asyncio.Queue()

    async def pieces(self) -> AsyncIterator[bytes]:
        while piece := await self.arrived.get():
            yield piece


class _Connection:
    """One connection, and a task that reads it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._engine = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self._engine.initiate_connection()
        self._engine.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: _STREAM_WINDOW})
        self._engine.increment_flow_control_window(_CONNECTION_WINDOW)
        self._streams: dict[int, _Stream] = {}
        self._greeted, self._window = asyncio.Event(), asyncio.Event()
        self._flush()
        self._task = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, port: int, context: ssl.SSLContext) -> "_Connection":
        made = cls(*await asyncio.open_connection("127.0.0.1", port, ssl=context, limit=_READ))
        await made._greeted.wait()
        return made

    @property
    def has_room(self) -> bool:
        return not self._task.done() and len(self._streams) < self._engine.remote_settings.max_concurrent_streams

    def begin(self, method: str, target: str, headers: Headers, *, ends: bool) -> tuple[int, _Stream]:
        number = self._engine.get_next_available_stream_id()
        head = {":method": method, ":scheme": "https", ":authority": "127.0.0.1", ":path": target, **headers}
        self._engine.send_headers(number, list(head.items()), end_stream=ends)
        self._flush()
        stream = self._streams[number] = _Stream()
        return number, stream

    async def send(self, number: int, body: bytes) -> None:
        left = memoryview(body)
        while left:
            room = min(self._engine.local_flow_control_window(number), self._engine.max_outbound_frame_size)
            if room <= 0:
                self._window.clear()
                await self._window.wait()
                continue
            piece, left = left[:room], left[room:]
            self._engine.send_data(number, bytes(piece), end_stream=not left)
            self._flush()

    def end(self, number: int) -> None:
        """Nobody wants more of this stream."""
        if self._streams.pop(number, None) is not None and not self._task.done():
            self._engine.reset_stream(number)
            self._flush()

    def close(self) -> None:
        self._task.cancel()
        self._writer.transport.abort()

    def _flush(self) -> None:
        self._writer.write(self._engine.data_to_send())

    async def _read(self) -> None:
        try:
            while data := await self._reader.read(_READ):
                for event in self._engine.receive_data(data):
                    self._take(event)
                self._flush()
        finally:
            for stream in self._streams.values():
                stream.arrived.put_nowait(b"")
                if not stream.head.done():
                    stream.head.set_exception(ConnectionResetError("the server closed the connection"))

    def _take(self, event: Event) -> None:
        if isinstance(event, RemoteSettingsChanged):
            self._greeted.set()
        elif isinstance(event, WindowUpdated):
            self._window.set()
        elif isinstance(event, DataReceived):
            self._engine.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            if event.stream_id in self._streams:
                self._streams[event.stream_id].arrived.put_nowait(event.data)
        elif isinstance(event, ResponseReceived) and event.stream_id in self._streams:
            head = self._streams[event.stream_id].head
            if not head.done():  # else nobody waits any more
                head.set_result({bytes(name).decode(): bytes(value).decode() for name, value in event.headers})
        elif isinstance(event, StreamEnded | StreamReset) and event.stream_id in self._streams:
            stream = self._streams.pop(event.stream_id)
            stream.arrived.put_nowait(b"")
            if not stream.head.done():
                stream.head.set_exception(ConnectionResetError("the server reset the stream"))
