"""The Service `kubernetes` in the default namespace: how pods reach the API server.

Nothing selects its endpoints; the servers write their addresses into them. Those that share a store each keep a record
there that goes when they do not renew it, and whoever renews writes the addresses of all. Source:
pkg/controlplane/controller/kubernetesservice, pkg/controlplane/reconcilers (lease.go: 10 and 15 seconds).
"""

import ipaddress
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from pilothouse.api.machinery.errors import AlreadyExists, Invalid, NotFound, StatusError
from pilothouse.api.machinery.view import JsonObject, View
from pilothouse.api.types.core_v1 import Endpoints, Service
from pilothouse.api.types.discovery_v1 import EndpointSlice
from pilothouse.apiserver.encryption.framework import OWN
from pilothouse.client.client import Client
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log
from pilothouse.runtime.tasks import Tasks
from pilothouse.store.interface import KeyExists, SharedStore, Store, StoreError

NAME, NAMESPACE, PORT = "kubernetes", "default", 443
_LABELS = {"component": "apiserver", "provider": "kubernetes"}
_SERVERS = f"{OWN}masterleases/"
"""Where the servers' records are; their values say nothing."""
_RENEWED_SECONDS, _KEPT_SECONDS = 10.0, 15.0

_log = Log(__name__)


def first_address(cidr: str) -> str:
    """The cluster IP of the Service: the first of the range."""
    return str(ipaddress.ip_network(cidr)[1])


async def publish(client: Client, cidr: str, addresses: Sequence[str], port: int) -> None:
    """Make Service and endpoints say that the API server answers at `addresses` and `port`."""
    await _make(client, Service, _service(cidr, port))
    await _make(client, Endpoints, _endpoints(addresses, port), "subsets")
    await _make(client, EndpointSlice, _slice(addresses, port), "endpoints", "ports")


@asynccontextmanager
async def published(
    client: Client, store: Store, clock: Clock, *, cidr: str, address: str, port: int
) -> AsyncIterator[None]:
    """Have the Service lead to this server, and to the others that share its store, inside the block."""
    if not isinstance(store, SharedStore):
        await publish(client, cidr, (address,), port)
        yield
        return
    key = _SERVERS + address

    async def renew() -> None:
        await _renew(store, key)
        if addresses := await _addresses(store):  # ours, too, unless the store took longer than a record is kept
            await publish(client, cidr, addresses, port)

    async def keep() -> None:
        while True:
            await clock.sleep(_RENEWED_SECONDS)
            try:
                await renew()
            except (StatusError, StoreError) as error:
                _log.warning("The addresses of the API servers could not be renewed", error=str(error))

    await renew()
    try:
        async with Tasks() as tasks:
            tasks.spawn(keep(), name="api-server-addresses")
            yield
    finally:
        with suppress(StatusError, StoreError):
            if (own := await store.get(key)) is not None:
                await store.delete(key, expected=own.revision)
            if others := await _addresses(store):
                await publish(client, cidr, others, port)


async def _renew(store: Store, key: str) -> None:
    own = await store.get(key)
    if own is not None:
        await store.update(key, b"", expected=own.revision, ttl=_KEPT_SECONDS)
        return
    with suppress(KeyExists):
        await store.create(key, b"", ttl=_KEPT_SECONDS)


async def _addresses(store: Store) -> list[str]:
    """The addresses of the servers that renew their records, in an order that all agree on."""
    listing = await store.list(_SERVERS)
    return [record.key.removeprefix(_SERVERS) for record in listing.records]


async def _make(client: Client, kind: type[View], manifest: JsonObject, *owned: str) -> None:
    """Create the object, or set the fields that are ours."""
    try:
        found = await client.get(kind, NAME, NAMESPACE)
    except NotFound:
        try:
            await client.create(kind, manifest)
        except (AlreadyExists, Invalid) as refusal:
            await _others(client, kind, manifest, owned, refusal)
        return
    await _set(client, kind, manifest, owned, found)


async def _others(
    client: Client, kind: type[View], manifest: JsonObject, owned: Sequence[str], refusal: StatusError
) -> None:
    """Another server may have been faster, and its Service has the address that ours asks for."""
    try:
        found = await client.get(kind, NAME, NAMESPACE)
    except NotFound:
        raise refusal from None
    await _set(client, kind, manifest, owned, found)


async def _set(client: Client, kind: type[View], manifest: JsonObject, owned: Sequence[str], found: View) -> None:
    changed = {field: manifest[field] for field in owned if found.raw.get(field) != manifest[field]}
    if changed:
        await client.patch(kind, NAME, NAMESPACE, changed)


def _metadata(**labels: str) -> JsonObject:
    return {"name": NAME, "namespace": NAMESPACE, "labels": labels}


def _service(cidr: str, port: int) -> JsonObject:
    return {
        "metadata": _metadata(**_LABELS),
        "spec": {
            "type": "ClusterIP",
            "clusterIP": first_address(cidr),
            "ipFamilyPolicy": "SingleStack",
            "sessionAffinity": "None",
            "ports": [{"name": "https", "port": PORT, "protocol": "TCP", "targetPort": port}],
        },
    }


def _endpoints(addresses: Sequence[str], port: int) -> JsonObject:
    return {
        "metadata": _metadata(**{"endpointslice.kubernetes.io/skip-mirror": "true"}),
        "subsets": [
            {
                "addresses": [{"ip": address} for address in addresses],
                "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
            },
        ],
    }


def _slice(addresses: Sequence[str], port: int) -> JsonObject:
    return {
        "metadata": _metadata(**{"kubernetes.io/service-name": NAME}),
        "addressType": f"IPv{ipaddress.ip_address(addresses[0]).version}",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}} for address in addresses],
        "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
    }
