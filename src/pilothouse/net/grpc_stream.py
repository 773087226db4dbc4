"""One call of gRPC on a connection: what is still to be sent, and the messages that came."""

import asyncio
from collections import deque
from typing import Protocol

from pilothouse.net.grpc_frames import GrpcCode, GrpcError, prefixed, read_prefix

WINDOW = 1 << 20
"""Bytes that may come before somebody has read them."""


class Carrier(Protocol):
    """The connection, as a call sees it."""

    def send(self, stream: "GrpcStream") -> None:
        """Send of what is pending as much as there is room for."""
        ...

    def grant(self, stream: "GrpcStream", size: int) -> None:
        """Let so many bytes more come."""
        ...

    def drop(self, stream: "GrpcStream") -> None:
        """Give the call up."""
        ...


class GrpcStream:
    """A call. A `lasting` one has many messages, and is read one by one; other than that only its end is waited for."""

    __slots__ = ("_carrier", "_messages", "_owed", "_partial", "_waiter", "closing", "ended", "ends", "error",
                 "lasting", "number", "pending", "room", "sent_all")  # fmt: skip

    def __init__(self, carrier: Carrier, number: int, room: int, ends: float, *, lasting: bool) -> None:
        self._carrier = carrier
        self.number = number
        self.ends = ends
        """When its time is over."""
        self.room = room
        """Bytes that the other side takes of it now."""
        self.lasting = lasting
        self.pending = bytearray()
        """What waits for that."""
        self.closing = False
        """Whether nothing more will be sent after what is pending."""
        self.sent_all = False
        self.ended = False
        self.error: GrpcError | None = None
        self._messages: deque[bytes] = deque()
        self._partial = bytearray()
        self._owed = 0
        self._waiter: asyncio.Future[None] | None = None

    def write(self, message: bytes, *, last: bool = False) -> None:
        """Send a message, as soon as there is room. Raises GrpcError when the call has ended."""
        if self.ended:
            raise self.error or GrpcError(GrpcCode.CANCELLED, "the call has ended")
        self.closing = last
        self.pending += prefixed(message)
        self._carrier.send(self)

    def cancel(self) -> None:
        """Give the call up."""
        self._carrier.drop(self)

    async def read(self) -> bytes | None:
        """The next message, of a call that lasts; None at its end. Raises GrpcError."""
        while not self._messages:
            if self.ended:
                if self.error is not None:
                    raise self.error
                return None
            await self._wait()
        message = self._messages.popleft()
        self._give_room()
        return message

    async def answer(self) -> bytes:
        """The one message of a call that ends with it. Raises GrpcError."""
        if not self.ended:
            await self._wait()
        if self.error is not None:
            raise self.error
        if len(self._messages) != 1:
            raise GrpcError(GrpcCode.INTERNAL, f"{len(self._messages)} messages instead of an answer")
        return self._messages[0]

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    # What the connection calls.

    def receive(self, piece: bytes, size: int) -> None:
        """Take a piece of a message or several, which took `size` bytes of the window. Raises FrameError."""
        self._owed += size
        if not self._partial and len(piece) == read_prefix(piece):
            self._messages.append(piece[5:])
        else:
            self._partial += piece
            while (end := read_prefix(self._partial)) and end <= len(self._partial):
                with memoryview(self._partial) as whole:
                    self._messages.append(bytes(whole[5:end]))
                del self._partial[:end]
        self._give_room()
        if self.lasting and self._messages:
            self._wake()

    def end(self, error: GrpcError | None) -> None:
        """Nothing more will come."""
        self.ended = True
        self.error = error
        self._wake()

    def _give_room(self) -> None:
        """Let more come, once all messages are read of a call that lasts."""
        if self._owed >= WINDOW // 2 and not (self.lasting and self._messages):
            self._carrier.grant(self, self._owed)
            self._owed = 0

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
