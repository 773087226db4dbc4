"""One HTTP/1.1 connection to the API server: a request out, a response in, one after the other.

Built on httptools, as the front door is. The body arrives in pieces; reading pauses while the reader is behind, so
that a slow watcher fills the kernel's buffers and not ours.
"""

import asyncio
from collections import deque
from typing import cast

import httptools

READ = 64 * 1024
"""How much is read at once."""
_HIGH_WATER = 256 * 1024


class Connection(asyncio.BufferedProtocol):
    """The client's end. `reusable` says whether another request may follow.

    Bytes arrive in `arriving`, which connections of one loop may share: they are parsed before anything else runs.
    """

    def __init__(self, arriving: memoryview | None = None) -> None:
        self._arriving = memoryview(bytearray(READ)) if arriving is None else arriving
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._waiter: asyncio.Future[None] | None = None
        self._reset()
        self._lost = False
        self._paused = False

    def _reset(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self._head_complete = False
        self._complete = False
        self._pieces: deque[bytes] = deque()
        self._buffered = 0
        self._answered = False
        self._keep_alive = False

    @property
    def reusable(self) -> bool:
        """Whether the last exchange is over and the server will take another."""
        return self._complete and self._keep_alive and not self._lost and not self._is_closing()

    @property
    def answered(self) -> bool:
        """Whether any byte of the answer came."""
        return self._answered

    def _is_closing(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    async def exchange(self, request: bytes) -> None:
        """Send a request and wait for the head of the answer. Raises ConnectionError when the connection ends."""
        self._reset()
        if self._lost or self._transport is None:
            raise ConnectionResetError("the connection is closed")
        self._transport.write(request)
        while not self._head_complete:
            if self._lost:
                raise ConnectionResetError("the server closed the connection without an answer")
            await self._news()

    async def piece(self) -> bytes:
        """The next piece of the body; empty at its end. Raises ConnectionError when it ends too early."""
        while not self._pieces:
            if self._complete:
                return b""
            if self._lost:
                raise ConnectionResetError("the connection ended in the middle of an answer")
            await self._news()
        found = self._pieces.popleft()
        self._buffered -= len(found)
        if self._paused and self._buffered < _HIGH_WATER // 2 and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        return found

    async def whole(self) -> bytes:
        """The body to its end. Raises ConnectionError when it ends too early."""
        if self._complete and len(self._pieces) <= 1:  # it came with the head
            return self._pieces.popleft() if self._pieces else b""
        pieces = []
        while piece := await self.piece():
            pieces.append(piece)
        return b"".join(pieces)

    def close(self) -> None:
        """End the connection, whatever is under way."""
        if self._transport is not None:
            self._transport.abort()

    async def _news(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The handshake is done."""
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, _hint: int) -> memoryview:
        """Where to put what has come."""
        return self._arriving

    def buffer_updated(self, count: int) -> None:
        """Feed the parser, which calls the methods below."""
        self._answered = True
        try:
            self._parser.feed_data(self._arriving[:count])
        except httptools.HttpParserError:
            self._lost = True
            self.close()
        if self._buffered > _HIGH_WATER and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        """The end. It is also the end of a body that has no length."""
        self._lost = True
        until_close = "content-length" not in self.headers and "transfer-encoding" not in self.headers
        if self._head_complete and until_close and error is None:
            self._complete = True
        self._wake()

    # What the parser calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; repeated ones are joined."""
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_headers_complete(self) -> None:
        """Status and headers are there."""
        self.status = self._parser.get_status_code()
        if self.status >= 200:
            self._head_complete = True

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        self._pieces.append(data)
        self._buffered += len(data)

    def on_message_complete(self) -> None:
        """The whole answer is there, unless it was an interim one."""
        if self.status < 200:
            self.headers = {}
            return
        self._keep_alive = self._parser.should_keep_alive()
        self._complete = True
