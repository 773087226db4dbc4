"""The pods of a node: which they are, and how they are said to be not ready."""

from collections.abc import Iterable

from pilothouse.api.machinery.conditions import FALSE, TRUE
from pilothouse.api.machinery.errors import Conflict, NotFound
from pilothouse.api.types.core_v1 import Pod
from pilothouse.client.client import Client, PatchForm
from pilothouse.client.events import EventRecorder
from pilothouse.reconcile.pods import condition_of
from pilothouse.runtime.clock import Instant, format_time

BY_NODE = "spec.nodeName"
"""The index of pods by the node that they are bound to."""


def node_of(pod: Pod) -> Iterable[str]:
    """The index's function."""
    return (pod.spec.nodeName,) if pod.spec.nodeName else ()


async def mark_not_ready(client: Client, events: EventRecorder, now: Instant, pod: Pod) -> None:
    """Say that a pod is not ready, because its node is not. What else its condition says stays."""
    ready = condition_of(pod, "Ready")
    if ready.status in ("", FALSE):
        return
    told = {**ready.raw, "status": FALSE, "lastTransitionTime": format_time(now)}
    patch = {"metadata": {"uid": pod.metadata.uid}, "status": {"conditions": [told]}}
    name, namespace = pod.metadata.name, pod.metadata.namespace
    try:
        await client.patch(Pod, name, namespace, patch, subresource="status", form=PatchForm.STRATEGIC)
    except (NotFound, Conflict):
        return
    events.event(pod, "Warning", "NodeNotReady", "Node is not ready")


async def tell_disruption(client: Client, pod: Pod, reason: str, message: str, now: Instant) -> None:
    """Say on a pod why it is about to be deleted. KEP-3329. Raises NotFound, or Conflict where it is another now."""
    known = condition_of(pod, "DisruptionTarget")
    if (known.status, known.reason, known.message) == (TRUE, reason, message):
        return
    since = known.lastTransitionTime if known.status == TRUE else None
    told = {"type": "DisruptionTarget", "status": TRUE, "reason": reason, "message": message}
    told["lastTransitionTime"] = format_time(since if since is not None else now)
    patch = {"metadata": {"uid": pod.metadata.uid}, "status": {"conditions": [told]}}
    name, namespace = pod.metadata.name, pod.metadata.namespace
    await client.patch(Pod, name, namespace, patch, subresource="status", form=PatchForm.STRATEGIC)
