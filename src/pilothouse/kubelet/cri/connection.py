"""One runtime's socket: calls go out as protobuf messages over gRPC, failures come back as CriError.

What cannot be read is the runtime's failure too, and told as one.
"""

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from pilothouse.kubelet.cri import table
from pilothouse.kubelet.cri.deadlines import REQUEST, deadline
from pilothouse.kubelet.cri.interface import CriError, CriNonsense, CriNotFound, CriUnavailable, CriUnimplemented
from pilothouse.kubelet.cri.messages import Messages

_LARGE = 16 << 20
"""Upstream's limit of one message: a listing of a full node exceeds gRPC's default of 4 MB."""
_ERRORS = {"NOT_FOUND": CriNotFound, "UNAVAILABLE": CriUnavailable, "UNIMPLEMENTED": CriUnimplemented}


class Connection:
    """The runtime behind `socket`, which is dialled when it is first asked, and again when it was gone."""

    def __init__(self, socket: str, request_timeout: float = REQUEST) -> None:
        self._socket = socket
        self.request_timeout = request_timeout
        self._messages = Messages()
        self._calls: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        options = [("grpc.max_receive_message_length", _LARGE), ("grpc.max_send_message_length", _LARGE),
                   ("grpc.max_reconnect_backoff_ms", 1000), ("grpc.enable_http_proxy", 0)]  # fmt: skip
        self._channel = grpc.aio.insecure_channel(f"unix://{self._socket}", options)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._channel.close()

    async def call(self, name: str, *, within: float = 0.0, **fields: Any) -> Any:
        """One call: `name` gives the messages, `fields` the request's content, `within` how long it was told to take.

        Raises CriError."""
        request = self._messages[f"{name}Request"](**fields).SerializeToString()
        try:
            answer = await self._method(name)(request, timeout=deadline(name, self.request_timeout, within))
        except grpc.aio.AioRpcError as error:
            raise _error(error) from None
        return self._read(name, f"{name}Response", answer)

    async def events(self) -> AsyncIterator[Any]:
        """What happens to containers, for as long as it is read. Raises CriError."""
        request = self._messages["GetEventsRequest"]().SerializeToString()
        try:
            async for event in self._method("GetContainerEvents", stream=True)(request):
                yield self._read("GetContainerEvents", "ContainerEventResponse", event)
        except grpc.aio.AioRpcError as error:
            raise _error(error) from None

    def _method(self, name: str, *, stream: bool = False) -> Any:
        if name not in self._calls:
            service = "ImageService" if name in table.IMAGE_CALLS else "RuntimeService"
            make = self._channel.unary_stream if stream else self._channel.unary_unary
            self._calls[name] = make(f"/{table.PACKAGE}.{service}/{name}")
        return self._calls[name]

    def _read(self, name: str, answer: str, data: bytes) -> Any:
        try:
            return self._messages[answer].FromString(data)
        except DecodeError:
            raise CriNonsense(f"the runtime's answer to {name} cannot be read") from None


def _error(error: grpc.aio.AioRpcError) -> CriError:
    code = error.code().name
    return _ERRORS.get(code, CriError)(code, error.details() or "")
