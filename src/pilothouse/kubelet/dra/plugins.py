"""The DRA drivers that have registered on the node; several plugins of one while one takes over from another.

Whether somebody is behind a socket is seen from a connection that is kept. Upstream:
pkg/kubelet/cm/dra/plugin/dra_plugin_manager.go; the messages are its.
"""

import re
from asyncio import Task
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from posixpath import normpath

from pilothouse.kubelet.dra.claim_info import ClaimError
from pilothouse.kubelet.dra.health import Health, Place
from pilothouse.kubelet.dra.plugin import DraPlugin
from pilothouse.kubelet.dra.table import HEALTH_PACKAGES, PACKAGES
from pilothouse.kubelet.plugins.unix_client import PluginError
from pilothouse.runtime.backoff import Backoff, Growth
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log
from pilothouse.runtime.tasks import Tasks

log = Log(__name__)
_RECONNECT = Growth(first=1.0, limit=120.0, factor=1.6)
_WATCH_AGAIN = 5.0
"""Seconds until a driver is asked again how its devices are."""
_DRIVER = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LONGEST_DRIVER, _LONGEST_SOCKET = 63, 107
_UNWATCHED: Callable[[str, bool], None] = lambda _driver, _usable: None  # noqa: E731 - as long as it is short


class DraPlugins:
    """Of one node, whose kubelet has its files below `root`."""

    def __init__(self, root: Path, clock: Clock, tasks: Tasks) -> None:
        self._root = root
        self._clock = clock
        self._tasks = tasks
        self._known: dict[str, list[tuple[DraPlugin, tuple[Task[None], ...]]]] = {}
        self.on_change = _UNWATCHED
        """Told of a driver whether somebody can be asked, whenever that may have changed."""
        self.observe: Callable[[str, str, str, float], None] = lambda *_call: None
        """Told of each call."""
        self.on_health: Callable[[str, Iterable[tuple[Place, Health]] | None], None] = lambda _driver, _told: None
        """Told how a driver's devices are; None: it says no more."""

    def plugin(self, driver: str) -> DraPlugin:
        """Whom to ask: the newest that is there. Raises ClaimError when none is known."""
        if not driver:
            raise ClaimError("DRA driver name is empty")
        known = [plugin for plugin, _ in self._known.get(driver, ())]
        if not known:
            raise ClaimError(f"DRA driver {driver} is not registered")
        return next((plugin for plugin in reversed(known) if plugin.connected), known[-1])

    def validate(self, driver: str, endpoint: str, services: Sequence[str]) -> str:
        """The service that is to be used of those that a plugin offers. Raises PluginError when it will not do."""
        self._check_identity(driver, endpoint)
        why = "empty list of supported gRPC services (aka supported versions)"
        if services:
            chosen = next((service for service in services if service in PACKAGES), None)
            if chosen is not None:
                return chosen
            offered, ours = (" ".join(f'"{name}"' for name in names) for names in (services, PACKAGES))
            why = f"none of services supported by the plugin ([{offered}]) are supported by the kubelet ([{ours}])"
        where = f"DRA driver plugin {driver} at endpoint {endpoint}"
        raise PluginError(f"invalid supported gRPC versions of {where}: {why}")

    def _check_identity(self, driver: str, endpoint: str) -> None:
        """A plugin is not trusted to name any socket of the machine."""
        if not _DRIVER.fullmatch(driver) or len(driver) > _LONGEST_DRIVER:
            raise PluginError(f'invalid DRA driver name "{driver}"')
        if not endpoint:
            raise PluginError("empty DRA plugin endpoint")
        if not endpoint.startswith("/"):
            raise PluginError(f'DRA plugin endpoint "{endpoint}" must be an absolute path')
        if len(endpoint.encode()) > _LONGEST_SOCKET:
            raise PluginError(f'DRA plugin endpoint "{endpoint}" is longer than {_LONGEST_SOCKET} bytes')
        if not Path(normpath(endpoint)).is_relative_to(normpath(self._root)):
            raise PluginError(f'DRA plugin endpoint "{endpoint}" is not inside "{self._root}"')

    def add(self, driver: str, endpoint: str, services: Sequence[str]) -> None:
        """One has registered. Raises PluginError."""
        service = self.validate(driver, endpoint, services)
        known = self._known.setdefault(driver, [])
        if any(plugin.endpoint == endpoint for plugin, _ in known):
            raise PluginError(f"endpoint {endpoint} already registered for DRA driver plugin {driver}")
        health = next((name for name in HEALTH_PACKAGES if name in services), "")
        plugin = DraPlugin(driver, endpoint, service, health, self._clock, self._observe)
        work = (self._stay(plugin), self._watch(plugin)) if plugin.tells_health else (self._stay(plugin),)
        known.append((plugin, tuple(self._tasks.spawn(each, name=f"DRA plugin {driver}") for each in work)))
        self._tell(driver)

    async def remove(self, driver: str, endpoint: str) -> None:
        """One is gone."""
        known = self._known.get(driver, [])
        for one in [one for one in known if one[0].endpoint == endpoint]:
            known.remove(one)
            if not known:
                del self._known[driver]
            plugin, tasks = one
            plugin.connected = False
            for task in tasks:
                task.cancel()
            self._tell(driver)
            await plugin.close()

    async def close(self) -> None:
        """Ask none any more, and tell nobody: they are not gone, the kubelet is."""
        self.on_change = _UNWATCHED
        for driver, known in list(self._known.items()):
            for plugin, _ in list(known):
                await self.remove(driver, plugin.endpoint)

    def _observe(self, driver: str, method: str, code: str, seconds: float) -> None:
        self.observe(driver, method, code, seconds)

    def _tell(self, driver: str) -> None:
        self.on_change(driver, any(plugin.connected for plugin, _ in self._known.get(driver, ())))

    async def _stay(self, plugin: DraPlugin) -> None:
        """Keep the connection for ever."""
        backoff = Backoff(_RECONNECT)

        def connected() -> None:
            backoff.reset()
            plugin.connected = True
            self._tell(plugin.driver)

        while True:
            try:
                await plugin.stay(connected)
            except PluginError as error:
                log.debug("DRA plugin cannot be reached", driver=plugin.driver, err=str(error))
            if plugin.connected:
                plugin.connected = False
                self._tell(plugin.driver)
            await self._clock.sleep(backoff.next())

    async def _watch(self, plugin: DraPlugin) -> None:
        """Hear how its devices are for ever."""
        while True:
            try:
                async for told in plugin.health():
                    self.on_health(plugin.driver, told)
                    await self._clock.sleep(0)  # a driver that talks without end lets others have their turn
            except PluginError as error:
                log.debug("DRA plugin does not tell of health", driver=plugin.driver, err=str(error))
            finally:
                self.on_health(plugin.driver, None)
            await self._clock.sleep(_WATCH_AGAIN)
