"""The garbage collector: attempts on what the graph has named, with the API server's word for each.

Its keys are no objects but work: what to do, and with which uid. An owner that a watch has shown, and that a reference
names as it is, is believed: were it gone, its deletion would bring its dependents back here. Any other owner is asked
for, once; what was denied is remembered. Upstream: pkg/controller/garbagecollector/garbagecollector.go.
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from pilothouse.api.machinery.errors import NotFound, StatusError
from pilothouse.api.machinery.meta import FINALIZER_FOREGROUND, FINALIZER_ORPHAN
from pilothouse.client.discovery import Discovery, PartialObjectMetadata
from pilothouse.client.events import Recent
from pilothouse.client.key import Key
from pilothouse.controllers.garbage_collector.graph import Graph, Identity, Node, Outcome, Owner, read_owners
from pilothouse.controllers.garbage_collector.monitors import Monitors, deletable
from pilothouse.controllers.garbage_collector.objects import NamespaceMissingError, Objects, UnknownKindError
from pilothouse.controllers.garbage_collector.verdict import Keep, Standing, judge
from pilothouse.reconcile.controller import EVENTS, Again, Controller, Tools, rule
from pilothouse.reconcile.pod_control import all_at_once
from pilothouse.runtime.backoff import KeyedBackoff
from pilothouse.runtime.log import Log
from pilothouse.runtime.work_queue import RETRY

DISCOVERY_PERIOD = 30.0
DISCOVERY_RETRY = 2.0
FIRST_LISTS = 30.0
"""How long to wait for all kinds before beginning with those that have come."""
REMEMBERED = 500
"""How many owners that do not exist are remembered."""
_AT_ONCE = 100
_DISCOVER = Key("discover", "")
_DELETE, _ORPHAN = "delete", "orphan"

log = Log(__name__)


class GarbageCollectorController(Controller):
    """Deletes what has lost its last owner."""

    name = "garbage-collector-controller"
    identity = "generic-garbage-collector"
    component = "garbage-collector-controller"
    rules = (rule(("*",), ("*",), ("get", "list", "watch", "patch", "update", "delete")), EVENTS)
    workers = 20

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self.graph = Graph()
        self._discovery = Discovery(self.client)
        self._monitors = Monitors(self.informers, self.graph, self._apply)
        self._objects = Objects(self.client, self._discovery, self.clock)
        self._absent: Recent[Identity, bool] = Recent(REMEMBERED)
        self._doubtful: KeyedBackoff[Key] = KeyedBackoff(RETRY)

    async def start(self) -> None:
        """Follow all kinds, and wait for their first lists, though not for ever."""
        again = await self._discover()
        try:
            async with self.clock.timeout(FIRST_LISTS):
                await self._monitors.synced()
        except TimeoutError:
            log.warning("Not all resource monitors could be synced, proceeding anyways")
        self.queue.add_after(_DISCOVER, again.after)

    async def reconcile(self, key: Key) -> Again | None:
        """Do one piece of work."""
        if key == _DISCOVER:
            return await self._discover()
        node = self.graph.nodes.get(key.name)
        if node is not None:
            try:
                await (self._release(node) if key.namespace == _ORPHAN else self._attempt(node))
            except UnknownKindError as error:
                log.info("Error syncing item, trying again", item=str(node.identity), err=str(error))
                return Again(self._doubtful.next(key))
            except NamespaceMissingError as error:
                log.info("Item cannot be looked up", item=str(node.identity), err=str(error))
                return None
            node = self.graph.nodes.get(key.name)
        if node is not None and node.virtual:
            return Again(self._doubtful.next(key))
        self._doubtful.forget(key)
        return None

    async def _discover(self) -> Again:
        """Follow the kinds that there are now."""
        try:
            if await self._discovery.refresh():
                self._monitors.follow(deletable(self._discovery.preferred()))
        except (StatusError, OSError, TimeoutError, ValueError) as error:
            log.warning("Failed to discover resources", err=str(error))
            return Again(DISCOVERY_RETRY)
        return Again(DISCOVERY_PERIOD)

    def _apply(self, outcome: Outcome) -> None:
        """Put what a change of the graph asks for in line."""
        for identity in outcome.absent:
            self._absent.put(identity, True)
        for uid in outcome.delete:
            self.queue.add(Key(_DELETE, uid))
        for uid in outcome.orphan:
            self.queue.add(Key(_ORPHAN, uid))
        for uid in outcome.again:
            self.queue.add_rate_limited(Key(_DELETE, uid))
        for dependent, owner in outcome.misplaced:
            message = f'ownerRef {owner} does not exist in namespace "{dependent.namespace}"'
            self.events.event(_reference(dependent), "Warning", "OwnerRefInvalidNamespace", message)

    async def _attempt(self, node: Node) -> None:
        """Delete it, if the API server agrees that nothing owns it any more."""
        identity = node.identity
        if node.going and not node.waiting:
            return
        if node.waiting and self.graph.is_blocked(identity.uid):
            if self.graph.waits_for_itself(identity.uid):
                await self._unblock(identity, node.owners)
            return
        if not node.virtual and not node.waiting and all(self._is_solid(identity, owner) for owner in node.owners):
            return
        latest = await self._objects.get(identity)
        if latest is None:
            self._apply(self.graph.deny(identity))
        elif not node.waiting:
            await self._judge(identity, latest)
        elif not self.graph.is_blocked(identity.uid):
            await self._objects.remove_finalizer(identity, FINALIZER_FOREGROUND)

    async def _judge(self, identity: Identity, latest: PartialObjectMetadata) -> None:
        owners = read_owners(latest.metadata.raw)
        standings = {owner: await self._standing(identity, owner) for owner in owners}
        dependents = self.graph.dependents(identity.uid)
        verdict = judge(owners, standings, latest.metadata.finalizers, dependents)
        if isinstance(verdict, Keep):
            if verdict.without:
                log.info("Removing references to absent owners", item=str(identity), owners=len(verdict.without))
                await self._objects.drop_owners(identity, verdict.without)
            return
        if verdict.unblock:
            await self._unblock(identity, owners)
        log.info("Deleting item", item=str(identity), propagationPolicy=verdict.propagation)
        with suppress(NotFound):
            await self._objects.delete(identity, latest, verdict.propagation)

    async def _unblock(self, identity: Identity, owners: Sequence[Owner]) -> None:
        """Let no owner wait for it."""
        blocked = [owner.uid for owner in owners if owner.blocks]
        if blocked:
            with suppress(NotFound):
                await self._objects.unblock_owners(identity, blocked)

    async def _standing(self, item: Identity, owner: Owner) -> Standing:
        """How an owner of `item` is. Raises UnknownKindError, NamespaceMissingError, what the API server answers."""
        places = dict.fromkeys(("", item.namespace))
        if any(self._absent.get(owner.within(place)) for place in places):
            return Standing.DANGLING
        node = self._owner(item, owner)
        if node is not None:
            return Standing.WAITING if node.waiting else Standing.SOLID
        namespaced = self._objects.resource(owner.api_version, owner.kind).namespaced
        identity = owner.within(item.namespace if namespaced else "")
        found = await self._objects.get(identity)
        if found is None:
            self._absent.put(identity, True)
            return Standing.DANGLING
        meta = found.metadata
        going = meta.deletionTimestamp is not None and FINALIZER_FOREGROUND in meta.finalizers
        return Standing.WAITING if going else Standing.SOLID

    def _owner(self, item: Identity, owner: Owner) -> Node | None:
        """The owner that a watch has shown, if it is what and where the reference says."""
        node = self.graph.nodes.get(owner.uid)
        if node is None or node.virtual:
            return None
        return node if node.identity in (owner.within(""), owner.within(item.namespace)) else None

    def _is_solid(self, item: Identity, owner: Owner) -> bool:
        node = self._owner(item, owner)
        return node is not None and not node.waiting

    async def _release(self, node: Node) -> None:
        """Take an owner out of its dependents, then let it go."""
        identity = node.identity
        dependents = self.graph.dependents(identity.uid)
        for start in range(0, len(dependents), _AT_ONCE):
            some: Sequence[Node] = dependents[start : start + _AT_ONCE]
            failures = await all_at_once([partial(self._drop_owner, one.identity, identity.uid) for one in some])
            if failures:
                raise failures[0]
        await self._objects.remove_finalizer(identity, FINALIZER_ORPHAN)

    async def _drop_owner(self, dependent: Identity, owner: str) -> None:
        try:
            await self._objects.drop_owners(dependent, (owner,))
        except (NotFound, UnknownKindError):
            return  # it is gone, or its whole kind is


def _reference(identity: Identity) -> dict[str, str]:
    """An ObjectReference."""
    found = {
        "kind": identity.kind,
        "namespace": identity.namespace,
        "name": identity.name,
        "uid": identity.uid,
        "apiVersion": identity.api_version,
    }
    return {name: value for name, value in found.items() if value}
