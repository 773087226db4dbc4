"""One connection at the front door: requests in, one at a time, answers out.

httptools parses whatever came; each request with a complete head gets in line. One task a connection takes them out,
calls the handler and sends the answer. When the client leaves, that task is cancelled, and the handler with it.
"""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any, cast

import httptools

from pilothouse.net.answer import AnswerWriter, dispose
from pilothouse.net.arrival import Arrival, Refusal
from pilothouse.net.door import Door, peer_of
from pilothouse.net.http import Request, Response
from pilothouse.net.outflow import Outflow
from pilothouse.net.request_body import BodyBroken, RequestBody
from pilothouse.net.response_head import CONTINUE, switching_head
from pilothouse.net.stream import ConnectionStream
from pilothouse.runtime.log import Log

log = Log(__name__)

_EARLY = 64 * 1024
"""How much a client may send ahead of the 101 it asks for."""
_FAREWELL = 5.0
"""How long a closed connection may take to send what is left."""
_UNREAD = 1024 * 1024
"""How much of a body that no handler wanted is read and dropped before the connection is closed."""


class ServerConnection(asyncio.BufferedProtocol):
    """The server's end of one connection."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._parser: Any = httptools.HttpRequestParser(self)
        self._line: deque[Arrival] = deque()
        self._arrival: Arrival | None = None
        self._refusal: Refusal | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._busy = False
        self._upgraded = False
        self._switching = False
        self._unread: list[bytes] = []
        self._head_bytes = 0
        self._reading = True
        self._deadline: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The handshake is done: who is it?"""
        self._transport = cast("asyncio.Transport", transport)
        self._out = Outflow(self._transport, self._door.clock, self._door.limits.write)
        self._answers = AnswerWriter(self._out, self._door.date)
        self._peer = peer_of(self._transport)
        self._door.connections[self] = None
        if self._door.draining:
            self._transport.abort()
        self._arm(self._door.limits.head)

    def get_buffer(self, _hint: int) -> memoryview:
        """Where to put what has come."""
        return self._door.arriving

    def buffer_updated(self, count: int) -> None:
        """Feed the parser, which calls the `on_` methods below."""
        if self._refusal is not None:
            return
        data = self._door.arriving[:count]
        before = self._arrival
        if self._switching:
            self._keep_unread(data)
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as switch:
            self._switching = True
            self._keep_unread(data[switch.args[0] :])
        except httptools.HttpParserError:
            self._refuse(Refusal(400, "malformed request"))
        self._after(count if self._arrival is before else 0)

    def eof_received(self) -> bool:
        """The client has closed its half: as everywhere in Kubernetes, that means it has left."""
        return False

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - asyncio gives it
        """The client is gone."""
        self._out.lose()
        self._deadline = None
        if self._timer is not None:
            self._timer.cancel()
        if self._arrival is not None and self._arrival.body is not None:
            self._arrival.body.fail("the client has left")
        if self._task is not None and not self._upgraded:
            self._task.cancel()
        self._door.connections.pop(self, None)
        self._door.changed.set()

    def pause_writing(self) -> None:
        """The transport holds enough."""
        self._out.pause()

    def resume_writing(self) -> None:
        """The transport has room again."""
        self._out.resume()

    # What the parser calls.

    def on_message_begin(self) -> None:
        """A new request."""
        self._arrival = Arrival(self._new_body)

    def on_url(self, target: bytes) -> None:
        """A part of the request target."""
        arrival = self._arrival
        assert arrival is not None
        arrival.target += target
        arrival.size += len(target)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        arrival = self._arrival
        assert arrival is not None
        if arrival.head_complete:
            return  # a trailer: nobody reads them
        refusal = arrival.add_header(name, value)
        if refusal is not None:
            self._refuse(refusal)
        elif arrival.size > self._door.limits.header_bytes or arrival.count > self._door.limits.header_count:
            self._refuse(Refusal(431, "request header fields too large"))

    def on_headers_complete(self) -> None:
        """The head is complete: judge it and put it in line."""
        arrival = self._arrival
        assert arrival is not None
        arrival.head_complete = True
        self._head_bytes = 0
        arrival.method = self._parser.get_method().decode("ascii")
        refusal = arrival.check_head(self._parser.get_http_version())
        if refusal is not None:
            self._refuse(refusal)
        if self._refusal is None:
            arrival.close = not arrival.modern or not self._parser.should_keep_alive()
            self._line.append(arrival)

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        if self._arrival is not None and self._refusal is None:
            self._arrival.feed(piece)

    def on_message_complete(self) -> None:
        """The body is complete."""
        if self._arrival is not None and self._refusal is None:
            self._arrival.finish()
        self._arrival = None

    # Between parser and task.

    def _new_body(self) -> RequestBody:
        return RequestBody(self._door.clock, self._door.limits.body, self._flow)

    def _flow(self, wanted: bool) -> None:
        if wanted != self._reading and not self._out.lost:
            self._reading = wanted
            (self._transport.resume_reading if wanted else self._transport.pause_reading)()

    def _refuse(self, refusal: Refusal) -> None:
        if self._refusal is None:
            self._refusal = refusal
            if self._arrival is not None and self._arrival.body is not None:
                self._arrival.body.fail(refusal.text)

    def _keep_unread(self, data: memoryview) -> None:
        self._unread.append(bytes(data))
        if sum(map(len, self._unread)) > _EARLY:
            self._flow(False)

    def _after(self, size: int) -> None:
        """Whatever came has been parsed: what now?"""
        arrival = self._arrival
        if arrival is not None and not arrival.head_complete:
            self._head_bytes += size
            if self._head_bytes > self._door.limits.header_bytes:
                self._refuse(Refusal(431, "request header fields too large"))
            elif size == 0 and not self._busy:
                self._arm(self._door.limits.head)
        if self._line or self._refusal is not None:
            if len(self._line) > 1:
                self._flow(False)
            if self._task is None:
                self._task = self._door.tasks.spawn(self._work(), name="connection")
            elif self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(None)

    # The task.

    async def _work(self) -> None:
        try:
            while await self._next():
                self._busy = True
                self._deadline = None
                arrival = self._line.popleft()
                if not self._line:
                    self._flow(True)
                if not await self._serve(arrival):
                    break
                self._busy = False
                self._arm(self._door.limits.idle)
        except ConnectionError:
            self._transport.abort()
        except Exception as error:  # noqa: BLE001 - the HTTP boundary: one connection's fault stays its own
            log.crash("Connection failed", error=error)
            self._transport.abort()
        except asyncio.CancelledError:
            self._transport.abort()
            raise
        finally:
            self._busy = False
            self._door.changed.set()
            self._transport.close()
            self._arm(_FAREWELL)

    async def _next(self) -> bool:
        """Wait for a request; False when there will be none."""
        while not self._line:
            if self._refusal is not None:
                await self._answers.refuse(self._refusal)
                return False
            if self._door.draining:
                return False
            self._door.changed.set()
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return True

    async def _serve(self, arrival: Arrival) -> bool:
        """One request; whether another may follow."""
        request = self._request(arrival)
        try:
            response = await self._door.handler(request)
            if response.upgrade is not None and not (self._switching and arrival.modern):
                await dispose(response)
                raise RuntimeError("an upgrade was answered to a request that asked for none")
        except BodyBroken as error:
            self._refuse(Refusal(408, str(error)))
            response = Response(408)
        except Exception as error:  # noqa: BLE001 - the HTTP boundary
            log.crash("Handler failed", error=error, method=request.method, target=request.target)
            response = Response(500, b"Internal Server Error\n", content_type="text/plain; charset=utf-8")
            arrival.close = True
        if self._refusal is not None and not arrival.complete:
            await dispose(response)
            await self._answers.refuse(self._refusal)
            return False
        if response.upgrade is not None:
            await self._upgrade(response)
            return False
        close = arrival.close or self._switching or self._door.draining or not arrival.complete
        try:
            await self._answers.send(response, close=close, head_only=request.method == "HEAD", chunks=arrival.modern)
        finally:
            await dispose(response)
        if not arrival.complete:
            await self._discard(arrival)
        return not close

    def _request(self, arrival: Arrival) -> Request:
        body: bytes | RequestBody = b""
        if not arrival.complete:
            body = arrival.body = arrival.body or self._new_body()
            if arrival.expects:
                body.wanted = self._say_continue
        elif arrival.body is not None:
            body = arrival.body.take()
        target = arrival.target.decode("ascii")
        return Request(arrival.method, target, arrival.headers, self._peer, body, arrival.repeated)

    def _say_continue(self) -> None:
        if not self._out.lost:
            self._transport.write(CONTINUE)

    async def _discard(self, arrival: Arrival) -> None:
        """Read what no handler wanted, so that the client sees the answer and not a reset."""
        body = arrival.body
        assert body is not None
        body.wanted = None
        dropped = 0
        try:
            async with self._door.clock.timeout(2.0):
                async for piece in body:
                    dropped += len(piece)
                    if dropped > _UNREAD:
                        break
        except (ConnectionError, TimeoutError):
            pass

    async def _upgrade(self, response: Response) -> None:
        assert response.upgrade is not None
        self._upgraded = True
        self._door.changed.set()
        with suppress(ConnectionError):  # a client that is gone: the upgrade finds out and cleans up
            await self._out.write(switching_head(response))
        stream = ConnectionStream(self._door.clock, self.connection_lost)
        stream.take_over(self._transport, self._out, b"".join(self._unread))
        try:
            await response.upgrade(stream)
        except Exception as error:  # noqa: BLE001 - the HTTP boundary
            if not isinstance(error, ConnectionError):
                log.crash("Upgraded connection failed", error=error)
            stream.abort()
        await stream.close()

    # Draining and time.

    @property
    def busy(self) -> bool:
        """Whether an answer is owed. An upgraded connection owes none."""
        return (self._busy or bool(self._line)) and not self._upgraded

    def retire(self) -> None:
        """Take no more requests: close now, or after the answer that is under way."""
        if not self.busy and not self._upgraded:
            self._transport.close()

    def abort(self) -> None:
        """Drop the connection."""
        self._transport.abort()

    def _arm(self, seconds: float) -> None:
        if self._out.lost:
            return
        self._deadline = self._door.clock.monotonic() + seconds
        if self._timer is not None:
            if self._due <= self._deadline:
                return
            self._timer.cancel()
        self._due = self._deadline
        self._timer = self._door.clock.call_later(seconds, self._check)

    def _check(self) -> None:
        self._timer = None
        if self._deadline is None:
            return
        left = self._deadline - self._door.clock.monotonic()
        if left > 0.001:
            self._due = self._deadline
            self._timer = self._door.clock.call_later(left, self._check)
        elif self._transport.is_closing():
            self._transport.abort()
        elif self._arrival is None:
            self._transport.close()
            self._arm(_FAREWELL)
        else:
            self._refuse(Refusal(408, "request timeout"))
            self._after(0)
