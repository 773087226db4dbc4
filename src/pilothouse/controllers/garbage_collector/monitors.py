"""Monitors: one watch for each kind that can be deleted, telling the graph and keeping nothing.

Where another controller keeps a copy of the kind, its informer tells us too; all else is watched as metadata alone.
Discovery says which kinds there are. Upstream: syncMonitors in pkg/controller/garbagecollector/graph_builder.go.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from pilothouse.api.machinery.view import View
from pilothouse.client.client import Page, WatchEvent
from pilothouse.client.discovery import Discovered, PartialObjectMetadata
from pilothouse.client.informer import Informers
from pilothouse.controllers.garbage_collector.graph import Graph, Outcome, read_metadata

IGNORED = (("", "events"), ("events.k8s.io", "events"))
"""They come and go by themselves, and too many."""
_NEEDED = frozenset({"delete", "list", "watch"})
Apply = Callable[[Outcome], None]


def deletable(found: Iterable[Discovered]) -> list[Discovered]:
    """The kinds that can be watched and deleted."""
    return [
        one
        for one in found
        if set(one.resource.verbs) >= _NEEDED and (one.resource.group, one.resource.plural) not in IGNORED
    ]


class Monitor:
    """A sink of one kind, that turns what it is told into changes of the graph."""

    def __init__(self, of: Discovered, graph: Graph, apply: Apply) -> None:
        self._api_version, self._kind, self._group = of.api_version, of.kind, of.resource.group
        self._graph = graph
        self._apply = apply
        self.listed = asyncio.Event()

    def replace(self, page: Page[PartialObjectMetadata]) -> None:
        """This is all there is: what the graph has beside it is gone."""
        there = {str(view.metadata.uid) for view in page.items}
        for view in page.items:
            self._observe(view)
        for node in self._graph.of_kind(self._group, self._kind):
            if node.identity.uid not in there:
                self._apply(self._graph.remove(node.identity.uid))
        self.listed.set()

    def change(self, event: WatchEvent[PartialObjectMetadata]) -> None:
        """One object was added, modified or deleted."""
        if event.type == "DELETED":
            self._apply(self._graph.remove(event.object.metadata.uid))
        else:
            self._observe(event.object)

    def changed(self, old: View | None, new: View | None) -> None:
        """The same, from an informer."""
        if new is not None:
            self._observe(new)
        elif old is not None:
            self._apply(self._graph.remove(old.metadata.uid))

    def _observe(self, view: View) -> None:
        self._apply(self._graph.observe(read_metadata(self._api_version, self._kind, view.raw["metadata"])))


@dataclass(frozen=True, slots=True)
class _Watched:
    """A kind that is watched: until when to wait for its first list, and what to cancel if it is ours alone."""

    synced: Callable[[], Awaitable[object]]
    task: asyncio.Task[None] | None = None


class Monitors:
    """The monitors of all kinds."""

    def __init__(self, informers: Informers, graph: Graph, apply: Apply) -> None:
        self._informers = informers
        self._graph = graph
        self._apply = apply
        self._watched: dict[str, _Watched] = {}

    def follow(self, kinds: Iterable[Discovered]) -> None:
        """Watch these kinds, and no others."""
        wanted = {one.resource.path(): one for one in kinds}
        for path in [path for path in self._watched if path not in wanted]:
            task = self._watched.pop(path).task
            if task is not None:
                task.cancel()
        for path, one in wanted.items():
            if path not in self._watched:
                self._watched[path] = self._begin(one)

    async def synced(self) -> None:
        """Wait until every kind has its first list."""
        for watched in list(self._watched.values()):
            await watched.synced()

    def _begin(self, one: Discovered) -> _Watched:
        monitor = Monitor(one, self._graph, self._apply)
        informer = self._informers.known(one.resource)
        if informer is not None:
            informer.on_change(monitor.changed)
            return _Watched(informer.synced)
        return _Watched(monitor.listed.wait, self._informers.reflect_metadata(one.resource, monitor))
