"""One runtime's socket: calls go out as protobuf messages over gRPC, failures come back as CriError.

What cannot be read is the runtime's failure too, and told as one.
"""

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

from google.protobuf.message import DecodeError

from pilothouse.kubelet.counts.runtime_calls import Observe
from pilothouse.kubelet.cri import table
from pilothouse.kubelet.cri.deadlines import REQUEST, deadline
from pilothouse.kubelet.cri.interface import CriError, CriNonsense, CriNotFound, CriUnavailable, CriUnimplemented
from pilothouse.kubelet.cri.messages import Messages
from pilothouse.net.grpc_channel import GrpcChannel
from pilothouse.net.grpc_frames import GrpcCode, GrpcError
from pilothouse.runtime.clock import Clock

_ERRORS = {
    GrpcCode.NOT_FOUND: CriNotFound,
    GrpcCode.UNAVAILABLE: CriUnavailable,
    GrpcCode.UNIMPLEMENTED: CriUnimplemented,
}


def _unobserved(_call: str, _seconds: float, _good: bool, _handler: str) -> None:
    """Nobody counts."""


class Connection:
    """The runtime behind `socket`, which is dialled when it is first asked, and again when it was gone.

    With `images`, somebody behind that socket is asked about images.
    """

    def __init__(self, socket: str, clock: Clock, request_timeout: float = REQUEST, images: str = "") -> None:
        self._socket = socket
        self._image_socket = images or socket
        self._clock = clock
        self.request_timeout = request_timeout
        self.observe: Observe = _unobserved
        self._messages = Messages()

    async def __aenter__(self) -> Self:
        self._channel = self._images = GrpcChannel(f"unix:{self._socket}", None, self._clock)
        if self._image_socket != self._socket:
            self._images = GrpcChannel(f"unix:{self._image_socket}", None, self._clock)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._channel.close()
        if self._images is not self._channel:
            await self._images.close()

    async def call(self, name: str, *, within: float = 0.0, **fields: Any) -> Any:
        """One call: `name` gives the messages, `fields` the request's content, `within` how long it was told to take.

        Raises CriError."""
        request = self._messages[f"{name}Request"](**fields).SerializeToString()
        began, good = self._clock.monotonic(), False
        try:
            channel = self._images if name in table.IMAGE_CALLS else self._channel
            answer = await channel.call(_path(name), request, deadline(name, self.request_timeout, within))
            good = True
        except GrpcError as error:
            raise _error(error) from None
        finally:
            self.observe(name, self._clock.monotonic() - began, good, fields.get("runtime_handler", ""))
        return self._read(name, f"{name}Response", answer)

    async def events(self) -> AsyncIterator[Any]:
        """What happens to containers, for as long as it is read. Raises CriError."""
        request = self._messages["GetEventsRequest"]().SerializeToString()
        try:
            stream = await self._channel.stream(_path("GetContainerEvents"))
            try:
                stream.write(request, last=True)
                while (event := await stream.read()) is not None:
                    yield self._read("GetContainerEvents", "ContainerEventResponse", event)
            finally:
                stream.cancel()
        except GrpcError as error:
            raise _error(error) from None

    def _read(self, name: str, answer: str, data: bytes) -> Any:
        try:
            return self._messages[answer].FromString(data)
        except DecodeError:
            raise CriNonsense(f"the runtime's answer to {name} cannot be read") from None


def _path(name: str) -> str:
    service = "ImageService" if name in table.IMAGE_CALLS else "RuntimeService"
    return f"/{table.PACKAGE}.{service}/{name}"


def _error(error: GrpcError) -> CriError:
    return _ERRORS.get(error.code, CriError)(error.code.name, error.details)
