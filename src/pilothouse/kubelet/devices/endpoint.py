"""One plugin on its socket: what it can do, what it has, and what it says that a container needs.

Upstream: pkg/kubelet/cm/devicemanager/endpoint.go. There neither Allocate nor GetPreferredAllocation has a deadline.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pilothouse.kubelet.devices.stock import Device
from pilothouse.kubelet.devices.table import PACKAGE, messages
from pilothouse.kubelet.plugins.unix_client import PluginError, UnixClient
from pilothouse.runtime.clock import Clock

_DIAL = 10.0
"""Seconds until a plugin that has registered must say what it can do."""
_ALLOCATE = 600.0
_PRE_START = 30.0
_SERVICE = "DevicePlugin"


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a plugin wants to be asked."""

    pre_start: bool = False
    preference: bool = False


class Endpoint:
    """Of one resource. To be closed."""

    def __init__(self, resource: str, socket: Path, clock: Clock) -> None:
        self.resource = resource
        self.socket = socket
        self.abilities = Abilities()
        self.stopped = False
        """Whether the plugin is gone."""
        self._client = UnixClient(socket, PACKAGE, messages(), clock)

    async def open(self) -> None:
        """Ask what it can do. Raises PluginError."""
        try:
            said = await self._ask("GetDevicePluginOptions", messages()["Empty"](), "DevicePluginOptions", _DIAL)
        except PluginError as error:
            raise PluginError(f"failed to get device plugin options: {error}", error.code) from error
        self.abilities = Abilities(said.pre_start_required, said.get_preferred_allocation_available)

    async def lists(self) -> AsyncIterator[list[Device]]:
        """All devices, again whenever something has changed, until the plugin ends that. Raises PluginError."""
        path = f"{_SERVICE}/ListAndWatch"
        async for said in self._client.watch(path, messages()["Empty"](), "ListAndWatchResponse"):
            yield [_device(one) for one in said.devices]

    async def prefer(self, offered: Collection[str], certain: Collection[str], size: int) -> Sequence[str]:
        """Which of the devices it would give. Raises PluginError."""
        one = {
            "available_deviceIDs": sorted({*offered, *certain}), "must_include_deviceIDs": sorted(certain),
            "allocation_size": size,
        }  # fmt: skip
        request = messages()["PreferredAllocationRequest"](container_requests=[one])
        try:
            said = await self._ask("GetPreferredAllocation", request, "PreferredAllocationResponse", _ALLOCATE)
        except PluginError as error:
            text = f"device plugin GetPreferredAllocation rpc failed with err: {error}"
            raise PluginError(text, error.code) from error
        return list(said.container_responses[0].deviceIDs) if said.container_responses else []

    async def allocate(self, ids: Collection[str]) -> bytes:
        """Hand these out; a ContainerAllocateResponse. Raises PluginError."""
        request = messages()["AllocateRequest"](container_requests=[{"devices_ids": sorted(ids)}])
        said = await self._ask("Allocate", request, "AllocateResponse", _ALLOCATE)
        if not said.container_responses:
            raise PluginError("no containers return in allocation response &AllocateResponse{}")
        return bytes(said.container_responses[0].SerializeToString())

    async def pre_start(self, ids: Collection[str]) -> None:
        """A container with these is about to start. Raises PluginError."""
        request = messages()["PreStartContainerRequest"](devices_ids=sorted(ids))
        try:
            await self._ask("PreStartContainer", request, "PreStartContainerResponse", _PRE_START)
        except PluginError as error:
            text = f"device plugin PreStartContainer rpc failed with err: {error}"
            raise PluginError(text, error.code) from error

    async def close(self) -> None:
        """Ask no more."""
        await self._client.close()

    async def _ask(self, name: str, request: Any, answer: str, seconds: float) -> Any:
        if self.stopped:
            raise PluginError(f"endpoint {self.resource} has been stopped")
        return await self._client.send(f"{_SERVICE}/{name}", request, answer, seconds)


def _device(said: Any) -> Device:
    return Device(said.ID, said.health, tuple(node.ID for node in said.topology.nodes))
