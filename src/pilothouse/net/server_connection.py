"""One connection at the front door: requests in, one at a time, answers out.

What comes is parsed (`request_parser.py`) and stands in line. One task a connection takes requests out, calls the
handler and sends the answer. When the client leaves, that task is cancelled, and the handler with it.
"""

import asyncio
from contextlib import suppress
from typing import cast

from pilothouse.net.answer import AnswerWriter, dispose
from pilothouse.net.arrival import Arrival, Refusal
from pilothouse.net.deadline import Deadline
from pilothouse.net.door import Door, peer_of
from pilothouse.net.http import Request, Response
from pilothouse.net.outflow import Outflow
from pilothouse.net.request_body import BodyBroken, RequestBody
from pilothouse.net.request_parser import RequestParser
from pilothouse.net.response_head import CONTINUE, switching_head
from pilothouse.net.stream import ConnectionStream
from pilothouse.runtime.log import Log

log = Log(__name__)

_UNREAD = 1024 * 1024
"""How much of a body that no handler wanted is read and dropped before the connection is closed."""


class ServerConnection(asyncio.BufferedProtocol):
    """The server's end of one connection."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._parser = RequestParser(door.clock, door.limits, self._flow)
        self._line = self._parser.line
        self._deadline = Deadline(door.clock, self._too_late)
        self._task: asyncio.Task[None] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._busy = False
        self._upgraded = False
        self._reading = True

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
        self._deadline.set(self._door.limits.head)

    def get_buffer(self, _hint: int) -> memoryview:
        """Where to put what has come."""
        return self._door.arriving

    def buffer_updated(self, count: int) -> None:
        """Feed the parser: there may be requests in line then."""
        if self._parser.refusal is None:
            if self._parser.feed(self._door.arriving[:count]) and not self._busy:
                self._deadline.set(self._door.limits.head)
            self._go_on()

    def eof_received(self) -> bool:
        """The client has closed its half: as everywhere in Kubernetes, that means it has left."""
        return False

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - asyncio gives it
        """The client is gone."""
        self._out.lose()
        self._deadline.end()
        self._parser.break_off("the client has left")
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

    # Between parser and task.

    def _flow(self, wanted: bool) -> None:
        if wanted != self._reading and not self._out.lost:
            self._reading = wanted
            (self._transport.resume_reading if wanted else self._transport.pause_reading)()

    def _go_on(self) -> None:
        """Whatever came has been parsed: what now?"""
        if self._line or self._parser.refusal is not None:
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
                self._deadline.lift()
                arrival = self._line.popleft()
                if not self._line:
                    self._flow(True)
                if not await self._serve(arrival):
                    break
                self._busy = False
                self._deadline.set(self._door.limits.idle)
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
            self._deadline.set(self._door.limits.farewell)

    async def _next(self) -> bool:
        """Wait for a request; False when there will be none."""
        while not self._line:
            if self._parser.refusal is not None:
                await self._answers.refuse(self._parser.refusal)
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
            if response.upgrade is not None and not (self._parser.switching and arrival.modern):
                await dispose(response)
                raise RuntimeError("an upgrade was answered to a request that asked for none")
        except BodyBroken as error:
            self._parser.refuse(Refusal(408, str(error)))
            response = Response(408)
        except Exception as error:  # noqa: BLE001 - the HTTP boundary
            log.crash("Handler failed", error=error, method=request.method, target=request.target)
            response = Response(500, b"Internal Server Error\n", content_type="text/plain; charset=utf-8")
            arrival.close = True
        if self._parser.refusal is not None and not arrival.complete:
            await dispose(response)
            await self._answers.refuse(self._parser.refusal)
            return False
        if response.upgrade is not None:
            await self._upgrade(response)
            return False
        close = arrival.close or self._parser.switching or self._door.draining or not arrival.complete
        try:
            await self._answers.send(response, close=close, head_only=request.method == "HEAD", chunks=arrival.modern)
        finally:
            if not isinstance(response.body, bytes):
                await dispose(response)
        if not arrival.complete:
            await self._discard(arrival)
        return not close

    def _request(self, arrival: Arrival) -> Request:
        body: bytes | RequestBody = b""
        if not arrival.complete:
            body = arrival.body = arrival.body or self._parser.new_body()
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
        stream.take_over(self._transport, self._out, self._parser.unread())
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

    def _too_late(self) -> None:
        if self._transport.is_closing():
            self._transport.abort()
        elif self._parser.arrival is None:
            self._transport.close()
            self._deadline.set(self._door.limits.farewell)
        else:
            self._parser.refuse(Refusal(408, "request timeout"))
            self._go_on()
