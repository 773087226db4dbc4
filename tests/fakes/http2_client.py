"""An HTTP/2 client of the h2 library over a real TLS socket, that can also misbehave."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Self

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    InformationalResponseReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)

from pilothouse.net.http import Handler
from pilothouse.net.pki import Authority, Usage
from pilothouse.net.server import Limits, Listening, serve
from pilothouse.net.tls import ServerTls
from pilothouse.runtime.clock import SystemClock

CLOCK = SystemClock()


@cache
def authority() -> Authority:
    return Authority.create("http2", CLOCK.now())


@cache
def server_tls() -> ServerTls:
    pair = authority().issue("server", (), (), ["127.0.0.1"], usage=Usage.SERVER, now=CLOCK.now())
    return ServerTls(pair, authority().certificate, http2=True)


def client_tls(*protocols: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authority().certificate.decode())
    context.set_alpn_protocols(list(protocols))
    return context


@dataclass
class Got:
    """What came back on one stream."""

    headers: dict[str, str] = field(default_factory=dict)
    informational: list[str] = field(default_factory=list)
    body: bytes = b""
    ended: bool = False
    reset: int | None = None

    @property
    def status(self) -> int:
        return int(self.headers.get(":status", 0))


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, acknowledge: bool) -> None:
        self.reader = reader
        self.writer = writer
        self.acknowledge = acknowledge
        """Whether what comes is acknowledged at once."""
        self.engine = H2Connection(
            H2Configuration(client_side=True, header_encoding="utf-8", validate_outbound_headers=False,
                            normalize_outbound_headers=False)
        )  # fmt: skip
        self.got: dict[int, Got] = {}
        self.gone: ConnectionTerminated | None = None
        self.closed = False
        self.events: list[Event] = []

    @classmethod
    async def connect(cls, port: int, *, acknowledge: bool = True) -> Self:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_tls("h2", "http/1.1"))
        client = cls(reader, writer, acknowledge=acknowledge)
        client.engine.initiate_connection()
        client.flush()
        return client

    def flush(self) -> None:
        self.writer.write(self.engine.data_to_send())

    def open(
        self, method: str = "GET", path: str = "/", *more: tuple[str, str], end: bool = True,
        fields: list[tuple[str, str]] | None = None,
    ) -> int:  # fmt: skip
        """Begin a request; `fields` replaces the whole head."""
        number = self.engine.get_next_available_stream_id()
        pseudo = [(":method", method), (":scheme", "https"), (":authority", "x"), (":path", path)]
        self.engine.send_headers(number, [*pseudo, *more] if fields is None else fields, end_stream=end)
        self.got[number] = Got()
        self.flush()
        return number

    def send(self, number: int, data: bytes, *, end: bool = False) -> None:
        self.engine.send_data(number, data, end_stream=end)
        self.flush()

    async def until(self, condition: Callable[[], object]) -> None:
        """Read until something holds."""
        async with CLOCK.timeout(10):
            while not condition():
                assert not self.closed, f"the connection has ended: {self.gone}"
                await self.read()

    async def read(self) -> None:
        try:
            data = await self.reader.read(65536)
        except (ConnectionError, ssl.SSLError):
            data = b""
        if not data:
            self.closed = True
            return
        for event in self.engine.receive_data(data):
            self.events.append(event)
            self._take(event)
        self.flush()

    def _take(self, event: Event) -> None:
        if isinstance(event, ConnectionTerminated):
            self.gone = event
            return
        got = self.got.get(getattr(event, "stream_id", None) or 0)
        if got is None:
            return
        if isinstance(event, ResponseReceived):
            got.headers = {str(name): str(value) for name, value in event.headers}
        elif isinstance(event, InformationalResponseReceived):
            got.informational.append(str(dict(event.headers)[":status"]))  # type: ignore[index]
        elif isinstance(event, DataReceived):
            got.body += event.data
            if self.acknowledge:
                self.engine.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, StreamEnded):
            got.ended = True
        elif isinstance(event, StreamReset):
            got.reset = int(event.error_code)

    async def answer(self, number: int) -> Got:
        got = self.got[number]
        await self.until(lambda: got.ended or got.reset is not None)
        return got

    async def ask(self, method: str = "GET", path: str = "/", *more: tuple[str, str], body: bytes = b"") -> Got:
        number = self.open(method, path, *more, end=not body)
        if body:
            self.send(number, body, end=True)
        return await self.answer(number)

    async def farewell(self) -> int | None:
        """Read to the end; what code the server said goodbye with."""
        async with CLOCK.timeout(10):
            while not self.closed:
                await self.read()
        return None if self.gone is None else int(self.gone.error_code or 0)

    async def close(self) -> None:
        """Drop the connection and let the loop see it go."""
        self.writer.transport.abort()
        for _ in range(3):
            await CLOCK.sleep(0)


@asynccontextmanager
async def served(
    handler: Handler, *, limits: Limits | None = None, acknowledge: bool = True
) -> AsyncIterator[tuple[Client, Listening]]:
    """A server, and a client that is connected to it."""
    async with serve(handler, "127.0.0.1", 0, server_tls(), CLOCK, limits=limits, grace=0.1) as listening:
        client = await Client.connect(listening.port, acknowledge=acknowledge)
        try:
            yield client, listening
        finally:
            await client.close()
