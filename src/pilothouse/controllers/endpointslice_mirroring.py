"""Mirroring: the Endpoints that users write for Services without a selector, as slices, for those who read only these.

Each list of ports and each family becomes a slice; its labels and annotations are those of the Endpoints. What was
mirrored goes when the Service gets a selector, or when it, its Endpoints, or the wish for a mirror is gone.
Upstream: pkg/controller/endpointslicemirroring; API page: EndpointSlices, "Mirroring".
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.machinery.view import JsonObject, View
from pilothouse.api.types.core_v1 import EndpointAddress, Endpoints, EndpointSubset, Service
from pilothouse.api.types.discovery_v1 import EndpointSlice
from pilothouse.client.key import Key
from pilothouse.controllers.endpoints.controller import LEADER
from pilothouse.controllers.endpointslice.endpoint import Group, PortKey, identity, port_key
from pilothouse.controllers.endpointslice.packing import MANAGED_BY, SERVICE_NAME, TRIGGER_TIME, Mould, plan_slices
from pilothouse.controllers.endpointslice.writing import SliceWriter, by_owner
from pilothouse.reconcile.controller import EVENTS, Again, Controller, Tools, Watch, itself, nothing, rule
from pilothouse.reconcile.ownership import controller_reference
from pilothouse.runtime.backoff import Growth
from pilothouse.runtime.work_queue import WorkQueue

MANAGER = "endpointslicemirroring-controller.k8s.io"
SKIP_MIRROR = "endpointslice.kubernetes.io/skip-mirror"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
MOST = 1000
"""How many addresses of a subset are mirrored."""
LOOK_AGAIN = 1.0
RETRY = Growth(first=1.0, limit=100.0)
_FAMILIES = ("IPv4", "IPv6")


@dataclass(slots=True)
class Mirror:
    """What is to be mirrored, family by family, and how many addresses cannot be."""

    groups: dict[str, dict[PortKey, Group]] = field(default_factory=lambda: {family: {} for family in _FAMILIES})
    invalid: int = 0
    skipped: int = 0
    """Those that are too many, and the invalid ones."""


def plan_mirror(endpoints: Endpoints, most: int = MOST) -> Mirror:
    """The slices that Endpoints stand for."""
    mirror = Mirror()
    for subset in endpoints.subsets:
        _mirror_subset(mirror, subset, most)
    return mirror


def _mirror_subset(mirror: Mirror, subset: EndpointSubset, most: int) -> None:
    ports = [_port(raw) for raw in subset.raw.get("ports") or ()]
    key, added = port_key(ports), 0
    states = [*((address, True) for address in subset.addresses), *((a, False) for a in subset.notReadyAddresses)]
    for address, ready in states:
        if added >= most:
            break
        found = _endpoint(address, ready=ready)
        if found is None:
            mirror.invalid += 1
            continue
        family, endpoint = found
        group = mirror.groups[family].setdefault(key, Group(ports))
        group.endpoints[identity(endpoint)] = endpoint
        added += 1
    mirror.skipped += len(states) - added


def _port(raw: Mapping[str, JsonObject]) -> JsonObject:
    return {"name": raw.get("name") or "", **{name: value for name, value in raw.items() if name != "name"}}


def _endpoint(address: EndpointAddress, *, ready: bool) -> tuple[str, JsonObject] | None:
    """The family and the endpoint of an address; None where it is none."""
    try:
        ip = ipaddress.ip_address(address.ip)
    except ValueError:
        return None
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    endpoint: JsonObject = {"addresses": [ip.compressed], "conditions": {"ready": ready}}
    for name in ("hostname", "nodeName", "targetRef"):
        if address.raw.get(name):
            endpoint[name] = address.raw[name]
    return f"IPv{ip.version}", endpoint


def is_mirrored(endpoints: Endpoints) -> bool:
    """Whether Endpoints want a mirror."""
    return endpoints.metadata.labels.get(SKIP_MIRROR) != "true" and LEADER not in endpoints.metadata.annotations


class EndpointSliceMirroringController(Controller):
    """Mirrors Endpoints."""

    name = "endpointslice-mirroring-controller"
    identity = "endpointslicemirroring-controller"
    component = "endpoint-slice-mirroring-controller"
    watches = (Watch(Endpoints, itself), Watch(Service, itself), Watch(EndpointSlice, nothing))
    rules = (
        rule(("",), ("services", "endpoints"), ("get", "list", "watch")),
        rule(("",), ("services/finalizers", "endpoints/finalizers"), ("update",)),
        rule(("discovery.k8s.io",), ("endpointslices",), ("get", "list", "watch", "create", "update", "delete")),
        EVENTS,
    )

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self.queue = WorkQueue(tools.clock, RETRY)
        self._services = self.informers.of(Service).lister
        self._endpoints = self.informers.of(Endpoints).lister
        self._slices = self.informers.of(EndpointSlice).lister
        self.informers.of(EndpointSlice).add_index(MANAGER, by_owner(MANAGER))
        self._writer = SliceWriter(self.client, MANAGER, "Endpoints")

    def observe(self, old: View | None, new: View | None) -> None:
        """Queue the Endpoints of slices that somebody else changed, or that were waited for."""
        if isinstance(new if new is not None else old, EndpointSlice):
            pieces = old if isinstance(old, EndpointSlice) else None, new if isinstance(new, EndpointSlice) else None
            for key in (*self._writer.surprised(*pieces), *self._writer.awaited(*pieces)):
                self.queue.add(key)

    async def reconcile(self, key: Key) -> Again | None:
        """Make the slices say what the Endpoints do. Raises what went wrong."""
        endpoints, service = self._endpoints.get(key), self._services.get(key)
        found = self._slices.by_index(MANAGER, str(key))
        if endpoints is None or service is None or service.spec.selector or not is_mirrored(endpoints):
            self._writer.forget(key)
            for piece in found:
                await self._writer.delete(key, piece)
            return None
        slices = [piece for piece in found if piece.metadata.deletionTimestamp is None]
        if self._writer.must_wait(key, service.metadata.uid, slices):
            return Again(LOOK_AGAIN)
        mirror = plan_mirror(endpoints)
        self._tell(endpoints, mirror)
        mould = self._mould(endpoints)
        for family in _FAMILIES:
            existing = [piece for piece in slices if piece.addressType == family]
            changes = plan_slices(mould, family, mirror.groups[family], existing, MOST, placeholder=False)
            if endpoints.metadata.deletionTimestamp is not None:
                changes.create.clear()
            failure = await self._writer.carry_out(key, changes, None)
            if failure:
                raise StatusError(failure)
        return None

    def _mould(self, endpoints: Endpoints) -> Mould:
        meta = endpoints.metadata
        left_out = (TRIGGER_TIME, LAST_APPLIED)
        return Mould(
            meta.name,
            meta.namespace,
            controller_reference(endpoints, self.client.resource(Endpoints)),
            {**meta.labels, SERVICE_NAME: meta.name, MANAGED_BY: MANAGER},
            {name: text for name, text in meta.annotations.items() if name not in left_out},
        )

    def _tell(self, endpoints: Endpoints, mirror: Mirror) -> None:
        if mirror.invalid:
            message = f"Skipped {mirror.invalid} invalid IP addresses when mirroring to EndpointSlices"
            self.events.event(endpoints, "Warning", "InvalidIPAddress", message)
        if mirror.skipped > mirror.invalid:
            most = f"A max of {MOST} addresses can be mirrored to EndpointSlices per Endpoints subset."
            message = f"{most} {mirror.skipped} addresses were skipped"
            self.events.event(endpoints, "Warning", "TooManyAddressesToMirror", message)
