"""A gRPC server on a socket of the node, for plugins to call: messages come and go as bytes.

Whoever answers raises PluginError to refuse a call, with gRPC's code. A socket that was left behind is replaced.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pilothouse.kubelet.plugins.unix_client import PluginError
from pilothouse.net.splice import splice
from pilothouse.net.stream import ConnectionStream
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log
from pilothouse.runtime.tasks import Tasks

log = Log(__name__)
_FAREWELL = 1.0
"""Seconds that calls have to end when the server does."""
_MODE = 0o660

Answer = Callable[[bytes], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Streaming:
    """A call that is answered by one message after the other."""

    answer: Callable[[bytes], AsyncIterator[bytes]]


Handlers = Mapping[str, Answer | Streaming]
"""By path, such as `/v1beta1.Registration/Register`."""


@asynccontextmanager
async def serve_unix(socket: Path, handlers: Handlers, clock: Clock) -> AsyncIterator[None]:
    """Serve inside the block. Raises OSError when the socket cannot be made."""
    _make_way(socket)
    tasks, stack = Tasks(), AsyncExitStack()
    library = _Library(socket.with_name(f".{socket.name}"), handlers, clock, stack)

    def met() -> ConnectionStream:
        caller = ConnectionStream(clock)
        tasks.spawn(library.join(caller), name=f"caller of {socket.name}")
        return caller

    try:
        listener = await asyncio.get_running_loop().create_unix_server(met, socket, start_serving=False)
    except OSError as error:
        raise OSError(f"{socket}: {error}") from error
    _show(socket)
    async with stack, tasks:
        await listener.start_serving()
        try:
            yield
        finally:
            listener.close()
            _make_way(socket)


class _Library:
    """gRPC's own server, on a socket of its own, to which callers are joined.

    It takes threads and memory, which a node without plugins need not spend: it starts when the first caller comes.
    """

    def __init__(self, socket: Path, handlers: Handlers, clock: Clock, stack: AsyncExitStack) -> None:
        self._socket = socket
        self._handlers = handlers
        self._clock = clock
        self._stack = stack
        self._starting = asyncio.Lock()
        self._started = False

    async def join(self, caller: ConnectionStream) -> None:
        """Carry what is said until one of both ends it."""
        try:
            async with self._starting:
                if not self._started:
                    await self._stack.enter_async_context(_serving(self._socket, self._handlers, self._clock))
                    self._started = True
            loop = asyncio.get_running_loop()
            _, server = await loop.create_unix_connection(lambda: ConnectionStream(self._clock), str(self._socket))
        except OSError as error:
            log.error("Failed to serve plugins", socket=str(self._socket), err=str(error))
            await caller.close()
            return
        await splice(caller, server, halves=False)


@asynccontextmanager
async def _serving(socket: Path, handlers: Handlers, clock: Clock) -> AsyncIterator[None]:
    import grpc.aio

    _make_way(socket)
    server = grpc.aio.server(handlers=[_router(handlers)])
    try:
        server.add_insecure_port(f"unix:{socket}")
    except RuntimeError as error:
        raise OSError(str(error)) from error
    await server.start()
    _show(socket)
    try:
        yield
    finally:
        try:
            async with clock.timeout(2 * _FAREWELL):
                await server.stop(_FAREWELL)
        except TimeoutError:
            log.warning("Calls did not end with their server", socket=str(socket))
        _make_way(socket)


def _make_way(socket: Path) -> None:
    socket.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    socket.unlink(missing_ok=True)


def _show(socket: Path) -> None:
    socket.chmod(_MODE)


def _router(handlers: Handlers) -> Any:
    import grpc

    class Router(grpc.GenericRpcHandler):
        """Finds who answers."""

        def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
            handler = handlers.get(handler_call_details.method)
            if handler is None:
                return None
            if isinstance(handler, Streaming):
                streamed: Any = _streamed(handler)
                return grpc.unary_stream_rpc_method_handler(streamed)
            answered: Any = _answered(handler)
            return grpc.unary_unary_rpc_method_handler(answered)

    return Router()


def _answered(handler: Answer) -> Callable[[bytes, Any], Awaitable[bytes]]:
    async def answer(question: bytes, call: Any) -> bytes:
        try:
            return await handler(question)
        except PluginError as error:
            await _refuse(call, error)
            raise

    return answer


def _streamed(handler: Streaming) -> Callable[[bytes, Any], AsyncIterator[bytes]]:
    async def answer(question: bytes, call: Any) -> AsyncIterator[bytes]:
        try:
            async for message in handler.answer(question):
                yield message
        except PluginError as error:
            await _refuse(call, error)

    return answer


async def _refuse(call: Any, error: PluginError) -> None:
    import grpc

    await call.abort(grpc.StatusCode[error.code.name], str(error))
