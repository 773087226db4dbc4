"""Changes: what can happen in a cluster that may let a pod run which could not before.

A plugin names the changes that may undo its refusal (`requeue_on`); the queue wakes a pod only for those. The functions
here say which changes lie between two states of an object. Upstream: the scheduler's cluster events and queueing
hints, KEP-4247.
"""

import enum
from dataclasses import dataclass
from typing import Any

from pilothouse.api.types.core_v1 import Node, Pod
from pilothouse.scheduler.pod_info import needs_changed, pod_requests


class Change(enum.Enum):
    """One kind of change."""

    NODE_ADDED = "a node was added"
    NODE_ALLOCATABLE = "a node offers other amounts"
    NODE_LABELS = "a node has other labels"
    NODE_TAINTS = "a node has other taints, or was cordoned or uncordoned"
    NODE_CONDITIONS = "a node has other conditions"
    POD_ASSIGNED = "a pod got onto a node"
    POD_LABELS = "a pod on a node has other labels"
    POD_SCALED_DOWN = "a pod on a node needs less"
    POD_DELETED = "a pod left its node"
    OWN_LABELS = "the waiting pod has other labels"
    OWN_SCALED_DOWN = "the waiting pod needs less"
    OWN_TOLERATIONS = "the waiting pod tolerates other taints"
    OWN_GATES = "the waiting pod has lost its scheduling gates"


@dataclass(frozen=True, slots=True)
class Happened:
    """A change, and the object before and after it."""

    change: Change
    old: Any
    """A view, or None if it was not there."""
    new: Any
    """A view, or None if it is gone."""


def node_changes(old: Node | None, new: Node) -> list[Change]:
    """What has changed in a node."""
    if old is None:
        return [Change.NODE_ADDED]
    before, after = old.raw, new.raw
    found: list[Change] = []
    if _part(before, "status", "allocatable") != _part(after, "status", "allocatable"):
        found.append(Change.NODE_ALLOCATABLE)
    if _part(before, "metadata", "labels") != _part(after, "metadata", "labels"):
        found.append(Change.NODE_LABELS)
    if any(_part(before, "spec", name) != _part(after, "spec", name) for name in ("taints", "unschedulable")):
        found.append(Change.NODE_TAINTS)
    if {one.type: one.status for one in old.status.conditions} != {c.type: c.status for c in new.status.conditions}:
        found.append(Change.NODE_CONDITIONS)
    return found


def assigned_changes(old: Pod | None, new: Pod | None) -> list[Change]:
    """What has changed in a pod that is, or was, on a node."""
    if new is None:
        return [Change.POD_DELETED]
    if old is None or not old.spec.nodeName:
        return [Change.POD_ASSIGNED]
    found: list[Change] = []
    if old.metadata.labels != new.metadata.labels:
        found.append(Change.POD_LABELS)
    if _needs_less(old, new):
        found.append(Change.POD_SCALED_DOWN)
    return found


def waiting_changes(old: Pod, new: Pod) -> list[Change]:
    """What has changed in a pod that waits for a node."""
    found: list[Change] = []
    if old.metadata.labels != new.metadata.labels:
        found.append(Change.OWN_LABELS)
    if _needs_less(old, new):
        found.append(Change.OWN_SCALED_DOWN)
    if _part(old.raw, "spec", "tolerations") != _part(new.raw, "spec", "tolerations"):
        found.append(Change.OWN_TOLERATIONS)
    if old.spec.schedulingGates and not new.spec.schedulingGates:
        found.append(Change.OWN_GATES)
    return found


def _needs_less(old: Pod, new: Pod) -> bool:
    if not needs_changed(old, new):
        return False
    before, after = pod_requests(old.raw)[0], pod_requests(new.raw)[0]
    return any(after.get(name, 0) < amount for name, amount in before.items())


def _part(raw: object, *path: str) -> object:
    """What stands at a path; None where nothing, or nothing but an empty value, does."""
    for name in path:
        raw = raw.get(name) if isinstance(raw, dict) else None
    return raw or None
