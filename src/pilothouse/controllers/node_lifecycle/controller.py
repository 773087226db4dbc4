"""The node lifecycle controller: listens whether nodes speak, and says so on the nodes and on their pods.

Its queue holds keys of four sorts: a node (its taints and labels), a pod (which came to a node that is not ready), a
zone (whose next node may be tainted), and the round in which all nodes are looked at.
"""

import asyncio
from collections.abc import Sequence

from pilothouse.api.machinery.conditions import TRUE, UNKNOWN
from pilothouse.api.machinery.errors import NotFound, StatusError
from pilothouse.api.machinery.view import View
from pilothouse.api.types.coordination_v1 import Lease
from pilothouse.api.types.core_v1 import Node, Pod
from pilothouse.client.client import PatchForm
from pilothouse.client.key import Key
from pilothouse.client.retry import retry_on_conflict
from pilothouse.controllers.node_lifecycle.health import (
    Health,
    is_silent,
    listen,
    ready_condition,
    unknown_conditions,
)
from pilothouse.controllers.node_lifecycle.pods import BY_NODE, mark_not_ready, node_of
from pilothouse.controllers.node_lifecycle.settings import NodeLifecycleSettings
from pilothouse.controllers.node_lifecycle.tainting import (
    Mark,
    changed_taints,
    evicting_changes,
    label_changes,
    schedule_changes,
)
from pilothouse.controllers.node_lifecycle.zones import (
    EXCLUDED,
    Turn,
    ZoneQueue,
    ZoneState,
    eviction_rate,
    look_out,
    zone_of,
)
from pilothouse.reconcile.controller import EVENTS, Again, Controller, Tools, Watch, itself, nothing, rule
from pilothouse.runtime.log import Log

LEASES = "kube-node-lease"
_ROUND = Key(":round", "")
_ZONE = ":zone"
"""No namespace is called that: names have no colon."""

log = Log(__name__)


