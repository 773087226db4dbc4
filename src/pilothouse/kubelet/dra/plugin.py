"""One DRA driver on its socket: makes claims ready for pods, and takes them back.

Upstream: pkg/kubelet/cm/dra/plugin/dra_plugin.go.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pilothouse.kubelet.dra.claim_info import ClaimInfo, Device
from pilothouse.kubelet.dra.health import TIMEOUT, UNKNOWN, WORDS, Health, Place, cut
from pilothouse.kubelet.dra.table import HEALTH_PACKAGES, PACKAGES, health_messages, messages
from pilothouse.kubelet.plugins.unix_client import PluginError, UnixClient, go_code
from pilothouse.runtime.clock import Clock

PATIENCE = 45.0
"""Seconds for one call."""
Observe = Callable[[str, str, str, float], None]
"""Told of each call: driver, method, gRPC's word for its end, seconds."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a driver says of one claim."""

    error: str = ""
    devices: tuple[Device, ...] = ()


class DraPlugin:
    """Of one driver. To be closed."""

    def __init__(
        self, driver: str, endpoint: str, service: str, health: str, clock: Clock, observe: Observe
    ) -> None:  # fmt: skip
        self.driver = driver
        self.endpoint = endpoint
        self.connected = False
        """Whether somebody is there."""
        self._package = PACKAGES[service]
        self._client = UnixClient(Path(endpoint), self._package, messages(), clock)
        self._health = UnixClient(Path(endpoint), HEALTH_PACKAGES[health], health_messages(), clock) if health else None
        self._clock = clock
        self._observe = observe

    async def prepare(self, infos: Iterable[ClaimInfo]) -> Mapping[str, Outcome]:
        """Have claims ready; by their uids. Raises PluginError."""
        said = await self._ask("NodePrepareResources", infos)
        return {
            entry.key: Outcome(entry.value.error, tuple(_device(one) for one in entry.value.devices))
            for entry in said.claims
        }

    async def unprepare(self, infos: Iterable[ClaimInfo]) -> Mapping[str, Outcome]:
        """Undo that. Raises PluginError."""
        said = await self._ask("NodeUnprepareResources", infos)
        return {entry.key: Outcome(entry.value.error) for entry in said.claims}

    @property
    def tells_health(self) -> bool:
        """Whether it says how its devices are."""
        return self._health is not None

    async def health(self) -> AsyncIterator[list[tuple[Place, Health]]]:
        """How all its devices are, again and again, until it ends that. Raises PluginError."""
        if self._health is None:
            return
        path, request = "DRAResourceHealth/NodeWatchResources", health_messages()["NodeWatchResourcesRequest"]()
        async for said in self._health.watch(path, request, "NodeWatchResourcesResponse"):
            yield [((one.device.pool_name, one.device.device_name), _said(one)) for one in said.devices]

    async def stay(self, connected: Callable[[], None]) -> None:
        """Keep the connection, and return when it is lost. Raises PluginError."""
        await self._client.until_lost(connected)

    async def close(self) -> None:
        """Ask no more."""
        await self._client.close()
        if self._health is not None:
            await self._health.close()

    async def _ask(self, name: str, infos: Iterable[ClaimInfo]) -> Any:
        claims = [{"namespace": info.namespace, "uid": info.uid, "name": info.name} for info in infos]
        began, code = self._clock.monotonic(), "OK"
        try:
            return await self._client.call("DRAPlugin", name, PATIENCE, claims=claims)
        except PluginError as error:
            code = go_code(error.code)
            raise
        finally:
            took = self._clock.monotonic() - began
            self._observe(self.driver, f"/{self._package}.DRAPlugin/{name}", code, took)


def _said(one: Any) -> Health:
    word = WORDS[one.health] if 0 <= one.health < len(WORDS) else UNKNOWN
    seconds = one.health_check_timeout_seconds
    return Health(word, cut(one.message), float(seconds) if seconds > 0 else TIMEOUT)


def _device(said: Any) -> Device:
    return Device(
        said.pool_name, said.device_name, tuple(said.request_names), tuple(said.cdi_device_ids), said.share_id
    )
