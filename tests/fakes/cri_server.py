"""A `FakeCri` behind a real gRPC server on a socket, and ways to make it as bad as real runtimes get.

Calls can hang, fail, or answer nonsense; the server can stop and start again over the same containers.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Self

import grpc
import grpc.aio

from fakes.cri_answers import ANSWERS, literal
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri import table
from pilothouse.kubelet.cri.interface import Cri, CriError
from pilothouse.kubelet.cri.messages import Messages

Context = grpc.aio.ServicerContext[Any, Any]
Answer = Callable[[Context, bytes], Awaitable[bytes]]
NOT_A_MESSAGE = b"\x0a\xff"
"""A text of 255 bytes that are not there."""
_MESSAGES = Messages()


class CriServer(grpc.GenericRpcHandler):
    """Serves `cri` on `socket` once started. Use as an async context manager."""

    def __init__(self, cri: Cri, socket: str) -> None:
        self.socket = socket
        self.asked: list[tuple[str, JsonObject]] = []
        """Each call that came, with its request."""
        self.events: asyncio.Queue[JsonObject] | None = None
        """What is told of containers; None: that is not offered."""
        self._cri = cri
        self._bad: dict[str, Answer] = {}
        self._server: grpc.aio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    async def start(self) -> None:
        self._server = grpc.aio.server(handlers=[self])
        self._server.add_insecure_port(f"unix://{self.socket}")
        await self._server.start()

    async def stop(self) -> None:
        """As if killed: what is asked fails, the containers live on."""
        if self._server is not None:
            await self._server.stop(None)
        self._server = None

    # What tests do.

    def hang(self, call: str) -> None:
        """Take the call and never answer."""

        async def never(context: Context, question: bytes) -> bytes:
            await asyncio.Event().wait()
            return b""

        self._bad[call] = never

    def fail(self, call: str, code: grpc.StatusCode, details: str = "") -> None:
        async def fail(context: Context, question: bytes) -> bytes:
            await context.abort(code, details)
            return b""

        self._bad[call] = fail

    def garbage(self, call: str, answer: bytes | Mapping[str, Any] = NOT_A_MESSAGE) -> None:
        """Answer with these bytes, or with a message of these fields alone."""
        raw = answer if isinstance(answer, bytes) else _MESSAGES[f"{call}Response"](**answer).SerializeToString()

        async def answered(context: Context, question: bytes) -> bytes:
            return raw

        self._bad[call] = answered

    def heal(self, call: str) -> None:
        del self._bad[call]

    def requests(self, call: str) -> list[JsonObject]:
        """What was asked in calls of that name."""
        return [request for name, request in self.asked if name == call]

    # What gRPC calls.

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any] | None":
        package, call = handler_call_details.method.removeprefix("/").rsplit("/", 1)
        service = "ImageService" if call in table.IMAGE_CALLS else "RuntimeService"
        if package != f"runtime.v1.{service}":
            return None
        if call == "GetContainerEvents" and self.events is not None:
            tell: Any = self._tell
            return grpc.unary_stream_rpc_method_handler(tell)
        if call not in ANSWERS:
            return None

        async def answer(question: bytes, context: Context) -> bytes:
            return await self._answer(call, question, context)

        handler: Any = answer
        return grpc.unary_unary_rpc_method_handler(handler)

    async def _answer(self, call: str, question: bytes, context: Context) -> bytes:
        request = literal(_MESSAGES[f"{call}Request"].FromString(question))
        self.asked.append((call, request))
        if call in self._bad:
            return await self._bad[call](context, question)
        try:
            fields = await ANSWERS[call](self._cri, request)
        except CriError as error:
            await context.abort(grpc.StatusCode[error.code], error.message)
        raw: bytes = _MESSAGES[f"{call}Response"](**fields).SerializeToString()
        return raw

    async def _tell(self, question: bytes, context: Context) -> AsyncIterator[bytes]:
        assert self.events is not None
        self.asked.append(("GetContainerEvents", {}))
        while True:
            event = await self.events.get()
            if bad := self._bad.get("GetContainerEvents"):
                yield await bad(context, question)
            raw: bytes = _MESSAGES["ContainerEventResponse"](**event).SerializeToString()
            yield raw
