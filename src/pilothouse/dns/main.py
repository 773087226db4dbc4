"""Cluster DNS, put together: the zone kept as services change, and a server that answers from it."""

import asyncio
import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pilothouse.api.types.core_v1 import Namespace, Service
from pilothouse.api.types.discovery_v1 import EndpointSlice
from pilothouse.client.client import Client
from pilothouse.client.informer import Informers
from pilothouse.client.key import Key
from pilothouse.dns.cache import Cache
from pilothouse.dns.forward import Forwarder, Upstream
from pilothouse.dns.records import service_records
from pilothouse.dns.resolve import Resolution
from pilothouse.dns.server import Address, Server
from pilothouse.dns.zone import Zone
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.tasks import Tasks

SERVICE_NAME = "kubernetes.io/service-name"
_BY_SERVICE = "service"


@dataclass(frozen=True, slots=True)
class DnsConfig:
    """How the DNS of a node runs."""

    listen: tuple[Address, ...] = (Address("10.96.0.10"),)
    """Where to listen, by UDP and TCP. Empty: nowhere, for clusters that are only simulated."""
    cluster_domain: str = "cluster.local"
    """The domain that is ours. Questions about names in it are never forwarded."""
    address: str = "10.96.0.10"
    """The address of the cluster's DNS, for the zone's name server record."""
    upstreams: tuple[Upstream, ...] = ()
    """The resolvers that everything else is forwarded to; `machine_resolvers` finds the machine's."""


async def run(
    config: DnsConfig, client: Client, clock: Clock, chance: Chance, ready: Callable[[], None] | None = None
) -> None:
    """Answer until cancelled."""
    zone = Zone(config.cluster_domain, config.address)
    ours = {address.host for address in config.listen}
    upstreams = [upstream for upstream in config.upstreams if upstream.host not in ours]
    async with Tasks() as tasks:
        informers = Informers(client, clock, tasks, chance)
        follow(informers, zone)
        await informers.synced()
        resolution = Resolution(zone, Cache(clock), Forwarder(upstreams, clock, chance))
        async with Server(resolution, config.listen, clock):
            if ready is not None:
                ready()
            await asyncio.Event().wait()


def follow(informers: Informers, zone: Zone) -> None:
    """Keep the zone as the cluster is."""
    services, slices = informers.of(Service), informers.of(EndpointSlice)
    slices.add_index(_BY_SERVICE, lambda piece: (str(_service_of(piece)),))

    def update(key: Key) -> None:
        service = services.lister.get(key)
        pieces = slices.lister.by_index(_BY_SERVICE, str(key))
        zone.set(key, service_records(service, pieces, zone.domain) if service else ())

    def defined(old: Service | None, new: Service | None) -> None:
        either = new or old
        if either is not None:
            update(Key.of(either))

    def changed(old: EndpointSlice | None, new: EndpointSlice | None) -> None:
        for key in dict.fromkeys(_service_of(piece) for piece in (old, new) if piece is not None):
            update(key)

    def named(old: Namespace | None, new: Namespace | None) -> None:
        either = new or old
        if either is not None:
            zone.set_namespace(either.metadata.name, new is not None)

    services.on_change(defined)
    slices.on_change(changed)
    informers.of(Namespace).on_change(named)


def _service_of(piece: EndpointSlice) -> Key:
    return Key(piece.metadata.namespace, piece.metadata.labels.get(SERVICE_NAME, ""))


def machine_resolvers(path: Path = Path("/etc/resolv.conf"), *, but: Sequence[str] = ()) -> tuple[Upstream, ...]:
    """The name servers of a resolv.conf, without those in `but`. resolv.conf(5)."""
    found: dict[Upstream, None] = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        words = line.split()
        if len(words) < 2 or words[0] != "nameserver" or words[1] in but:
            continue
        try:
            ipaddress.ip_address(words[1])
        except ValueError:
            continue
        found[Upstream(words[1])] = None
    return tuple(found)
