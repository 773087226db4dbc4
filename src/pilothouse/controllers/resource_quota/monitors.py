"""Monitors: the objects that quotas count, by kind; only of kinds that some quota names.

Of most kinds it is enough to know how many there are: their metadata is watched, and their names are kept. Of those
that use more, and of those that another controller keeps a copy of, the shared informer is asked. Upstream:
resource_quota_monitor.go, which watches every kind there is.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from pilothouse.api.core.pod.resources import Amounts
from pilothouse.api.core.resource_quota.evaluator import Evaluator
from pilothouse.api.core.resource_quota.usage import special_evaluators, usage_by_number, usage_of
from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.view import JsonObject, View
from pilothouse.client.client import Page, WatchEvent
from pilothouse.client.informer import Informer, Informers
from pilothouse.runtime.clock import Instant

_NEEDED = frozenset({"create", "delete", "list", "watch"})
Changed = Callable[[Evaluator, View | None, View | None], None]
"""Told of an object before and after a change."""
Kind = tuple[str, str]
"""Group and plural."""


def is_countable(resource: Resource[Any]) -> bool:
    """Whether quotas can count the kind."""
    return resource.namespaced and set(resource.verbs) >= _NEEDED


class Monitor(Protocol):
    """Knows the objects of one kind."""

    async def synced(self) -> object:
        """Wait for the first list."""
        ...

    def used(self, spec: JsonObject, namespace: str, now: Instant) -> Amounts:
        """What the objects of a namespace use of what a quota limits."""
        ...

    def end(self) -> None:
        """Watch no more, where nobody else does."""
        ...


class Copied:
    """A kind of which there is a copy."""

    def __init__(self, evaluator: Evaluator, informer: Informer[Any], changed: Changed) -> None:
        self._evaluator = evaluator
        self._informer = informer
        self._changed: Changed | None = changed
        self.synced = informer.synced
        informer.on_change(self._tell)

    def used(self, spec: JsonObject, namespace: str, now: Instant) -> Amounts:
        """What the objects of a namespace use."""
        return usage_of(self._evaluator, spec, [view.raw for view in self._informer.lister.list(namespace)], now)

    def end(self) -> None:
        """Tell of nothing more."""
        self._changed = None

    def _tell(self, old: View | None, new: View | None) -> None:
        if self._changed is not None:
            self._changed(self._evaluator, old, new)


class Numbered:
    """A kind of which only names are known."""

    def __init__(self, evaluator: Evaluator, resource: Resource[Any], informers: Informers, changed: Changed) -> None:
        self._evaluator = evaluator
        self._changed = changed
        self._objects: dict[str, dict[str, View]] = {}
        self._listed = asyncio.Event()
        self.synced = self._listed.wait
        self._task = informers.reflect_metadata(resource, self)

    def used(self, spec: JsonObject, namespace: str, now: Instant) -> Amounts:  # noqa: ARG002 - time does not matter
        """What the objects of a namespace use."""
        return usage_by_number(self._evaluator, spec, len(self._objects.get(namespace, ())))

    def end(self) -> None:
        """Watch no more."""
        self._task.cancel()

    def replace(self, page: Page[Any]) -> None:
        """This is all there is."""
        before, self._objects = self._objects, {}
        for view in page.items:
            self._put(view)
        self._listed.set()
        for namespace, views in before.items():
            left = self._objects.get(namespace, {})
            for name, view in views.items():
                if name not in left:
                    self._changed(self._evaluator, view, None)

    def change(self, event: WatchEvent[Any]) -> None:
        """One object was added, modified or deleted."""
        if event.type != "DELETED":
            self._put(event.object)
            return
        namespace, name = event.object.metadata.namespace, event.object.metadata.name
        left = self._objects.get(namespace, {})
        left.pop(name, None)
        if not left:
            self._objects.pop(namespace, None)
        self._changed(self._evaluator, event.object, None)

    def _put(self, view: View) -> None:
        self._objects.setdefault(view.metadata.namespace, {})[view.metadata.name] = view


class Monitors:
    """The monitors of all kinds that are named."""

    def __init__(self, informers: Informers, changed: Changed) -> None:
        self._informers = informers
        self._changed = changed
        self._monitors: dict[Kind, tuple[str, Monitor]] = {}

    def of(self, evaluator: Evaluator, resource: Resource[Any]) -> Monitor:
        """The monitor of a kind, begun when it is first asked for and when the kind is served in another version."""
        kind = (evaluator.group, evaluator.plural)
        version, monitor = self._monitors.get(kind, ("", None))
        if monitor is None or version != resource.version:
            if monitor is not None:
                monitor.end()
            monitor = self._begin(evaluator, resource)
            self._monitors[kind] = (resource.version, monitor)
        return monitor

    def keep(self, kinds: Iterable[Kind]) -> None:
        """End the monitors of all other kinds."""
        kept = set(kinds)
        for kind in [kind for kind in self._monitors if kind not in kept]:
            self._monitors.pop(kind)[1].end()

    @property
    def kinds(self) -> list[Kind]:
        """The kinds that are watched."""
        return [*self._monitors]

    def _begin(self, evaluator: Evaluator, resource: Resource[Any]) -> Monitor:
        informer = self._informers.known(resource)
        if evaluator in special_evaluators():
            informer = self._informers.of(resource)
        if informer is not None:
            return Copied(evaluator, informer, self._changed)
        return Numbered(evaluator, resource, self._informers, self._changed)
