"""Pod control: makes and deletes the pods of an owner, telling its events.

Many at once, but slowly at first: one, then two, then four, so that a quota or a webhook that refuses is met once and
not five hundred times. Upstream: pkg/controller/controller_utils.go and slowStartBatch.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from pilothouse.api.machinery.errors import NotFound, StatusError
from pilothouse.api.machinery.names import dns_subdomain
from pilothouse.api.machinery.view import JsonObject, View
from pilothouse.api.types.core_v1 import Pod, PodTemplateSpec
from pilothouse.client.client import Client
from pilothouse.client.events import EventRecorder
from pilothouse.reconcile.ownership import controller_reference


def pod_from_template(template: PodTemplateSpec, owner: View, reference: JsonObject) -> JsonObject:
    """The manifest of a pod that `owner` controls; the API server completes the name."""
    meta = template.metadata
    prefix = f"{owner.metadata.name}-"
    if dns_subdomain(f"{prefix}a"):
        prefix = owner.metadata.name
    manifest: JsonObject = {"generateName": prefix, "ownerReferences": [reference]}
    for name, value in (
        ("labels", dict(meta.labels)),
        ("annotations", dict(meta.annotations)),
        ("finalizers", list(meta.finalizers)),
    ):
        if value:
            manifest[name] = value
    return {"metadata": manifest, "spec": template.spec.literal()}


def is_namespace_terminating(error: StatusError) -> bool:
    """Whether a creation failed because its namespace is going."""
    causes: Sequence[JsonObject] = error.details.get("causes") or ()
    return any(cause.get("reason") == "NamespaceTerminating" for cause in causes)


class PodControl:
    """Creates and deletes pods in the name of their owner."""

    def __init__(self, client: Client, events: EventRecorder) -> None:
        self._client = client
        self._events = events

    def creation(self, owner: View, template: PodTemplateSpec) -> Callable[[], Awaitable[None]]:
        """What creates one pod each time it is called, all of one manifest. Raises then what the server answers."""
        reference = controller_reference(owner, self._client.resource(type(owner)))
        return partial(self._create, owner, pod_from_template(template, owner, reference))

    async def _create(self, owner: View, manifest: JsonObject) -> None:
        try:
            pod = await self._client.create(Pod, manifest, owner.metadata.namespace)
        except StatusError as error:
            if not is_namespace_terminating(error):
                self._events.event(owner, "Warning", "FailedCreate", f"Error creating: {error.message}")
            raise
        self._events.event(owner, "Normal", "SuccessfulCreate", f"Created pod: {pod.metadata.name}")

    async def delete(self, owner: View, pod: Pod) -> None:
        """Delete one pod. Raises NotFound, or what else the server answers."""
        try:
            await self._client.delete(Pod, pod.metadata.name, pod.metadata.namespace)
        except NotFound:
            raise
        except StatusError as error:
            self._events.event(owner, "Warning", "FailedDelete", f"Error deleting: {error.message}")
            raise
        self._events.event(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {pod.metadata.name}")


async def slow_start(count: int, act: Callable[[], Awaitable[None]]) -> tuple[int, StatusError | OSError | None]:
    """Call `act` so many times, in batches that double while all goes well. Returns successes and the first failure."""
    done, size = 0, 1
    while done < count:
        size = min(size, count - done)
        failures = await all_at_once([act] * size)
        if failures:
            return done + size - len(failures), failures[0]
        done += size
        size *= 2
    return done, None


async def all_at_once(acts: Sequence[Callable[[], Awaitable[None]]]) -> list[StatusError | OSError]:
    """Call all at the same time and wait for all; returns the failures."""
    failures: list[StatusError | OSError] = []

    async def attempt(act: Callable[[], Awaitable[None]]) -> None:
        try:
            await act()
        except (StatusError, OSError) as error:
            failures.append(error)

    async with asyncio.TaskGroup() as group:
        for act in acts:
            group.create_task(attempt(act))
    return failures
