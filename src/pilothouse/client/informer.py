"""Informers: a shared, indexed copy of what the server has, and word of every change.

One informer a kind and selection serves all who ask in this process. Callbacks run at once when a change arrives and
must not wait: they put keys into queues. Read with the lister, never change what it returns (views do not allow it).
"""

import asyncio
import builtins
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar, cast

from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.view import View
from pilothouse.client.client import Client, Kind, Page, WatchEvent
from pilothouse.client.key import Key
from pilothouse.client.reflector import Reflector, Selection, Sink
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.tasks import Tasks

V = TypeVar("V", bound=View)
Index = Callable[[V], Iterable[str]]
OnChange = Callable[[V | None, V | None], None]


class Lister(Generic[V]):
    """The copy, to be read. Its writer is the informer."""

    def __init__(self) -> None:
        self._objects: dict[Key, V] = {}
        self._by_namespace: dict[str, dict[Key, V]] = {}
        self._functions: dict[str, Index[V]] = {}
        self._indexes: dict[str, dict[str, dict[Key, V]]] = {}

    def get(self, key: Key) -> V | None:
        """The object with this key, if it is there."""
        return self._objects.get(key)

    def list(self, namespace: str = "") -> builtins.list[V]:
        """All objects, or those of one namespace, in the order they came."""
        found = self._by_namespace.get(namespace, {}) if namespace else self._objects
        return [*found.values()]

    def by_index(self, name: str, value: str) -> builtins.list[V]:
        """The objects for which the index `name` gave `value`."""
        return [*self._indexes[name].get(value, {}).values()]

    def __len__(self) -> int:
        return len(self._objects)

    def _add_index(self, name: str, function: Index[V]) -> None:
        self._functions[name] = function
        index: dict[str, dict[Key, V]] = {}
        self._indexes[name] = index
        for key, view in self._objects.items():
            for value in function(view):
                index.setdefault(value, {})[key] = view

    def _put(self, key: Key, new: V | None) -> V | None:
        """Store `new`, or remove; returns what was there."""
        old = self._objects.pop(key, None) if new is None else self._objects.get(key)
        if new is not None:
            self._objects[key] = new
        self._place(self._by_namespace, (key.namespace,) if old else (), (key.namespace,) if new else (), key, new)
        for name, function in self._functions.items():
            before = tuple(function(old)) if old is not None else ()
            after = tuple(function(new)) if new is not None else ()
            self._place(self._indexes[name], before, after, key, new)
        return old

    @staticmethod
    def _place(
        index: dict[str, dict[Key, V]], before: tuple[str, ...], after: tuple[str, ...], key: Key, new: V | None
    ) -> None:
        for value in before:
            if value not in after and value in index:
                index[value].pop(key, None)
                if not index[value]:
                    del index[value]
        if new is not None:
            for value in after:
                index.setdefault(value, {})[key] = new


class Informer(Generic[V]):
    """One kind, kept up to date by a reflector."""

    def __init__(self) -> None:
        self.lister: Lister[V] = Lister()
        self._callbacks: list[OnChange[V]] = []
        self._synced = asyncio.Event()

    def add_index(self, name: str, function: Index[V]) -> None:
        """Let `lister.by_index(name, value)` find objects by what `function` returns. Twice is once."""
        if name not in self.lister._functions:
            self.lister._add_index(name, function)

    def on_change(self, callback: OnChange[V]) -> None:
        """Call `callback(old, new)` for every change; at once for what is there already."""
        self._callbacks.append(callback)
        for view in self.lister.list():
            callback(None, view)

    async def synced(self) -> None:
        """Wait until the first list has arrived."""
        await self._synced.wait()

    @property
    def has_synced(self) -> bool:
        """Whether the first list has arrived."""
        return self._synced.is_set()

    def replace(self, page: Page[V]) -> None:
        """The reflector has read everything."""
        gone = dict.fromkeys(self.lister._objects)
        for view in page.items:
            key = Key.of(view)
            gone.pop(key, None)
            self._set(key, view)
        for key in gone:
            self._set(key, None)
        self._synced.set()

    def change(self, event: WatchEvent[V]) -> None:
        """The reflector saw a change."""
        view = event.object
        if event.type == "DELETED":
            self._set(Key.of(view), None, last=view)
        else:
            self._set(Key.of(view), view)

    def _set(self, key: Key, new: V | None, last: V | None = None) -> None:
        known = self.lister.get(key)
        if new is not None and known is not None:
            if known.metadata.resourceVersion == new.metadata.resourceVersion:
                return
            if known.metadata.uid != new.metadata.uid:
                self._set(key, None)
        old = self.lister._put(key, new)
        if new is None and old is None:
            return
        for callback in self._callbacks:
            callback((last or old) if new is None else old, new)


class Informers:
    """The informers of one client, made when first asked for and shared from then on."""

    def __init__(self, client: Client, clock: Clock, tasks: Tasks, chance: Chance | None = None) -> None:
        self._client = client
        self._clock = clock
        self._tasks = tasks
        self._chance = chance
        self._informers: dict[tuple[Any, ...], Informer[Any]] = {}

    def of(self, kind: Kind[V], *, namespace: str = "", fields: str = "", labels: str = "") -> Informer[V]:
        """The informer of a kind, or of a part of it."""
        resource = self._client.resource(kind)
        place = (resource.api_version, resource.plural, namespace, fields, labels)
        informer = self._informers.get(place)
        if informer is None:
            informer = Informer()
            self._informers[place] = informer
            selection = Selection(kind, namespace, labels, fields)
            reflector = Reflector(self._client, selection, informer, self._clock, self._chance)
            self._tasks.spawn(reflector.run(), name=f"reflector {resource.qualified_name}")
        return cast("Informer[V]", informer)

    def known(self, kind: Kind[V]) -> Informer[Any] | None:
        """The informer of the whole kind, where somebody has asked for it."""
        resource = self._client.resource(kind)
        return self._informers.get((resource.api_version, resource.plural, "", "", ""))

    def reflect_metadata(self, kind: Kind[V], sink: Sink[V]) -> asyncio.Task[None]:
        """Tell `sink` the metadata of a kind, keeping no copy here, until the task is cancelled."""
        client = self._client.metadata_only()
        reflector = Reflector(client, Selection(kind), sink, self._clock, self._chance)
        name = f"metadata reflector {client.resource(kind).qualified_name}"
        return self._tasks.spawn(reflector.run(), name=name)

    def resource(self, kind: Kind[V]) -> Resource[V]:
        """The resource of a view class."""
        return self._client.resource(kind)

    async def synced(self) -> None:
        """Wait until every informer asked for so far has its first list."""
        for informer in list(self._informers.values()):
            await informer.synced()
