"""Health: when a node was last heard of, by our own clock, and what is said of one that is silent.

A node speaks by renewing its lease or by reporting its conditions. The times that it writes are never compared with
ours; only that they change counts.
"""

from dataclasses import dataclass, replace

from pilothouse.api.machinery.conditions import TRUE, UNKNOWN, find
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.coordination_v1 import Lease
from pilothouse.api.types.core_v1 import Node, NodeCondition
from pilothouse.controllers.node_lifecycle.settings import NodeLifecycleSettings
from pilothouse.runtime.clock import Instant, format_time

_ABSENT = NodeCondition()
_OF_KUBELETS = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")


@dataclass(frozen=True, slots=True)
class Health:
    """What we remember of a node."""

    heard: float
    """Monotonic time at which it last spoke."""
    reported: bool = False
    """Whether it had a Ready condition."""
    heartbeat: Instant | None = None
    """The time in that, as written."""
    renewed: Instant | None = None
    """The time in its lease, as written."""


def ready_condition(node: Node) -> NodeCondition:
    """The node's Ready condition; false where it has none."""
    return next((found for found in node.status.conditions if found.type == "Ready"), _ABSENT)


def is_ready(node: Node) -> bool:
    """Whether it says so."""
    return ready_condition(node).status == TRUE


def listen(known: Health | None, node: Node, lease: Lease | None, now: Instant, moment: float) -> Health:
    """What we know of a node now. `moment` is monotonic time."""
    ready = ready_condition(node)
    if known is None and not ready:
        known = Health(moment - (now - (node.metadata.creationTimestamp or now)))
    elif known is None or known.reported is not bool(ready) or (ready and known.heartbeat != ready.lastHeartbeatTime):
        known = Health(moment, renewed=known.renewed if known is not None else None)
    known = replace(known, reported=bool(ready), heartbeat=ready.lastHeartbeatTime)
    renewed = lease.spec.renewTime if lease is not None else None
    if renewed is not None and (known.renewed is None or known.renewed < renewed):
        known = replace(known, heard=moment, renewed=renewed)
    return known


def is_silent(health: Health, node: Node, settings: NodeLifecycleSettings, moment: float) -> bool:
    """Whether it has said nothing for too long."""
    patience = settings.grace_period if ready_condition(node) else settings.startup_grace_period
    return moment - health.heard > patience


def unknown_conditions(node: Node, now: Instant) -> list[JsonObject] | None:
    """The conditions of a node that is silent; None where it says that already."""
    if ready_condition(node).status == UNKNOWN:
        return None
    conditions = [dict(found.raw) for found in node.status.conditions]
    created = node.metadata.creationTimestamp or now
    for kind in _OF_KUBELETS:
        known = find(conditions, kind)
        if known is None:
            conditions.append(
                {
                    "type": kind,
                    "status": UNKNOWN,
                    "reason": "NodeStatusNeverUpdated",
                    "message": "Kubelet never posted node status.",
                    "lastHeartbeatTime": format_time(created),
                    "lastTransitionTime": format_time(now),
                }
            )
        elif known.get("status") != UNKNOWN:
            place = conditions.index(dict(known))
            conditions[place] = {
                **known,
                "status": UNKNOWN,
                "reason": "NodeStatusUnknown",
                "message": "Kubelet stopped posting node status.",
                "lastTransitionTime": format_time(now),
            }
    return conditions
