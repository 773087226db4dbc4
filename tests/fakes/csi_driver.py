"""A CSI driver that is really there: gRPC on a socket, its volumes directories of tests that it bind-mounts.

It also answers on a registration socket. Calls can hang, fail and answer nonsense; another driver on the same root goes
on where it was.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self

import grpc
import grpc.aio

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.csi import table
from pilothouse.kubelet.plugins import registration
from pilothouse.kubelet.volume import Mounter
from pilothouse.net.message_table import message_classes, rows

Context = grpc.aio.ServicerContext[Any, Any]
_CSI = message_classes(table.PACKAGE, table.MESSAGES, table.ENUMS)
_REGISTRATION = message_classes(registration.PACKAGE, registration.MESSAGES, "")
_RPC = dict(rows(table.ENUMS))["Rpc"]


class CsiDriver(grpc.GenericRpcHandler):
    """Serves below `root` once started. Use as an async context manager."""

    def __init__(self, root: Path, mounter: Mounter, *capabilities: str, name: str = "disk.example.com") -> None:
        self.name = name
        self.kind = "CSIPlugin"
        self.versions = ("1.0.0",)
        self.socket = root / "csi.sock"
        self.registration = root / "reg.sock"
        self.capabilities = capabilities
        self.info: JsonObject = {"node_id": "node-1"}
        self.told: list[tuple[bool, str]] = []
        """What it was told of its registration."""
        self.asked: list[tuple[str, JsonObject]] = []
        """Calls, with their requests."""
        self.stats: JsonObject = {}
        self.expanded = 0
        self.forgetful = False
        """Whether it says that it unmounted, and did not."""
        self._mounter = mounter
        self._store = root / "volumes"
        self._bad: dict[str, Callable[[Context], Awaitable[None]]] = {}
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
            self._server.add_insecure_port(f"unix://{socket}")
        await self._server.start()

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.stop(None)
        self._server = None
        for socket in (self.socket, self.registration):
            socket.unlink(missing_ok=True)

    # What tests do.

    def hang(self, call: str, *, after: bool = False) -> None:
        """Never answer; `after`: having done it."""

        async def never(context: Context) -> None:
            await asyncio.Event().wait()

        self._bad[f"{call} after" if after else call] = never

    def fail(self, call: str, code: grpc.StatusCode = grpc.StatusCode.INTERNAL, why: str = "no", *,
             after: bool = False) -> None:  # fmt: skip
        async def fail(context: Context) -> None:
            await context.abort(code, why)

        self._bad[f"{call} after" if after else call] = fail

    def heal(self) -> None:
        self._bad.clear()

    def calls(self, *names: str) -> list[str]:
        """The calls that were made, or those of these names, in their order."""
        return [name for name, _ in self.asked if name in names or (not names and name != "NodeGetCapabilities")]

    def requests(self, name: str) -> list[JsonObject]:
        return [request for call, request in self.asked if call == name]

    def volume(self, handle: str) -> Path:
        """Where a volume's content is."""
        path = self._store / handle
        path.mkdir(parents=True, exist_ok=True)
        return path

    # What gRPC calls.

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        service, _, call = handler_call_details.method.removeprefix("/").rpartition("/")
        answers = {"csi.v1.Node": self._csi, "pluginregistration.Registration": self._register}
        if service not in answers:
            return None

        async def answer(question: bytes, context: Context) -> bytes:
            return await answers[service](call, question, context)

        handler: Any = answer
        return grpc.unary_unary_rpc_method_handler(handler)

    async def _register(self, call: str, question: bytes, context: Context) -> bytes:
        await self._spoil(call, context)
        if call == "GetInfo":
            info = _REGISTRATION["PluginInfo"](
                type=self.kind, name=self.name, endpoint=str(self.socket), supported_versions=self.versions
            )
            return bytes(info.SerializeToString())
        status = _REGISTRATION["RegistrationStatus"].FromString(question)
        self.told.append((status.plugin_registered, status.error))
        return b""

    async def _csi(self, call: str, question: bytes, context: Context) -> bytes:
        message = _CSI[f"{call}Request"].FromString(question)
        request = {field.name: value for field, value in message.ListFields()}
        self.asked.append((call, request))
        await self._spoil(call, context)
        fields = self._do(call, request)
        await self._spoil(f"{call} after", context)
        return bytes(_CSI[f"{call}Response"](**fields).SerializeToString())

    async def _spoil(self, call: str, context: Context) -> None:
        if call in self._bad:
            await self._bad[call](context)

    def _do(self, call: str, request: JsonObject) -> JsonObject:
        match call:
            case "NodeGetInfo":
                return self.info
            case "NodeGetCapabilities":
                return {"capabilities": [{"rpc": {"type": _RPC.index(name)}} for name in self.capabilities]}
            case "NodeStageVolume":
                self._mount(self.volume(request["volume_id"]), Path(request["staging_target_path"]))
            case "NodeUnstageVolume":
                self._unmount(Path(request["staging_target_path"]))
            case "NodePublishVolume":
                staged = request.get("staging_target_path")
                source = Path(staged) if staged else self.volume(request["volume_id"])
                self._publish(
                    source, Path(request["target_path"]), block=request["volume_capability"].HasField("block")
                )
            case "NodeUnpublishVolume":
                target = Path(request["target_path"])
                self._unmount(target)
                if self._mounter.is_mounted(target):
                    return {}
                if target.is_dir():
                    target.rmdir()
                else:
                    target.unlink(missing_ok=True)
            case "NodeGetVolumeStats":
                return self.stats
            case "NodeExpandVolume":
                self.expanded = request["capacity_range"].required_bytes
                return {"capacity_bytes": self.expanded}
        return {}

    def _publish(self, source: Path, target: Path, *, block: bool) -> None:
        if block:
            target.touch()
            self._mount(Path("/dev/null"), target)
        else:
            target.mkdir(exist_ok=True)
            self._mount(source, target)

    def _mount(self, source: Path, target: Path) -> None:
        if not self._mounter.is_mounted(target):
            self._mounter.bind(source, target)

    def _unmount(self, target: Path) -> None:
        if not self.forgetful and self._mounter.is_mounted(target):
            self._mounter.unmount(target, lazily=False)
