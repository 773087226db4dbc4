"""How a plugin is taken in: asked on its registration socket what it is, given to whoever handles its kind, and told.

The API is pluginregistration v1; kinds of plugins are the files in `handlers/`. Upstream:
pkg/kubelet/pluginmanager/operationexecutor/operation_generator.go.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from pilothouse.api.machinery.errors import StatusError
from pilothouse.kubelet.part import NodeContext
from pilothouse.kubelet.plugins.unix_client import PluginError, UnixClient
from pilothouse.net.message_table import message_classes
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log
from pilothouse.runtime.units import subclasses

log = Log(__name__)
PACKAGE = "pluginregistration"
MESSAGES = """
InfoRequest
PluginInfo type=1 name=2 endpoint=3 supported_versions:string*=4
RegistrationStatus plugin_registered:bool=1 error=2
RegistrationStatusResponse
"""
_INFO_PATIENCE, _NOTIFY_PATIENCE = 10.0, 5.0


class PluginHandler(ABC):
    """Takes in plugins of one kind. One a kubelet."""

    kind: ClassVar[str]
    """What plugins of this kind say they are."""

    def __init__(self, node: NodeContext) -> None:
        self.node = node

    @abstractmethod
    async def validate(self, name: str, endpoint: str, versions: Sequence[str]) -> None:
        """Whether it will do. Raises PluginError."""

    @abstractmethod
    async def register(self, name: str, endpoint: str, versions: Sequence[str]) -> None:
        """Work with it from now on. Raises PluginError, StatusError; then it is not there."""

    @abstractmethod
    async def deregister(self, name: str, endpoint: str) -> None:
        """It is there no longer. Raises StatusError, after it has been forgotten here."""


def all_handlers(node: NodeContext) -> dict[str, PluginHandler]:
    """Those that the kubelet has, by kind."""
    kinds = subclasses(PluginHandler, f"{__package__}.handlers")  # type: ignore[type-abstract]
    return {kind.kind: kind(node) for kind in kinds}


@dataclass(frozen=True, slots=True)
class Registered:
    """A plugin that was taken in."""

    handler: PluginHandler
    name: str
    endpoint: str


async def register(socket: Path, handlers: Mapping[str, PluginHandler], clock: Clock) -> Registered:
    """Take in the plugin behind a registration socket. Raises PluginError."""
    client = UnixClient(socket, PACKAGE, _messages(), clock)
    try:
        found = await client.send("Registration/GetInfo", _messages()["InfoRequest"](), "PluginInfo", _INFO_PATIENCE)
        try:
            taken = await _hand_over(socket, found, handlers)
        except PluginError as error:
            await _notify(client, socket, plugin_registered=False, error=str(error))
            raise
        await _notify(client, socket, plugin_registered=True)
        return taken
    finally:
        await client.close()


async def _hand_over(socket: Path, found: Any, handlers: Mapping[str, PluginHandler]) -> Registered:
    handler = handlers.get(found.type)
    if handler is None:
        raise PluginError(
            f"RegisterPlugin error -- no handler registered for plugin type: {found.type} at socket {socket}"
        )
    endpoint, versions = found.endpoint or str(socket), tuple(found.supported_versions)
    try:
        await handler.validate(found.name, endpoint, versions)
    except PluginError as error:
        raise PluginError(f"RegisterPlugin error -- plugin validation failed with err: {error}") from error
    try:
        await handler.register(found.name, endpoint, versions)
    except (PluginError, StatusError) as error:
        raise PluginError(f"RegisterPlugin error -- plugin registration failed with err: {error}") from error
    return Registered(handler, found.name, endpoint)


async def _notify(client: UnixClient, socket: Path, **status: Any) -> None:
    """Tell the plugin. One that was taken in does not cease to be because it does not listen."""
    path, message = "Registration/NotifyRegistrationStatus", _messages()["RegistrationStatus"](**status)
    try:
        await client.send(path, message, "RegistrationStatusResponse", _NOTIFY_PATIENCE)
    except PluginError as error:
        log.warning("Could not tell a plugin how it went", socket=str(socket), err=str(error))


@lru_cache(maxsize=1)
def _messages() -> Mapping[str, Any]:
    return message_classes(PACKAGE, MESSAGES, "")
