"""A DRA driver that is really there: gRPC on a socket. It makes ready the devices that it is given, claim by claim.

It also answers on a registration socket. Calls can hang, fail and answer nonsense.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

import grpc
import grpc.aio

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.dra.table import HEALTH_PACKAGES, PACKAGES, health_messages, messages
from pilothouse.kubelet.plugins import registration
from pilothouse.net.message_table import message_classes

DRIVER = "gpu.example.com"
_REGISTRATION = message_classes(registration.PACKAGE, registration.MESSAGES, "")
Context = grpc.aio.ServicerContext[Any, Any]


class DraDriver(grpc.GenericRpcHandler):
    """Use as an async context manager. It serves below `root`."""

    def __init__(self, root: Path, name: str = DRIVER, *services: str) -> None:
        self.name = name
        self.services = services or ("v1.DRAPlugin", "v1beta1.DRAPlugin")
        self.socket = root / "plugins" / name / "dra.sock"
        self.registration = root / "plugins_registry" / f"{name}-reg.sock"
        self.devices: dict[str, list[JsonObject]] = {}
        """By the claim's name; the others get one device that is called as they are."""
        self.errors: dict[str, str] = {}
        """By the claim's name: what is wrong with it."""
        self.answers: dict[str, JsonObject] = {}
        """By call: what is said instead."""
        self.wrong: dict[str, str] = {}
        """Calls that fail, and how."""
        self.asked: list[tuple[str, list[str]]] = []
        """Calls, with the names of their claims."""
        self.paths: list[str] = []
        self.told: list[tuple[bool, str]] = []
        self.ready: dict[str, None] = {}
        """The claims that are ready, by uid."""
        self.health: dict[str, tuple[int, str]] = {}
        """How devices are, by their names: a number and a message."""
        self.watched: list[str] = []
        self._news = asyncio.Event()
        self.hanging = asyncio.Event()
        self.hanging.set()
        self._server: grpc.aio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    async def start(self) -> None:
        self._server = grpc.aio.server(handlers=[self])
        for socket in (self.socket, self.registration):
            socket.parent.mkdir(parents=True, exist_ok=True)
            socket.unlink(missing_ok=True)
            self._server.add_insecure_port(f"unix:{socket}")
        await self._server.start()

    async def stop(self) -> None:
        if self._server is not None:
            self.hanging.set()
            await self._server.stop(None)
        self._server = None
        for socket in (self.socket, self.registration):
            socket.unlink(missing_ok=True)

    # What tests do.

    def calls(self, name: str = "") -> list[str]:
        """The claims of each call, or each call with its claims."""
        if not name:
            return [f"{call} {' '.join(claims)}" for call, claims in self.asked]
        return [" ".join(claims) for call, claims in self.asked if call == name]

    def tell(self, **health: tuple[int, str]) -> None:
        """All devices are so from now on."""
        self.health = health
        self._news.set()

    # What gRPC calls.

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        service, _, call = handler_call_details.method.removeprefix("/").rpartition("/")
        package = service.rpartition(".")[0]
        if package in HEALTH_PACKAGES.values() and call == "NodeWatchResources":
            self.watched.append(service)
            watching: Any = self._watch
            return grpc.unary_stream_rpc_method_handler(watching)
        if service == "pluginregistration.Registration":
            handler: Any = self._registration
        elif package in PACKAGES.values() and service.endswith(".DRAPlugin"):
            self.paths.append(handler_call_details.method)
            handler = self._answer
        else:
            return None

        async def answer(question: bytes, context: Context) -> bytes:
            return bytes(await handler(call, question, context))

        answering: Any = answer
        return grpc.unary_unary_rpc_method_handler(answering)

    async def _registration(self, call: str, question: bytes, context: Context) -> bytes:
        if call == "GetInfo":
            info = _REGISTRATION["PluginInfo"](
                type="DRAPlugin", name=self.name, endpoint=str(self.socket), supported_versions=self.services
            )
            return bytes(info.SerializeToString())
        status = _REGISTRATION["RegistrationStatus"].FromString(question)
        self.told.append((status.plugin_registered, status.error))
        return b""

    async def _watch(self, question: bytes, context: Context) -> AsyncIterator[bytes]:
        while True:
            self._news.clear()
            devices = [
                {"device": {"pool_name": "n1", "device_name": name}, "health": number, "message": message}
                for name, (number, message) in self.health.items()
            ]
            yield health_messages()["NodeWatchResourcesResponse"](devices=devices).SerializeToString()
            await self._news.wait()

    async def _answer(self, call: str, question: bytes, context: Context) -> bytes:
        claims = messages()[f"{call}Request"].FromString(question).claims
        self.asked.append((call, [claim.name for claim in claims]))
        await self.hanging.wait()
        if call in self.wrong:
            await context.abort(grpc.StatusCode.INTERNAL, self.wrong[call])
        said = self.answers.get(call)
        if said is None:
            said = {"claims": [{"key": claim.uid, "value": self._do(call, claim)} for claim in claims]}
        return bytes(messages()[f"{call}Response"](**said).SerializeToString())

    def _do(self, call: str, claim: Any) -> JsonObject:
        if claim.name in self.errors:
            return {"error": self.errors[claim.name]}
        if call == "NodeUnprepareResources":
            self.ready.pop(claim.uid, None)
            return {}
        self.ready[claim.uid] = None
        return {"devices": self.devices.get(claim.name, [device(claim.name)])}


def device(name: str, *requests: str, driver: str = DRIVER, **more: Any) -> JsonObject:
    """One, as a driver tells of it."""
    return {
        "pool_name": "n1", "device_name": name, "request_names": requests, "cdi_device_ids": [f"{driver}/gpu={name}"],
        **more,
    }  # fmt: skip
