"""ConfigMaps and Secrets that the node's pods refer to: watched one by one, as a node may, instead of read each time.

A watch is a connection, so there are so many and no more; what has none, or whose first list has not come, is read
when it is asked for. What is immutable is read once for as long as a pod refers to it. A change pokes the pods that
were given an older one. Upstream: pkg/kubelet/util/manager/watch_based_manager.go, which waits for the next sync.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

from pilothouse.api.core.pod.references import config_map_names, secret_names
from pilothouse.api.machinery.errors import NotFound
from pilothouse.api.types.core_v1 import ConfigMap, Pod, Secret
from pilothouse.client.client import Client, Page, WatchEvent
from pilothouse.client.reflector import Reflector, Selection
from pilothouse.kubelet.api import ClientObjects, Services
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.tasks import Tasks

Referred = TypeVar("Referred", ConfigMap, Secret)
_Place = tuple[type[Any], str, str]
MOST = 48
"""Watches at a time."""


class _Entry:
    """What is known of one object. Written by its reflector."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.holders: dict[str, None] = {}
        self.known: ConfigMap | Secret | None = None
        self.synced = False
        self.given: str | None = None
        """The revision that pods were given last; empty: that there is none."""
        self.task: asyncio.Task[None] | None = None
        self._changed = changed

    def replace(self, page: Page[Any]) -> None:
        """The object, or none."""
        self._set(next(iter(page.items), None))

    def change(self, event: WatchEvent[Any]) -> None:
        """The object has changed."""
        self._set(None if event.type == "DELETED" else event.object)

    def _set(self, found: ConfigMap | Secret | None) -> None:
        self.keep(found)
        if self.given not in (None, _revision(found)):
            self._changed()

    def keep(self, found: ConfigMap | Secret | None) -> None:
        """Remember it; for good when it cannot change."""
        self.known, self.synced = found, True
        if found is not None and found.immutable:
            self.stop()

    def stop(self) -> None:
        """Watch no more."""
        if self.task is not None:
            self.task.cancel()
            self.task = None


class ObjectCache:
    """Of one node."""

    def __init__(self, client: Client, clock: Clock, chance: Chance, tasks: Tasks, *, most: int = MOST) -> None:
        self._client = client
        self._clock = clock
        self._chance = chance
        self._tasks = tasks
        self._poke: Callable[[str], None] = lambda _: None
        self._most = most
        self._entries: dict[_Place, _Entry] = {}

    def on_newer(self, poke: Callable[[str], None]) -> None:
        """Call `poke` with the uid of a pod that has something newer to see."""
        self._poke = poke

    def on_change(self, old: Pod | None, new: Pod | None) -> None:
        """An informer's news of the node's pods."""
        if old is not None and (new is None or new.metadata.uid != old.metadata.uid):
            self.release(old.metadata.uid)
        elif old is not None and new is not None and old.metadata.generation == new.metadata.generation:
            return
        if new is not None:
            self.hold(new)

    def hold(self, pod: Pod) -> None:
        """Keep what a pod refers to."""
        for place in _referred(pod):
            entry = self._entries.get(place)
            if entry is None:
                entry = self._entries[place] = _Entry(lambda place=place: self._changed(place))  # type: ignore[misc]
                self._watch(place, entry)
            entry.holders[pod.metadata.uid] = None

    def release(self, uid: str) -> None:
        """A pod is gone: what it alone referred to is forgotten."""
        for place, entry in list(self._entries.items()):
            entry.holders.pop(uid, None)
            if not entry.holders:
                entry.stop()
                del self._entries[place]

    async def get(self, kind: type[Referred], namespace: str, name: str) -> Referred | None:
        """An object as it is, or was a moment ago; None when there is none. Raises StatusError."""
        entry = self._entries.get((kind, namespace, name))
        if entry is not None and entry.synced:
            entry.given = _revision(entry.known)
            return cast("Referred | None", entry.known)
        try:
            found: Referred | None = await self._client.get(kind, name, namespace)
        except NotFound:
            found = None
        if entry is not None:
            entry.given = _revision(found)
            if found is not None and found.immutable:
                entry.keep(found)
        return found

    def _watch(self, place: _Place, entry: _Entry) -> None:
        if sum(one.task is not None for one in self._entries.values()) >= self._most:
            return
        kind, namespace, name = place
        chosen: Selection[Any] = Selection(kind, namespace, fields=f"metadata.name={name}")
        reflector = Reflector(self._client, chosen, entry, self._clock, self._chance)
        entry.task = self._tasks.spawn(reflector.run(), name=f"watch of {kind.__name__} {namespace}/{name}")

    def _changed(self, place: _Place) -> None:
        for uid in self._entries[place].holders:
            self._poke(uid)


def _revision(found: ConfigMap | Secret | None) -> str:
    return "" if found is None else found.metadata.resourceVersion


def _referred(pod: Pod) -> Iterator[_Place]:
    namespace, spec = pod.metadata.namespace, dict(pod.spec.raw)
    yield from ((ConfigMap, namespace, name) for name in config_map_names(spec))
    yield from ((Secret, namespace, name) for name in secret_names(spec))


class CachedObjects(ClientObjects):
    """`Objects` over the API, by way of the cache."""

    def __init__(self, client: Client, services: Services, cache: ObjectCache) -> None:
        super().__init__(client, services)
        self._cache = cache

    async def config_map(self, namespace: str, name: str) -> ConfigMap | None:
        """A ConfigMap."""
        return await self._cache.get(ConfigMap, namespace, name)

    async def secret(self, namespace: str, name: str) -> Secret | None:
        """A Secret."""
        return await self._cache.get(Secret, namespace, name)
