"""The Endpoints controller: writes what `subsets` plans.

An update names the resourceVersion it was planned from; the copy that it replaced is remembered, so that a plan is
not made from it again. Nobody owns an Endpoints object: it goes when its Service does, and those whose Service went
while we were away go when we start, but for those in which older clients elect their leaders.
"""

from pilothouse.api.machinery.errors import AlreadyExists, Conflict, NotFound, StatusError
from pilothouse.api.machinery.view import JsonObject, View
from pilothouse.api.types.core_v1 import Endpoints, Pod, Service
from pilothouse.client.key import Key
from pilothouse.controllers.endpoints.subsets import plan_endpoints
from pilothouse.controllers.endpointslice.pods import TriggerTimes, affected, is_published, pods_of
from pilothouse.reconcile.controller import EVENTS, Again, Controller, Tools, Watch, itself, nothing, rule
from pilothouse.reconcile.pod_control import is_namespace_terminating

LEADER = "control-plane.alpha.kubernetes.io/leader"
LOOK_AGAIN = 1.0
"""How long we wait for our copy to show what is there, if no word of it comes."""


class EndpointsController(Controller):
    """Publishes the pods behind Services, in the older form."""

    name = "endpoints-controller"
    identity = "endpoint-controller"
    watches = (Watch(Service, itself), Watch(Pod, nothing), Watch(Endpoints, nothing))
    rules = (
        rule(("",), ("services", "pods"), ("get", "list", "watch")),
        rule(("",), ("endpoints",), ("get", "list", "watch", "create", "update", "delete")),
        rule(("",), ("endpoints/restricted",), ("create",)),
        EVENTS,
    )

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self._services = self.informers.of(Service).lister
        self._pods = self.informers.of(Pod).lister
        self._endpoints = self.informers.of(Endpoints).lister
        self._triggers = TriggerTimes()
        self._replaced: dict[Key, str] = {}
        """The resourceVersion that our last update replaced."""
        self._waiting: dict[Key, None] = {}
        """Services whose Endpoints are not as our copy shows them."""

    async def start(self) -> None:
        """Look at what may have lost its Service while nobody watched."""
        for found in self._endpoints.list():
            if LEADER not in found.metadata.annotations:
                self.queue.add(Key.of(found))

    def observe(self, old: View | None, new: View | None) -> None:
        """Queue the Services that a change of a pod concerns, and those whose Endpoints were deleted or waited for."""
        view = new if new is not None else old
        if isinstance(view, Pod):
            pods = old if isinstance(old, Pod) else None, new if isinstance(new, Pod) else None
            for key in affected(*pods, self._services):
                self.queue.add(key)
        elif isinstance(view, Endpoints):
            key = Key.of(view)
            if key in self._waiting or (new is None and self._services.get(key) is not None):
                self.queue.add(key)

    async def reconcile(self, key: Key) -> Again | None:
        """Make the Endpoints of a Service say what its pods are."""
        known = self._endpoints.get(key)
        service = self._services.get(key)
        if service is None:
            await self._delete(key, known)
            return None
        if not is_published(service):
            return None
        if known is not None and self._replaced.get(key) == known.metadata.resourceVersion:
            return self._wait(key)
        self._waiting.pop(key, None)
        pods = pods_of(service, self._pods)
        manifest = plan_endpoints(service, pods, known, self._triggers.since(service, pods))
        if manifest is None:
            return None
        try:
            await self._write(key, known, manifest)
        except (AlreadyExists, Conflict):
            return self._wait(key)
        except StatusError as error:
            if known is None and is_namespace_terminating(error):
                return None
            self._tell(key, known, error)
            raise
        return None

    async def _write(self, key: Key, known: Endpoints | None, manifest: JsonObject) -> None:
        if known is None:
            await self.client.create(Endpoints, manifest)
            return
        written = await self.client.update(Endpoints, manifest)
        if written.metadata.resourceVersion != known.metadata.resourceVersion:
            self._replaced[key] = known.metadata.resourceVersion

    def _wait(self, key: Key) -> Again:
        self._waiting[key] = None
        return Again(LOOK_AGAIN)

    def _tell(self, key: Key, known: Endpoints | None, error: StatusError) -> None:
        if known is None:
            subject = {"apiVersion": "v1", "kind": "Endpoints", "namespace": key.namespace, "name": key.name}
            message = f"Failed to create endpoint for service {key}: {error}"
            self.events.event(subject, "Warning", "FailedToCreateEndpoint", message)
        else:
            message = f"Failed to update endpoint {key}: {error}"
            self.events.event(known, "Warning", "FailedToUpdateEndpoint", message)

    async def _delete(self, key: Key, known: Endpoints | None) -> None:
        """The Service is gone. What it had may be there though our copy does not show it yet."""
        self._triggers.forget(key)
        self._replaced.pop(key, None)
        self._waiting.pop(key, None)
        if known is not None and LEADER in known.metadata.annotations:
            return
        try:
            await self.client.delete(Endpoints, key.name, key.namespace, uid=known.metadata.uid if known else "")
        except (NotFound, Conflict):
            return
