"""A device plugin that is really there: gRPC on a socket. It tells of the devices that it is given.

Use it with the kubelet's socket, where it registers itself, or below `plugins_registry`, where it is found.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

import grpc
import grpc.aio

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.devices.table import PACKAGE, messages
from pilothouse.kubelet.plugins import registration
from pilothouse.net.message_table import message_classes

RESOURCE = "example.com/foo"
_REGISTRATION = message_classes(registration.PACKAGE, registration.MESSAGES, "")
_ANSWERS = {
    "GetDevicePluginOptions": ("Empty", "DevicePluginOptions"),
    "GetPreferredAllocation": ("PreferredAllocationRequest", "PreferredAllocationResponse"),
    "Allocate": ("AllocateRequest", "AllocateResponse"),
    "PreStartContainer": ("PreStartContainerRequest", "PreStartContainerResponse"),
}
Context = grpc.aio.ServicerContext[Any, Any]


class DevicePlugin(grpc.GenericRpcHandler):
    """Use as an async context manager."""

    def __init__(self, socket: Path, resource: str = RESOURCE, **health: str) -> None:
        self.socket = socket
        self.resource = resource
        self.devices = {name: [{"ID": name, "health": one}] for name, one in health.items()}
        self.nodes: dict[str, list[int]] = {}
        """NUMA nodes of devices."""
        self.options: JsonObject = {}
        self.preferred: list[str] = []
        self.given: JsonObject = {}
        """What a container gets besides the variable `FOO` with its devices."""
        self.asked: list[tuple[str, JsonObject]] = []
        self.told: list[tuple[bool, str]] = []
        self.wrong: dict[str, str] = {}
        """Calls that fail, and how."""
        self._news = asyncio.Event()
        self._server: grpc.aio.Server | None = None

    async def __aenter__(self) -> Self:
        self.socket.parent.mkdir(parents=True, exist_ok=True)
        self.socket.unlink(missing_ok=True)
        self._server = grpc.aio.server(handlers=[self])
        self._server.add_insecure_port(f"unix:{self.socket}")
        await self._server.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._server is not None
        await self._server.stop(None)
        self.socket.unlink(missing_ok=True)

    # What tests do.

    async def register(self, kubelet: Path, version: str = "v1beta1") -> None:
        """Raises grpc.aio.AioRpcError."""
        request = messages()["RegisterRequest"](version=version, endpoint=self.socket.name, resource_name=self.resource)
        async with grpc.aio.insecure_channel(f"unix:{kubelet}") as channel:
            call: Any = channel.unary_unary(f"/{PACKAGE}.Registration/Register")
            await call(request.SerializeToString())

    def set(self, **health: str) -> None:
        """These are the devices from now on."""
        self.devices = {name: [{"ID": name, "health": one}] for name, one in health.items()}
        self._news.set()

    def calls(self, name: str) -> list[JsonObject]:
        return [request for call, request in self.asked if call == name]

    # What gRPC calls.

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        service, _, call = handler_call_details.method.removeprefix("/").rpartition("/")
        if call == "ListAndWatch":
            listing: Any = self._list
            return grpc.unary_stream_rpc_method_handler(listing)

        async def answer(question: bytes, context: Context) -> bytes:
            if service == "pluginregistration.Registration":
                return self._registration(call, question)
            return await self._answer(call, question, context)

        handler: Any = answer
        return grpc.unary_unary_rpc_method_handler(handler)

    def _registration(self, call: str, question: bytes) -> bytes:
        if call == "GetInfo":
            info = _REGISTRATION["PluginInfo"](
                type="DevicePlugin", name=self.resource, endpoint=str(self.socket), supported_versions=["v1beta1"]
            )
            return bytes(info.SerializeToString())
        status = _REGISTRATION["RegistrationStatus"].FromString(question)
        self.told.append((status.plugin_registered, status.error))
        return b""

    async def _list(self, question: bytes, context: Context) -> AsyncIterator[bytes]:
        while True:
            self._news.clear()
            listed = [
                {**one, "topology": {"nodes": [{"ID": node} for node in self.nodes.get(name, ())]}}
                for name, ones in self.devices.items()
                for one in ones
            ]
            yield messages()["ListAndWatchResponse"](devices=listed).SerializeToString()
            await self._news.wait()

    async def _answer(self, call: str, question: bytes, context: Context) -> bytes:
        asked, answered = _ANSWERS[call]
        request = messages()[asked].FromString(question)
        self.asked.append((call, request))
        if call in self.wrong:
            await context.abort(grpc.StatusCode.UNKNOWN, self.wrong[call])
        return bytes(messages()[answered](**self._do(call, request)).SerializeToString())

    def _do(self, call: str, request: Any) -> JsonObject:
        match call:
            case "GetDevicePluginOptions":
                return self.options
            case "GetPreferredAllocation":
                return {"container_responses": [{"deviceIDs": self.preferred}]}
            case "Allocate":
                (one,) = request.container_requests
                return {"container_responses": [{**self.given, "envs": {"FOO": ",".join(one.devices_ids)}}]}
        return {}
