"""A WebSocket connection: messages over one ByteStream, for either side; pings are answered, closes are returned."""

from collections import deque
from collections.abc import Callable
from contextlib import suppress

from pilothouse.net.http import ByteStream
from pilothouse.net.websocket import (
    BINARY,
    CLOSE,
    NO_STATUS,
    NORMAL,
    PING,
    PONG,
    TEXT,
    CloseReceived,
    Message,
    PingReceived,
    PongReceived,
    WebSocketDecoder,
    WebSocketError,
    close_payload,
    encode_frame,
)


class WebSocket:
    """One side. A client gives `mask`, which returns four random bytes for each frame."""

    def __init__(self, stream: ByteStream, *, mask: Callable[[], bytes] | None = None) -> None:
        self._stream = stream
        self._mask = mask
        self._decoder = WebSocketDecoder(masked=mask is None)
        self._messages: deque[Message] = deque()
        self._over = False
        self._said_goodbye = False

    async def receive(self) -> Message | None:
        """The next message; None when there will be none. Raises ConnectionError when the peer breaks the rules."""
        while not self._messages:
            if self._over:
                return None
            data = await self._stream.read()
            if not data:
                self._over = True
                return None
            try:
                events = self._decoder.receive(data)
            except WebSocketError as error:
                self._over = True
                await self.goodbye(error.code, str(error))
                raise
            for event in events:
                await self._take(event)
        return self._messages.popleft()

    async def _take(self, event: Message | PingReceived | PongReceived | CloseReceived) -> None:
        match event:
            case Message():
                self._messages.append(event)
            case PingReceived():
                await self._frame(PONG, event.data)
            case CloseReceived():
                self._over = True
                await self.goodbye(NORMAL if event.code == NO_STATUS else event.code)
            case PongReceived():
                pass

    async def send(self, data: bytes, *, text: bool = False) -> None:
        """Send one message. Raises ConnectionError when the peer is gone or we have said goodbye."""
        if self._said_goodbye:
            raise ConnectionResetError("the WebSocket is closed")
        await self._frame(TEXT if text else BINARY, data)

    async def ping(self, data: bytes = b"") -> None:
        """Ask for a sign of life."""
        await self._frame(PING, data)

    async def goodbye(self, code: int = NORMAL, reason: str = "") -> None:
        """Send the close frame: nothing more will be sent."""
        if not self._said_goodbye:
            self._said_goodbye = True
            with suppress(ConnectionError):
                await self._frame(CLOSE, close_payload(code, reason))

    async def close(self) -> None:
        """Say goodbye and close the connection."""
        await self.goodbye()
        await self._stream.close()

    async def _frame(self, opcode: int, payload: bytes) -> None:
        await self._stream.write(encode_frame(opcode, payload, self._mask() if self._mask is not None else b""))


class MessageStream:
    """A ByteStream whose bytes travel in binary messages: SPDY tunnelled through a WebSocket."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def read(self) -> bytes:
        """The next bytes; empty at the end."""
        while (message := await self._socket.receive()) is not None:
            if message.data:
                return message.data
        return b""

    async def write(self, data: bytes) -> None:
        """Send as one message."""
        await self._socket.send(data)

    def write_eof(self) -> None:
        """A WebSocket has no halves that could be closed without waiting: `close` ends both."""

    async def close(self) -> None:
        """Close the WebSocket."""
        await self._socket.close()
