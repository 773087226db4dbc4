"""ServiceCIDR: ranges of cluster IPs stay as long as addresses of theirs are held that no other range covers.

A range gets a finalizer and is said to be ready; deleted, it goes once nothing would be left without a range, and some
seconds later, so that every API server has stopped taking addresses from it. Upstream: pkg/controller/servicecidrs.
API page: networking.k8s.io/v1 ServiceCIDR; KEP-1880.
"""

import ipaddress
from collections.abc import Iterable, Sequence

from pilothouse.api.machinery.conditions import FALSE, TRUE, find
from pilothouse.api.machinery.errors import NotFound
from pilothouse.api.machinery.view import View
from pilothouse.api.networking.ip_address import is_of_a_service
from pilothouse.api.networking.service_cidr import FINALIZER, READY
from pilothouse.api.types.networking_v1 import IPAddress, ServiceCIDR
from pilothouse.client.informer import Informers
from pilothouse.client.key import Key
from pilothouse.reconcile.controller import EVENTS, Again, Controller, Tools, Watch, rule
from pilothouse.reconcile.finalizers import add_finalizer, remove_finalizer
from pilothouse.runtime.clock import format_time

GRACE_SECONDS = 10.0
_READY = (TRUE, "", "Kubernetes Service CIDR is ready")
_HELD = (
    FALSE,
    "Terminating",
    "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR",
)


def networks(service_cidr: ServiceCIDR) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """The ranges it has."""
    return [ipaddress.ip_network(cidr) for cidr in service_cidr.spec.cidrs]


def contains(service_cidr: ServiceCIDR, address: str) -> bool:
    """Whether the address is one that its ranges can give."""
    found = ipaddress.ip_address(address)
    for network in networks(service_cidr):
        edge = {network.network_address, *([network.broadcast_address] if network.version == 4 else [])}
        if found in network and found not in edge:
            return True
    return False


def may_go(service_cidr: ServiceCIDR, everyone: Sequence[ServiceCIDR], addresses: Iterable[str]) -> bool:
    """Whether other ranges cover the whole of it, or at least every address of it that a Service has."""
    others = [other for other in everyone if other.metadata.name != service_cidr.metadata.name]
    if all(any(_covers(other, network) for other in others) for network in networks(service_cidr)):
        return True
    mine = (address for address in addresses if contains(service_cidr, address))
    return all(any(contains(other, address) for other in others) for address in mine)


def _covers(other: ServiceCIDR, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    return any(
        large.version == network.version and large.prefixlen <= network.prefixlen and network.network_address in large
        for large in networks(other)
    )


def overlapping(view: View, informers: Informers) -> Iterable[Key]:
    """What changed, and the ranges that have something in common with it: it may free them, or hold them."""
    assert isinstance(view, ServiceCIDR)
    mine = networks(view)
    for other in informers.of(ServiceCIDR).lister.list():
        if any(one.overlaps(two) for one in mine for two in networks(other) if one.version == two.version):
            yield Key.of(other)
    yield Key.of(view)


def containing(view: View, informers: Informers) -> Iterable[Key]:
    """The ranges that an address belongs to."""
    if not is_of_a_service(dict(view.raw)):
        return
    for found in informers.of(ServiceCIDR).lister.list():
        if contains(found, view.metadata.name):
            yield Key.of(found)


class ServiceCidrController(Controller):
    """Says whether ranges are ready, and lets them go."""

    name = "service-cidr-controller"
    identity = "service-cidrs-controller"
    component = "service-cidr-controller"
    watches = (Watch(ServiceCIDR, overlapping), Watch(IPAddress, containing))
    rules = (
        rule(("networking.k8s.io",), ("servicecidrs",), ("get", "list", "watch", "patch", "update")),
        rule(("networking.k8s.io",), ("servicecidrs/finalizers",), ("patch", "update")),
        rule(("networking.k8s.io",), ("servicecidrs/status",), ("patch", "update")),
        rule(("networking.k8s.io",), ("ipaddresses",), ("get", "list", "watch")),
        EVENTS,
    )

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self._ranges = self.informers.of(ServiceCIDR).lister
        self._addresses = self.informers.of(IPAddress).lister

    async def reconcile(self, key: Key) -> Again | None:
        """Protect it and say that it is ready; or let it go, or say what keeps it."""
        found = self._ranges.get(key)
        if found is None:
            return None
        deleted = found.metadata.deletionTimestamp
        if deleted is None:
            await add_finalizer(self.client, ServiceCIDR, found, FINALIZER)
            await self._say(found, *_READY)
            return None
        taken = [one.metadata.name for one in self._addresses.list() if is_of_a_service(dict(one.raw))]
        if not may_go(found, self._ranges.list(), taken):
            await self._say(found, *_HELD)
            return None
        left = deleted + GRACE_SECONDS - self.clock.now()
        if left > 0:
            return Again(left)
        await remove_finalizer(self.client, ServiceCIDR, found, FINALIZER)
        return None

    async def _say(self, found: ServiceCIDR, status: str, reason: str, message: str) -> None:
        """Set the condition, where it is another."""
        before = find([condition.raw for condition in found.status.conditions], READY)
        if before is not None and before.get("status") == status:
            return
        ready = {"type": READY, "status": status, "lastTransitionTime": format_time(self.clock.now()),
                 "message": message, **({"reason": reason} if reason else {})}  # fmt: skip
        manifest = {"metadata": {"name": found.metadata.name}, "status": {"conditions": [ready]}}
        try:
            await self.client.apply(ServiceCIDR, manifest, manager=self.name, force=True, subresource="status")
        except NotFound:
            return
