"""Calls of a plugin's socket: protobuf messages over gRPC, each with a deadline; failures come back as PluginError."""

from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError

from pilothouse.net.grpc_channel import GrpcChannel
from pilothouse.net.grpc_frames import GrpcCode, GrpcError
from pilothouse.runtime.clock import Clock

_NONSENSE = "the answer cannot be read"


class PluginError(Exception):
    """A plugin refused, failed, or cannot be reached."""

    def __init__(self, message: str, code: GrpcCode = GrpcCode.UNKNOWN) -> None:
        super().__init__(message)
        self.code = code


class UnixClient:
    """A plugin behind `socket`, dialled when it is first asked, and again when it was gone. To be closed."""

    def __init__(self, socket: Path, package: str, messages: Mapping[str, Any], clock: Clock) -> None:
        self._channel = GrpcChannel(f"unix:{socket}", None, clock)
        self._package = package
        self._messages = messages

    async def call(self, service: str, name: str, seconds: float, answer: str = "", **fields: Any) -> Any:
        """One call: `name` gives the messages, unless `answer` names another, `fields` the request's content.

        Raises PluginError, with the code in gRPC's words as Go's library puts them.
        """
        request = self._messages[f"{name}Request"](**fields)
        return await self.send(f"{service}/{name}", request, answer or f"{name}Response", seconds)

    async def send(self, path: str, request: Any, answer: str, seconds: float) -> Any:
        """One call with a message. Raises PluginError."""
        try:
            found = await self._channel.call(f"/{self._package}.{path}", request.SerializeToString(), seconds)
        except GrpcError as error:
            raise PluginError(f"rpc error: code = {go_code(error.code)} desc = {error.details}", error.code) from None
        try:
            return self._messages[answer].FromString(found)
        except DecodeError:
            raise PluginError(_NONSENSE, GrpcCode.INTERNAL) from None

    async def watch(self, path: str, request: Any, answer: str) -> AsyncIterator[Any]:
        """One call that is answered by one message after the other, for as long as it lasts. Raises PluginError."""
        try:
            stream = await self._channel.stream(f"/{self._package}.{path}")
            try:
                stream.write(request.SerializeToString(), last=True)
                while (found := await stream.read()) is not None:
                    yield self._messages[answer].FromString(found)
            finally:
                stream.cancel()
        except GrpcError as error:
            raise PluginError(f"rpc error: code = {go_code(error.code)} desc = {error.details}", error.code) from None
        except DecodeError:
            raise PluginError(_NONSENSE, GrpcCode.INTERNAL) from None

    async def until_lost(self, connected: Callable[[], None]) -> None:
        """Stay connected, tell when that is so, and return when it is over. Raises PluginError."""
        try:
            await self._channel.until_lost(connected)
        except GrpcError as error:
            raise PluginError(f"rpc error: code = {go_code(error.code)} desc = {error.details}", error.code) from None

    async def close(self) -> None:
        """Ask no more."""
        await self._channel.close()


def go_code(code: GrpcCode) -> str:
    """A code as Go spells it, such as `NotFound`."""
    if code is GrpcCode.OK:
        return "OK"
    # One of them is spelled in the American way there.
    return "Canceled" if code is GrpcCode.CANCELLED else code.name.title().replace("_", "")
