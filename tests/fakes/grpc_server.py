"""The far end of a gRPC connection in memory, by the library h2, so that our frames are read by somebody else."""

import asyncio
from collections.abc import Mapping
from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.settings

from pilothouse.net.grpc_connection import GrpcConnection
from pilothouse.net.grpc_frames import prefixed
from pilothouse.runtime.clock import Clock

GRPC = [(":status", "200"), ("content-type", "application/grpc")]


class FarEnd(asyncio.Transport):
    """A server that does as the test says, in pieces of `cut` bytes; `deaf`, it does nothing at all."""

    def __init__(
        self,
        clock: Clock,
        *,
        settings: Mapping[h2.settings.SettingCodes, int] | None = None,
        cut: int = 1 << 20,
        withhold: bool = False,
    ) -> None:
        super().__init__()
        self.engine = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        self.engine.local_settings = h2.settings.Settings(client=False, initial_values=dict(settings or {}))
        self.engine.initiate_connection()
        self.events: list[h2.events.Event] = []
        self.heads: dict[int, dict[str, str]] = {}
        self.bodies: dict[int, bytearray] = {}
        self.ended: list[int] = []
        self.deaf = False
        self.late = 0
        """How often something was written to what was closed already."""
        self.withhold = withhold
        """Whether to grant no more room than there was at first."""
        self._cut = cut
        self._closing = False
        self._lost: list[GrpcConnection] = []
        self.connection = GrpcConnection(clock, self._lost.append)
        self.connection.connection_made(self)

    @property
    def gone(self) -> bool:
        """Whether the connection has said that it is gone."""
        return self._lost == [self.connection]

    # What the connection calls.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.late += self._closing
        if self.deaf or self._closing:
            return
        for event in self.engine.receive_data(bytes(data)):
            self._note(event)
        asyncio.get_running_loop().call_soon(self.deliver)

    def is_closing(self) -> bool:
        return self._closing

    def abort(self) -> None:
        if not self._closing:
            self._closing = True
            asyncio.get_running_loop().call_soon(self.connection.connection_lost, None)

    def close(self) -> None:
        """As a loop does that has read the end, or could not write: the connection hears of it later."""
        self.abort()

    # What tests do.

    def deliver(self) -> None:
        """Let the connection have what was said, in pieces."""
        self.arrive(self.engine.data_to_send())

    def arrive(self, data: bytes) -> None:
        """Let the connection have these bytes."""
        for start in range(0, len(data), self._cut):
            if not self._closing:
                piece = data[start : start + self._cut]
                self.connection.get_buffer(-1)[: len(piece)] = piece
                self.connection.buffer_updated(len(piece))

    def answer(self, number: int, *messages: bytes, status: int = 0, text: str = "") -> None:
        """Answer a call whole."""
        self.engine.send_headers(number, GRPC)
        for message in messages:
            self.say(number, message)
        self.engine.send_headers(number, [("grpc-status", str(status)), ("grpc-message", text)], end_stream=True)
        self.deliver()

    def say(self, number: int, message: bytes) -> None:
        """Send a message."""
        data = prefixed(message)
        for start in range(0, len(data), 16384):
            self.engine.send_data(number, data[start : start + 16384])
        self.deliver()

    def of(self, kind: type[Any]) -> list[Any]:
        """What came of that kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def _note(self, event: h2.events.Event) -> None:
        self.events.append(event)
        if isinstance(event, h2.events.RequestReceived):
            assert event.headers is not None
            assert event.stream_id is not None
            self.heads[event.stream_id] = {_text(name): _text(value) for name, value in event.headers}
            self.bodies[event.stream_id] = bytearray()
        elif isinstance(event, h2.events.DataReceived):
            assert event.data is not None
            assert event.stream_id is not None
            self.bodies[event.stream_id] += event.data
            if not self.withhold:
                self.engine.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            assert event.stream_id is not None
            self.ended.append(event.stream_id)


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode()
