"""The EndpointSlice controller: looks at the pods behind a Service and carries the plan out.

Slices are written with the resourceVersion that the plan was made from, so that a plan made from an old copy fails as
a Conflict and is made again; one whose slices we have not seen yet waits for them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.machinery.view import View
from pilothouse.api.types.core_v1 import Node, Pod, Service
from pilothouse.api.types.discovery_v1 import EndpointSlice
from pilothouse.client.key import Key
from pilothouse.controllers.endpointslice.endpoint import (
    ZONE,
    Group,
    PortKey,
    endpoint_of,
    families_of,
    identity,
    port_key,
    ports_of,
)
from pilothouse.controllers.endpointslice.packing import HEADLESS, MANAGED_BY, SERVICE_NAME, Mould, plan_slices
from pilothouse.controllers.endpointslice.pods import (
    TriggerTimes,
    affected,
    has_endpoints,
    is_headless,
    is_published,
    pods_of,
    services_of,
)
from pilothouse.controllers.endpointslice.writing import SliceWriter, by_owner
from pilothouse.controllers.node_lifecycle.pods import BY_NODE, node_of
from pilothouse.reconcile.controller import EVENTS, Again, Controller, Tools, Watch, itself, nothing, rule
from pilothouse.reconcile.ownership import controller_reference
from pilothouse.runtime.backoff import Growth
from pilothouse.runtime.work_queue import WorkQueue

MANAGER = "endpointslice-controller.k8s.io"
SLICE_DELAY = 1.0
"""How long a change of a slice by somebody else waits, so that several are answered at once."""
RETRY = Growth(first=1.0, limit=1000.0)
_RESERVED = (SERVICE_NAME, MANAGED_BY, HEADLESS)
V = TypeVar("V", bound=View)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSliceSettings:
    """How endpoints are published; the defaults are those of upstream's flags."""

    max_endpoints: int = 100
    """How many endpoints a slice has at most."""
    updates_batch_period: float = 0.0
    """How long a change of a pod waits for others, to be published together."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be published in one family."""

    groups: dict[PortKey, Group] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def plan_endpoints(service: Service, pods: Sequence[Pod], nodes: Mapping[str, Node | None], family: str) -> Wanted:
    """The endpoints of a Service in one family, grouped by the ports at which its pods answer.

    A pod whose node is unknown is left out, unless the Service asks for everything.
    """
    wanted = Wanted()
    by_name = any(isinstance(port.targetPort, str) for port in service.spec.ports)
    group: Group | None = None
    for pod in pods:
        if not has_endpoints(pod, terminating=True):
            continue
        if group is None or by_name:
            ports = ports_of(service, pod)
            group = wanted.groups.setdefault(port_key(ports), Group(ports))
        node = nodes.get(pod.spec.nodeName)
        if node is None and not service.spec.publishNotReadyAddresses:
            wanted.problems.append(
                f"skipping Pod {pod.metadata.name} for Service {Key.of(service)}: Node {pod.spec.nodeName} Not Found"
            )
            continue
        endpoint = endpoint_of(pod, node, service, family)
        if endpoint is not None:
            group.endpoints[identity(endpoint)] = endpoint
    return wanted


def labels_of(service: Service) -> dict[str, str]:
    """The labels of its slices: its own, and those that say whose they are."""
    labels = {name: text for name, text in service.metadata.labels.items() if name not in _RESERVED}
    if is_headless(service):
        labels[HEADLESS] = ""
    return {**labels, SERVICE_NAME: service.metadata.name, MANAGED_BY: MANAGER}


