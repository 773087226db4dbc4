"""A client of HTTP/2: one connection, as many requests at once as are asked for."""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Self

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded


class Http2Client:
    """An async context manager."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        self._port = port
        self._context = context
        self._engine = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._bodies: dict[int, bytes] = {}

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, ssl=self._context)
        self._engine.initiate_connection()
        self._writer.write(self._engine.data_to_send())
        self._task = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        self._writer.transport.abort()

    async def get(self, target: str, headers: Mapping[str, str]) -> bytes:
        """The body of an answer that must be a success."""
        number = self._engine.get_next_available_stream_id()
        head = {":method": "GET", ":scheme": "https", ":authority": "127.0.0.1", ":path": target, **headers}
        self._engine.send_headers(number, list(head.items()), end_stream=True)
        self._writer.write(self._engine.data_to_send())
        self._bodies[number] = b""
        self._waiting[number] = asyncio.get_running_loop().create_future()
        return await self._waiting[number]

    async def _read(self) -> None:
        while data := await self._reader.read(65536):
            for event in self._engine.receive_data(data):
                if isinstance(event, ResponseReceived) and dict(event.headers)[b":status"] != b"200":
                    raise RuntimeError(str(event.headers))
                if isinstance(event, DataReceived):
                    self._bodies[event.stream_id] += event.data
                    self._engine.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, StreamEnded):
                    self._waiting.pop(event.stream_id).set_result(self._bodies.pop(event.stream_id))
            self._writer.write(self._engine.data_to_send())
