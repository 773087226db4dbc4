"""One CSI driver's node service, call by call. Upstream: pkg/volume/csi/csi_client.go."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from pilothouse.kubelet.csi import table
from pilothouse.kubelet.plugins.unix_client import PluginError, UnixClient, go_code
from pilothouse.net.grpc_frames import GrpcCode
from pilothouse.net.message_table import message_classes, rows
from pilothouse.runtime.clock import Clock

PATIENCE = 120.0
"""Seconds for one call."""
_ENUMS = dict(rows(table.ENUMS))
_UNCERTAIN = (
    GrpcCode.CANCELLED, GrpcCode.DEADLINE_EXCEEDED, GrpcCode.UNAVAILABLE, GrpcCode.RESOURCE_EXHAUSTED,
    GrpcCode.ABORTED,
)  # fmt: skip


class CsiError(PluginError):
    """A driver failed."""

    @property
    def final(self) -> bool:
        """Whether the call has come to its end: else the driver may still be at it, or have done it."""
        return self.code not in _UNCERTAIN


@dataclass(frozen=True, slots=True)
class DriverInfo:
    """What a driver says of the node."""

    node_id: str
    most: int = 0
    """Volumes at a time; 0: as many as there are."""
    topology: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """Of a volume, in one unit."""

    unit: str
    available: int
    total: int
    used: int


@dataclass(frozen=True, slots=True)
class VolumeStats:
    """What a driver says of a volume."""

    usage: tuple[Usage, ...]
    abnormal: bool | None
    """None: it does not say."""
    message: str


def _ignore(_method: str, _code: str, _seconds: float) -> None:
    """Nobody counts calls."""


class CsiClient:
    """A driver behind `socket`. Methods raise CsiError. To be closed."""

    def __init__(
        self,
        socket: str,
        clock: Clock,
        patience: float = PATIENCE,
        observe: Callable[[str, str, float], None] = _ignore,
    ) -> None:
        self.socket = socket
        self._clock = clock
        self._observe = observe
        self._client = UnixClient(Path(socket), table.PACKAGE, _messages(), clock)
        self._patience = patience
        self._capabilities: frozenset[str] | None = None

    async def close(self) -> None:
        """Ask no more."""
        await self._client.close()

    async def info(self) -> DriverInfo:
        """What it says of the node."""
        found = await self._call("NodeGetInfo")
        topology = dict(found.accessible_topology.segments)
        return DriverInfo(found.node_id, found.max_volumes_per_node, topology)

    async def capabilities(self) -> frozenset[str]:
        """What it can do, such as STAGE_UNSTAGE_VOLUME; asked once."""
        if self._capabilities is None:
            found = await self._call("NodeGetCapabilities")
            numbers = [one.rpc.type for one in found.capabilities]
            self._capabilities = frozenset(_ENUMS["Rpc"][number] for number in numbers if number < len(_ENUMS["Rpc"]))
        return self._capabilities

    async def stage(self, **fields: Any) -> None:
        """Make a volume ready on the node."""
        await self._call("NodeStageVolume", **fields)

    async def unstage(self, volume: str, staging: Path) -> None:
        """Undo that."""
        await self._call("NodeUnstageVolume", volume_id=volume, staging_target_path=str(staging))

    async def publish(self, **fields: Any) -> None:
        """Show a volume to a pod."""
        await self._call("NodePublishVolume", **fields)

    async def unpublish(self, volume: str, target: Path) -> None:
        """Undo that."""
        await self._call("NodeUnpublishVolume", volume_id=volume, target_path=str(target))

    async def expand(self, **fields: Any) -> int:
        """Have a volume's file system as large as the volume; how large that is, 0 when it does not say."""
        return int((await self._call("NodeExpandVolume", **fields)).capacity_bytes)

    async def stats(self, volume: str, path: Path, staging: Path | None) -> VolumeStats:
        """How full a volume is, and whether it is well."""
        found = await self._call(
            "NodeGetVolumeStats", volume_id=volume, volume_path=str(path), staging_target_path=str(staging or "")
        )
        units = _ENUMS["Unit"]
        # A unit that this version does not know may be one of a later one.
        usage = [
            Usage(units[one.unit], one.available, one.total, one.used)
            for one in found.usage
            if 0 <= one.unit < len(units)
        ]
        told = found.HasField("volume_condition")
        condition = found.volume_condition
        return VolumeStats(tuple(usage), condition.abnormal if told else None, condition.message)

    async def _call(self, name: str, **fields: Any) -> Any:
        began, code = self._clock.monotonic(), "OK"
        try:
            return await self._client.call("Node", name, self._patience, **fields)
        except PluginError as error:
            code = go_code(error.code)
            raise CsiError(str(error), error.code) from error
        finally:
            self._observe(f"/{table.PACKAGE}.Node/{name}", code, self._clock.monotonic() - began)


def capability(mode: str, *, block: bool, kind: str = "", flags: tuple[str, ...] = (), group: str = "") -> Any:
    """How a volume is to be used. `mode` is one of csi.v1's access modes."""
    fields: dict[str, Any] = {"access_mode": {"mode": _ENUMS["Mode"].index(mode)}}
    if block:
        fields["block"] = _messages()["BlockVolume"]()
    else:
        fields["mount"] = _messages()["MountVolume"](fs_type=kind, mount_flags=flags, volume_mount_group=group)
    return _messages()["VolumeCapability"](**fields)


@lru_cache(maxsize=1)
def _messages() -> Mapping[str, Any]:
    return message_classes(table.PACKAGE, table.MESSAGES, table.ENUMS)
