"""kube-proxy, put together: the service table follows the cluster, and the kernel follows the table."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from pilothouse.api.types.core_v1 import Service
from pilothouse.api.types.discovery_v1 import EndpointSlice
from pilothouse.client.client import Client
from pilothouse.client.informer import Informer, Informers
from pilothouse.client.key import Key
from pilothouse.linux import conntrack
from pilothouse.linux.conntrack import ConntrackError
from pilothouse.linux.nftables import Nft, NftError
from pilothouse.proxy.backends.nftables import NftablesBackend, cleanup
from pilothouse.proxy.conntrack import stale_flows
from pilothouse.proxy.ruleset import Ruleset
from pilothouse.proxy.table import ServiceTable, service_table
from pilothouse.runtime.backoff import Backoff, Growth
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log
from pilothouse.runtime.tasks import Tasks

__all__ = ["Backend", "ProxyConfig", "Synchroniser", "cleanup", "run"]

SERVICE_NAME = "kubernetes.io/service-name"
_LOG = Log(__name__)


@dataclass(frozen=True, slots=True)
class ProxyConfig:
    """How the proxy of a node runs."""

    node_name: str
    """The node whose endpoints are local."""
    cluster: str
    """A short name for this cluster on this machine; names the nftables table."""
    cluster_cidr: str = "10.244.0.0/16"
    """Where pods are; traffic to services from elsewhere is masqueraded."""
    min_sync_period: float = 0.1
    """Seconds between two syncs at least: changes that come in a burst are one."""
    sync_period: float = 3600.0
    """Seconds after which all rules are written anew, should somebody else have touched them."""
    nft: Nft = field(default_factory=Nft)
    """How nft is called."""


class Backend(Protocol):
    """Puts a service table into the kernel."""

    def render(self, table: ServiceTable) -> Ruleset:
        """The rules for a table. Pure."""
        ...

    async def apply(self, new: Ruleset, old: Ruleset | None) -> None:
        """Put them into the kernel in one transaction; without `old`, whatever is there."""
        ...


Forget = Callable[..., Awaitable[None]]


class Synchroniser:
    """Brings the kernel to the newest table, again and again."""

    def __init__(self, backend: Backend, read: Callable[[], ServiceTable], forget: Forget) -> None:
        self._backend = backend
        self._read = read
        self._forget = forget
        self._table = ServiceTable()
        self._rules: Ruleset | None = None

    def distrust(self) -> None:
        """Write everything next time: what is in the kernel is not known."""
        self._rules = None

    async def sync(self) -> None:
        """One pass. Raises NftError, after which the next writes everything."""
        table = self._read()
        rules = self._backend.render(table)
        try:
            await self._backend.apply(rules, self._rules)
        except BaseException:
            self.distrust()
            raise
        stale = stale_flows(self._table, table)
        self._rules, self._table = rules, table
        for filters in stale:
            try:
                await self._forget(*filters)
            except ConntrackError as error:
                _LOG.error("Failed to delete stale flows", error=error, filters=filters)


async def run(
    config: ProxyConfig, client: Client, clock: Clock, chance: Chance, ready: Callable[[], None] | None = None
) -> None:
    """Keep the node's rules as the cluster's services are, until cancelled. The rules stay: see `cleanup`."""
    async with Tasks() as tasks:
        informers = Informers(client, clock, tasks, chance)
        services, slices = informers.of(Service), informers.of(EndpointSlice)
        dirty = asyncio.Event()
        services.on_change(lambda _old, _new: dirty.set())
        slices.on_change(lambda _old, _new: dirty.set())
        await informers.synced()
        backend = NftablesBackend(config.cluster, config.cluster_cidr, config.nft)

        async def forget(*filters: str) -> None:
            await conntrack.forget(*filters, prefix=config.nft.prefix)

        synchroniser = Synchroniser(backend, lambda: read_table(services, slices, config.node_name), forget)
        await _follow(synchroniser, dirty, config, clock, chance, ready)


async def _follow(
    synchroniser: Synchroniser,
    dirty: asyncio.Event,
    config: ProxyConfig,
    clock: Clock,
    chance: Chance,
    ready: Callable[[], None] | None,
) -> None:
    backoff = Backoff(Growth(1.0, 30.0), chance)
    while True:
        dirty.clear()
        try:
            await synchroniser.sync()
        except NftError as error:
            _LOG.error("Failed to sync the service rules", error=error)
            await clock.sleep(backoff.next())
            continue
        backoff.reset()
        if ready is not None:
            ready()
            ready = None
        await clock.sleep(config.min_sync_period)
        try:
            async with clock.timeout(config.sync_period):
                await dirty.wait()
        except TimeoutError:
            synchroniser.distrust()


def read_table(services: Informer[Service], slices: Informer[EndpointSlice], node: str) -> ServiceTable:
    """The table of what the informers hold."""
    by_service: dict[Key, list[EndpointSlice]] = {}
    for piece in slices.lister.list():
        name = piece.metadata.labels.get(SERVICE_NAME, "")
        by_service.setdefault(Key(piece.metadata.namespace, name), []).append(piece)
    return service_table(services.lister.list(), by_service, node)
