"""Mirrors of static pods in the API, so that everybody sees them: made anew when somebody deletes one.

They cannot be changed there: what runs is in the manifest. Source: pkg/kubelet/pod/mirror_client.go, syncPod and
HandlePodCleanups of pkg/kubelet.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from pilothouse.api.machinery.errors import AlreadyExists, Conflict, NotFound, StatusError
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Node, Pod
from pilothouse.client.client import Client
from pilothouse.client.key import Key
from pilothouse.kubelet.api import Pods
from pilothouse.kubelet.critical import is_static
from pilothouse.kubelet.pod_sources import MIRROR, PodSources, mirrors
from pilothouse.kubelet.static_pods.manifest import HASH
from pilothouse.runtime.backoff import Backoff, Growth
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log

log = Log(__name__)
_AGAIN = Growth(first=1.0, limit=60.0)


@dataclass(frozen=True, slots=True)
class MirrorPlan:
    """What is to be done in the API; a mirror is deleted before it is made anew."""

    delete: tuple[Pod, ...] = ()
    create: tuple[Pod, ...] = ()
    """Static pods."""


def plan(static: Mapping[Key, Pod], present: Mapping[Key, Pod], ending: Collection[Key], *, all_known: bool
         ) -> MirrorPlan:  # fmt: skip
    """Have one mirror of each static pod. While a pod is being taken away its mirror stays; `all_known`: none is
    missing among `static`. Pure.
    """
    delete, fine = [], set()
    for key, mirror in present.items():
        pod = static.get(key)
        if key in ending or (pod is None and not all_known):
            continue
        if pod is not None and mirror.metadata.deletionTimestamp is None and mirrors(mirror, pod):
            fine.add(key)
        else:
            delete.append(mirror)
    create = (pod for key, pod in static.items() if key not in fine and key not in ending)
    return MirrorPlan(tuple(delete), tuple(create))


def mirror_manifest(pod: Pod, node: Node) -> JsonObject:
    """What stands for a static pod in the API."""
    meta = pod.metadata
    owner = {"apiVersion": "v1", "kind": "Node", "name": node.metadata.name, "uid": node.metadata.uid,
             "controller": True}  # fmt: skip
    labels = {"labels": dict(meta.labels)} if meta.labels else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": meta.name,
            "namespace": meta.namespace,
            **labels,
            "annotations": {**meta.annotations, MIRROR: meta.annotations[HASH]},
            "ownerReferences": [owner],
        },
        "spec": pod.literal()["spec"],
    }


class Mirrors:
    """Keeps the mirrors of one node."""

    def __init__(self, client: Client, sources: PodSources, node_name: str, clock: Clock) -> None:
        self._client = client
        self._sources = sources
        self._node_name = node_name
        self._clock = clock
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Keep them for as long as the kubelet lives."""
        self._sources.on_mirrors(self._news.set)
        again = Backoff(_AGAIN)
        while True:
            self._news.clear()
            wait: float | None = None
            try:
                await self._keep()
                again.reset()
            except (StatusError, OSError, TimeoutError) as error:
                log.warning("Failed to keep the mirrors of static pods", err=str(error))
                wait = again.next()
            try:
                async with self._clock.timeout(wait):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def _keep(self) -> None:
        """Go on after what the server refuses; that is raised at the end."""
        sources = self._sources
        wanted = plan(sources.static(), sources.mirrors(), sources.ending(), all_known=sources.is_complete)
        refused = await self._each(self._delete, wanted.delete)
        if wanted.create:
            node = await self._client.get(Node, self._node_name, resource_version="0")
            refused += await self._each(lambda pod: self._create(pod, node), wanted.create)
        if refused:
            raise refused[0]

    async def _each(self, work: Callable[[Pod], Awaitable[None]], pods: Iterable[Pod]) -> list[Exception]:
        refused: list[Exception] = []
        for pod in pods:
            try:
                await work(pod)
            except (StatusError, TimeoutError) as error:
                refused.append(error)
        return refused

    async def _delete(self, mirror: Pod) -> None:
        meta = mirror.metadata
        log.info("Deleting a mirror pod", pod=f"{meta.namespace}/{meta.name}", uid=meta.uid)
        with suppress(NotFound, Conflict):
            await self._client.delete(Pod, meta.name, meta.namespace, grace_period=0, uid=meta.uid)

    async def _create(self, pod: Pod, node: Node) -> None:
        meta = pod.metadata
        try:
            await self._client.create(Pod, mirror_manifest(pod, node), meta.namespace)
        except AlreadyExists:
            # Ours, of which the watch has not told yet, or somebody's pod.
            if not mirrors(await self._client.get(Pod, meta.name, meta.namespace), pod):
                raise


class MirroredPods:
    """`Pods` in which static pods are reported on their mirrors."""

    def __init__(self, pods: Pods, sources: PodSources) -> None:
        self._pods = pods
        self._sources = sources

    async def patch_status(self, pod: Pod, patch: JsonObject) -> Pod:
        """Write it where the pod is in the API. Raises NotFound for a static pod without a mirror."""
        if not is_static(pod):
            return await self._pods.patch_status(pod, patch)
        mirror = self._sources.mirror_of(pod.metadata.uid)
        if mirror is None:
            raise NotFound(f'pods "{pod.metadata.name}" not found')
        return await self._pods.patch_status(mirror, patch)

    async def delete(self, pod: Pod) -> None:
        """Let a pod go; mirrors of static ones go otherwise."""
        if not is_static(pod):
            await self._pods.delete(pod)
