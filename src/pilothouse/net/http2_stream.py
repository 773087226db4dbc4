"""One request on an HTTP/2 connection: its body coming in, its answer going out, both at the other's speed.

What a handler has not read yet is not acknowledged, so that the peer's window, not our memory, is what fills up; what
the peer gives no window for stays with whoever made it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Protocol

from pilothouse.net.answer import body_length, dispose
from pilothouse.net.arrival import Arrival, Refusal
from pilothouse.net.door import Door
from pilothouse.net.hpack_encoder import status
from pilothouse.net.http import Peer, Pushing, Request, Response
from pilothouse.net.http2_frames import Reason
from pilothouse.net.http2_head import answer_block
from pilothouse.net.http2_sending import Flow, Sending
from pilothouse.net.outflow import Outflow
from pilothouse.net.request_body import BodyBroken, RequestBody
from pilothouse.net.response_head import NO_BODY
from pilothouse.runtime.log import Log

log = Log(__name__)

_SLICE = 64 * 1024
"""How much is sent before others have their turn."""
_PUSHED = 256
"""Frames that may leave with one turn of the loop, before what is pushed waits for its task."""
_TEXT = "text/plain; charset=utf-8"


class Carrier(Protocol):
    """The connection, as its streams see it."""

    @property
    def engine(self) -> Sending:
        """What makes frames."""
        ...

    out: Outflow
    peer: Peer
    door: Door

    def flush(self) -> None:
        """Have what the engine has made sent when this turn of the loop is over."""
        ...

    def send(self) -> None:
        """Send it at once."""
        ...

    def acknowledge(self, size: int, flow: Flow) -> None:
        """Let so much more come."""
        ...


class StreamBody(RequestBody):
    """A body whose pieces are acknowledged as they are read."""

    __slots__ = ("_read",)

    def __init__(self, door: Door, read: Callable[[int], None]) -> None:
        super().__init__(door.clock, door.limits.body, lambda _: None)
        self._read = read

    async def __anext__(self) -> bytes:
        piece = await super().__anext__()
        self._read(len(piece))
        return piece

    def take(self) -> bytes:
        """All that came so far."""
        found = super().take()
        self._read(len(found))
        return found


class Http2Stream:
    """One request and its answer."""

    def __init__(self, flow: Flow, carrier: Carrier) -> None:
        self.flow = flow
        self.task: asyncio.Task[None] | None = None
        self._carrier = carrier
        self._room: asyncio.Future[None] | None = None
        self._closed = False
        self._writing = False
        """Whether something is under way, before which nothing else may go."""
        self._since = 0
        """Bytes sent since others had their turn."""
        self.arrival: Arrival | None = None
        self.refusal: Refusal | None = None

    # What the connection calls.

    def new_body(self) -> RequestBody:
        """A body for this stream."""
        return StreamBody(self._carrier.door, lambda size: self._carrier.acknowledge(size, self.flow))

    def feed(self, data: bytes) -> None:
        """A piece of the body."""
        if self.arrival is not None and self.refusal is None and not self._closed:
            self.arrival.feed(data)
        else:
            self._carrier.acknowledge(len(data), self.flow)

    def finish(self) -> None:
        """The body is complete."""
        if self.arrival is not None:
            self.arrival.finish()

    def lose(self, why: str) -> None:
        """The peer wants no answer any more."""
        self._closed = True
        if self.arrival is not None and self.arrival.body is not None:
            self.arrival.body.fail(why)
        if self.task is not None:
            self.task.cancel()

    @property
    def lost(self) -> bool:
        """Whether nobody waits for the answer."""
        return self._closed

    def forget_body(self) -> None:
        """Nobody will read what is left of the request: give its window back."""
        if self.arrival is not None and self.arrival.body is not None:
            self.arrival.body.take()

    def give_room(self) -> None:
        """There may be window for more."""
        if self._room is not None and not self._room.done():
            self._room.set_result(None)

    # The task.

    async def run(self) -> None:
        """Ask the handler and send what it answers."""
        arrival = self.arrival
        assert arrival is not None
        try:
            if self.refusal is not None:
                await self._send(_refused(self.refusal), head_only=False)
            else:
                await self._serve(arrival)
        except ConnectionError:
            self._reset(Reason.CANCEL)
        except Exception as error:  # noqa: BLE001 - the HTTP boundary: one stream's fault stays its own
            log.crash("Stream failed", error=error, method=arrival.method)
            self._reset(Reason.INTERNAL_ERROR)
        finally:
            self.forget_body()
            if not arrival.complete:  # ask for no more of it
                self._reset(Reason.NO_ERROR)

    async def _serve(self, arrival: Arrival) -> None:
        request = self._request(arrival)
        try:
            response = await self._carrier.door.handler(request)
            if response.upgrade is not None:
                await dispose(response)
                raise RuntimeError("an upgrade was answered to a request that asked for none")
        except BodyBroken as error:
            response = _refused(Refusal(408, str(error)))
        except Exception as error:  # noqa: BLE001 - the HTTP boundary
            log.crash("Handler failed", error=error, method=request.method, target=request.target)
            response = _refused(Refusal(500, "Internal Server Error"))
        try:
            await self._send(response, head_only=request.method == "HEAD")
        finally:
            if not isinstance(response.body, bytes):
                await dispose(response)

    def _request(self, arrival: Arrival) -> Request:
        body: bytes | RequestBody = b""
        if not arrival.complete:
            body = arrival.body = arrival.body or self.new_body()
            if arrival.expects:
                body.wanted = self._say_continue
        elif arrival.body is not None:
            body = arrival.body.take()
        target = arrival.target.decode("ascii")
        return Request(arrival.method, target, arrival.headers, self._carrier.peer, body, arrival.repeated)

    def _say_continue(self) -> None:
        if not self._closed:
            self._carrier.engine.send_head(self.flow, status(100), end=False)
            self._carrier.flush()

    async def _send(self, response: Response, *, head_only: bool) -> None:
        body, length = response.body, body_length(response)
        try:
            block = answer_block(response, length, self._carrier.door.date()[6:-2])
        except ValueError as error:
            log.crash("Answer not sent", error=error)
            await self._send(_refused(Refusal(500, "Internal Server Error")), head_only=head_only)
            return
        empty = head_only or response.status in NO_BODY or length == 0
        self._carrier.engine.send_head(self.flow, block, end=empty)
        self._carrier.flush()
        if empty:
            return
        if isinstance(body, bytes):
            await self._write(body, end=True)
        elif isinstance(body, AsyncIterator):
            await self._stream(body)
        else:
            for batch in _batches(body):
                await self._write(batch)
            self._end()

    async def _stream(self, pieces: AsyncIterator[bytes]) -> None:
        if isinstance(pieces, Pushing):
            pieces.push_to(self._push)
        try:
            async for piece in pieces:
                if piece:
                    await self._write(piece)
        except ConnectionError:
            raise
        except Exception as error:
            log.crash("Answer broke off", error=error)
            raise ConnectionAbortedError("the answer broke off") from error
        self._end()

    def _push(self, piece: bytes) -> bool:
        """Send a piece with this turn of the loop, if there is room for it and nothing before it."""
        carrier, flow = self._carrier, self.flow
        if self._writing or flow.sent_all or carrier.out.paused or len(carrier.engine.made) > _PUSHED:
            return False
        if carrier.engine.room(flow) < len(piece):
            return False
        carrier.engine.send_data(flow, piece, end=False)
        carrier.flush()
        return True

    async def _write(self, data: bytes, *, end: bool = False) -> None:
        carrier, engine = self._carrier, self._carrier.engine
        view: bytes | memoryview = data
        self._writing = True
        while view:
            room = min(engine.room(self.flow), _SLICE)
            if room <= 0:
                await self._wait_for_room()
                continue
            if len(view) > room:
                view = memoryview(view)
            part, view = (view[:room], view[room:]) if len(view) > room else (view, b"")
            engine.send_data(self.flow, part, end=end and not view)
            self._since += len(part)
            if self._since >= _SLICE:
                self._since = 0
                carrier.send()
                await carrier.out.drain()
                await carrier.door.clock.sleep(0)
        carrier.flush()
        if carrier.out.paused:
            await carrier.out.drain()
        self._writing = False

    async def _wait_for_room(self) -> None:
        self._carrier.flush()
        self._room = asyncio.get_running_loop().create_future()
        try:
            async with self._carrier.door.clock.timeout(self._carrier.door.limits.write):
                await self._room
        except TimeoutError:
            raise ConnectionAbortedError("the peer does not read") from None
        finally:
            self._room = None

    def _end(self) -> None:
        self._carrier.engine.send_data(self.flow, b"", end=True)
        self._carrier.flush()

    def _reset(self, reason: Reason) -> None:
        if not self._closed:
            self._closed = True
            self._carrier.engine.reset(self.flow, reason)
            self._carrier.flush()


def _refused(refusal: Refusal) -> Response:
    return Response(refusal.status, f"{refusal.text}\n".encode(), content_type=_TEXT)


def _batches(pieces: Sequence[bytes | memoryview]) -> Iterator[bytes]:
    """Many small pieces as few large ones: each frame has its price."""
    batch: list[bytes | memoryview] = []
    size = 0
    for piece in pieces:
        batch.append(piece)
        size += len(piece)
        if size >= _SLICE:
            yield b"".join(batch)
            batch, size = [], 0
    yield b"".join(batch)
