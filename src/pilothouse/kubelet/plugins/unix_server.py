"""A gRPC server on a socket of the node, for plugins to call: messages come and go as bytes.

Whoever answers raises PluginError to refuse a call, with gRPC's code. A socket that was left behind is replaced.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pilothouse.kubelet.plugins.unix_client import PluginError
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log

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
    import grpc
    import grpc.aio

    _make_way(socket)
    server = grpc.aio.server(handlers=[_router(handlers)])
    try:
        server.add_insecure_port(f"unix:{socket}")
    except RuntimeError as error:
        raise OSError(str(error)) from error
    await server.start()
    try:
        _show(socket)
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