class NodeLifecycleController(Controller):
    """Watches over nodes."""

    name = "node-lifecycle-controller"
    identity = "node-controller"
    watches = (Watch(Node, itself), Watch(Lease, nothing), Watch(Pod, nothing))
    rules = (
        rule(("",), ("nodes",), ("get", "list", "watch", "patch", "update")),
        rule(("",), ("nodes/status", "pods/status"), ("patch", "update")),
        EVENTS,
    )
    workers = 8

    def __init__(self, tools: Tools, settings: NodeLifecycleSettings | None = None) -> None:
        super().__init__(tools)
        self._settings = settings or NodeLifecycleSettings()
        self._health: dict[str, Health] = {}
        self._known: dict[str, Node] = {}
        self._zones: dict[str, ZoneState] = {}
        self._queues: dict[str, ZoneQueue] = {}
        self._unmarked: dict[str, None] = {}
        """Nodes whose pods could not all be marked."""
        self.informers.of(Pod).add_index(BY_NODE, node_of)

    async def start(self) -> None:
        """Begin the rounds."""
        self.queue.add(_ROUND)

    def observe(self, old: View | None, new: View | None) -> None:
        """A pod that has come to a node."""
        if isinstance(new, Pod) and new.spec.nodeName in self._health:
            before = old.spec.nodeName if isinstance(old, Pod) else ""
            if before != new.spec.nodeName:
                self.queue.add(Key.of(new))

    async def reconcile(self, key: Key) -> Again | None:
        """One key, of whatever sort."""
        if key == _ROUND:
            await self._look_at_all()
            return Again(self._settings.monitor_period)
        if key.namespace == _ZONE:
            return await self._taint_next(key.name)
        if key.namespace:
            await self._mark_pod(key)
        else:
            await self._put_right(key.name)
        return None

    async def _put_right(self, name: str) -> None:
        """The node's NoSchedule taints and labels."""
        node = self._node(name)
        if node is None:
            return
        await self._taint(node, *schedule_changes(node))
        labels = label_changes(node)
        if labels:
            await self._client_patch(node, {"metadata": {"uid": node.metadata.uid, "labels": labels}})

    async def _mark_pod(self, key: Key) -> None:
        pod = self.informers.of(Pod).lister.get(key)
        node = self._node(pod.spec.nodeName) if pod is not None else None
        if pod is None or node is None or not ready_condition(node) or ready_condition(node).status == TRUE:
            return
        await mark_not_ready(self.client, self.events, self.clock.now(), pod)

    async def _taint_next(self, zone: str) -> Again | None:
        """Let the nodes of a zone have their turn, as far as the rate allows."""
        queue = self._queues[zone]
        while name := queue.next():
            node = self._node(name)
            if node is not None:
                try:
                    await self._taint(node, *evicting_changes(node, ready_condition(node).status))
                except (StatusError, OSError):
                    queue.add(name)
                    raise
        after = queue.again()
        return None if after is None else Again(after)

    async def _look_at_all(self) -> None:
        """One round: every node's health, and the zones'."""
        nodes = self.informers.of(Node).lister.list()
        self._meet({node.metadata.name: node for node in nodes})
        ready: dict[str, list[bool]] = {}
        places = asyncio.Semaphore(self.workers)

        async def look(node: Node) -> None:
            async with places:
                try:
                    current = await self._report_silence(node)
                    if EXCLUDED not in current.metadata.labels:
                        ready.setdefault(zone_of(current), []).append(ready_condition(current).status == TRUE)
                    await self._follow_up(node, current)
                except (StatusError, OSError, TimeoutError) as error:
                    log.info("Node health was not updated, nobody is evicted", node=node.metadata.name, err=str(error))

        async with asyncio.TaskGroup() as group:
            for node in nodes:
                group.create_task(look(node))
        await self._adjust(ready, nodes)

    def _meet(self, nodes: dict[str, Node]) -> None:
        """Greet new nodes, and forget those that are gone."""
        for name, node in nodes.items():
            if zone_of(node) not in self._queues:
                self._queues[zone_of(node)] = ZoneQueue(self._settings.eviction_rate, self.clock)
            if name not in self._known:
                self._tell(node, "RegisteredNode", f"Node {name} event: Registered Node {name} in Controller")
        for name, node in self._known.items():
            if name not in nodes:
                self._tell(node, "RemovingNode", f"Node {name} event: Removing Node {name} from Controller")
                self._health.pop(name, None)
                self._unmarked.pop(name, None)
                self._queues[zone_of(node)].remove(name)
        self._known = nodes

    def _tell(self, node: Node, reason: str, message: str) -> None:
        self.events.event(node, "Normal", reason, message)

    async def _follow_up(self, node: Node, current: Node) -> None:
        """What follows for a node that was as `node` and is as `current`."""
        name = node.metadata.name
        observed = ready_condition(node).status or UNKNOWN
        await self._queue_or_release(current, observed)
        left = ready_condition(current).status != TRUE and observed == TRUE
        if left:
            self._tell(node, "NodeNotReady", f"Node {name} status is now: NodeNotReady")
        if left or (name in self._unmarked and observed != TRUE):
            self._unmarked[name] = None
            for pod in self.informers.of(Pod).lister.by_index(BY_NODE, name):
                await mark_not_ready(self.client, self.events, self.clock.now(), pod)
        self._unmarked.pop(name, None)

    async def _report_silence(self, node: Node) -> Node:
        """Write Unknown for a node that has said nothing for too long."""
        name, fresh = node.metadata.name, [node]

        async def attempt() -> Node:
            current = fresh.pop() if fresh else await self.client.get(Node, name)
            lease = self.informers.of(Lease).lister.get(Key(LEASES, name))
            now, moment = self.clock.now(), self.clock.monotonic()
            health = self._health[name] = listen(self._health.get(name), current, lease, now, moment)
            if not is_silent(health, current, self._settings, moment):
                return current
            conditions = unknown_conditions(current, now)
            if conditions is None:
                return current
            status = {**current.status.raw, "conditions": conditions}
            written = await self.client.update(Node, {**current.raw, "status": status}, subresource="status")
            heartbeat = ready_condition(written).lastHeartbeatTime
            self._health[name] = Health(health.heard, True, heartbeat, health.renewed)
            return written

        return await retry_on_conflict(self.clock, attempt)

    async def _queue_or_release(self, node: Node, observed: str) -> None:
        """Taint what was tainted for another reason at once, what was not in its turn; free who is ready."""
        if not ready_condition(node):
            return
        queue, name = self._queues[zone_of(node)], node.metadata.name
        add, remove = evicting_changes(node, observed)
        if observed == TRUE:
            queue.remove(name)
            await self._taint(node, (), remove)
        elif add and remove:
            await self._taint(node, add, remove)
        elif add:
            queue.add(name)
            self.queue.add(Key(_ZONE, zone_of(node)))

    async def _adjust(self, ready: dict[str, list[bool]], nodes: Sequence[Node]) -> None:
        """Set the rates to how the zones are."""
        outlook = look_out(self._zones, ready, self._settings.unhealthy_share)
        if outlook.turn is Turn.STOP:
            log.info("Controller detected that all Nodes are not-Ready. Entering master disruption mode")
            for node in nodes:
                self._queues[zone_of(node)].remove(node.metadata.name)
                await self._taint(node, (), evicting_changes(node, TRUE)[1])
        if outlook.turn is Turn.RESUME:
            log.info("Controller detected that some Nodes are Ready. Exiting master disruption mode")
            moment = self.clock.monotonic()
            for name, health in self._health.items():
                self._health[name] = Health(moment, health.reported, health.heartbeat, health.renewed)
        stopped = bool(outlook.states) and all(state is ZoneState.FULL for state in outlook.states.values())
        for zone, state in outlook.states.items():
            if self._zones.get(zone) is not state:
                log.info("Controller detected that zone is now in new state", zone=zone, newState=state.value)
            rate = 0.0 if stopped else eviction_rate(state, len(ready[zone]), self._settings)
            self._queues[zone].set_rate(rate)
            if self._queues[zone].again() is not None:
                self.queue.add(Key(_ZONE, zone))
        self._zones = dict(outlook.states)

    async def _taint(self, node: Node, add: Sequence[Mark], remove: Sequence[Mark]) -> None:
        """Change a node's taints, and nothing that another has changed meanwhile."""
        if not add and not remove:
            return
        name, fresh = node.metadata.name, [node]

        async def attempt() -> None:
            current = fresh.pop() if fresh else await self.client.get(Node, name)
            taints = changed_taints(current, add, remove, self.clock.now())
            if taints is not None:
                meta = {"resourceVersion": current.metadata.resourceVersion}
                await self._client_patch(current, {"metadata": meta, "spec": {"taints": taints}})

        try:
            await retry_on_conflict(self.clock, attempt)
        except NotFound:
            return

    async def _client_patch(self, node: Node, patch: dict[str, object]) -> None:
        await self.client.patch(Node, node.metadata.name, "", patch, form=PatchForm.MERGE)

    def _node(self, name: str) -> Node | None:
        return self.informers.of(Node).lister.get(Key("", name))