class EndpointSliceController(Controller):
    """Publishes the pods behind Services."""

    name = "endpointslice-controller"
    component = "endpoint-slice-controller"
    watches = (Watch(Service, itself), Watch(Pod, nothing), Watch(Node, nothing), Watch(EndpointSlice, nothing))
    rules = (
        rule(("",), ("services", "pods", "nodes"), ("get", "list", "watch")),
        rule(("",), ("services/finalizers",), ("update",)),
        rule(("discovery.k8s.io",), ("endpointslices",), ("get", "list", "watch", "create", "update", "delete")),
        EVENTS,
    )

    def __init__(self, tools: Tools, settings: EndpointSliceSettings | None = None) -> None:
        super().__init__(tools)
        self.queue = WorkQueue(tools.clock, RETRY)
        self._settings = settings or EndpointSliceSettings()
        self._services = self.informers.of(Service).lister
        self._pods = self.informers.of(Pod).lister
        self._nodes = self.informers.of(Node).lister
        self._slices = self.informers.of(EndpointSlice).lister
        self.informers.of(Pod).add_index(BY_NODE, node_of)
        self.informers.of(EndpointSlice).add_index(MANAGER, by_owner(MANAGER))
        self._writer = SliceWriter(self.client, MANAGER, "Service")
        self._triggers = TriggerTimes()

    def observe(self, old: View | None, new: View | None) -> None:
        """Queue the Services that a change concerns."""
        if (pair := _both(Pod, old, new)) is not None:
            for key in affected(*pair, self._services):
                self.queue.add_after(key, self._settings.updates_batch_period)
        elif (pieces := _both(EndpointSlice, old, new)) is not None:
            self._observe_slice(*pieces)
        elif (nodes := _both(Node, old, new)) is not None:
            self._observe_node(*nodes)

    def _observe_slice(self, old: EndpointSlice | None, new: EndpointSlice | None) -> None:
        for key in self._writer.surprised(old, new):
            self.queue.add_after(key, max(SLICE_DELAY, self._settings.updates_batch_period))
        for key in self._writer.awaited(old, new):
            self.queue.add(key)

    def _observe_node(self, old: Node | None, new: Node | None) -> None:
        """A node that came, or moved to another zone, changes what is told of its pods."""
        if new is None or (old is not None and old.metadata.labels.get(ZONE) == new.metadata.labels.get(ZONE)):
            return
        for pod in self._pods.by_index(BY_NODE, new.metadata.name):
            for key in services_of(pod, self._services):
                self.queue.add(key)

    async def reconcile(self, key: Key) -> Again | None:
        """Make the slices of a Service say what its pods are. Raises what went wrong, after telling of it."""
        service = self._services.get(key)
        if service is None:
            self._triggers.forget(key)
            self._writer.forget(key)
            return None
        if not is_published(service):
            return None
        found = self._slices.by_index(MANAGER, str(key))
        slices = [piece for piece in found if piece.metadata.deletionTimestamp is None]
        if self._writer.must_wait(key, service.metadata.uid, slices):
            return Again(SLICE_DELAY)
        pods = pods_of(service, self._pods)
        failures = await self._publish(service, pods, slices)
        if failures:
            told = [*dict.fromkeys(failures)]
            said = told[0] if len(told) == 1 else f"[{', '.join(told)}]"
            message = f"Error updating Endpoint Slices for Service {key}: {said}"
            self.events.event(service, "Warning", "FailedToUpdateEndpointSlices", message)
            raise StatusError(message)
        return None

    async def _publish(self, service: Service, pods: Sequence[Pod], slices: Sequence[EndpointSlice]) -> list[str]:
        """Write each family by itself; returns what failed."""
        key, going = Key.of(service), service.metadata.deletionTimestamp is not None
        since = self._triggers.since(service, pods)
        reference = controller_reference(service, self.client.resource(Service))
        mould = Mould(service.metadata.name, service.metadata.namespace, reference, labels_of(service))
        names = dict.fromkeys(pod.spec.nodeName for pod in pods)
        nodes = {name: self._nodes.get(Key("", name)) for name in names}
        families = families_of(service)
        failures: list[str] = []
        for family in families:
            wanted = plan_endpoints(service, pods, nodes, family)
            failures += wanted.problems
            existing = [piece for piece in slices if piece.addressType == family]
            changes = plan_slices(mould, family, wanted.groups, existing, self._settings.max_endpoints)
            if going:
                changes.create.clear()
            failure = await self._writer.carry_out(key, changes, since)
            failures += [failure] if failure else []
        for piece in slices:
            if piece.addressType not in families:
                try:
                    await self._writer.delete(key, piece)
                except (StatusError, OSError) as error:
                    what = f"error deleting {piece.metadata.name} EndpointSlice for Service {key}"
                    failures.append(f"{what}: {error}")
        return failures


def _both(kind: type[V], old: View | None, new: View | None) -> tuple[V | None, V | None] | None:
    """Both views of a change, if they are of this kind."""
    if not isinstance(new if new is not None else old, kind):
        return None
    return (old if isinstance(old, kind) else None), (new if isinstance(new, kind) else None)
