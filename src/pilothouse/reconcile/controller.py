"""Controller: a loop that makes what is into what was asked for, one key at a time.

A controller names what it watches and which keys a change concerns, and reconciles a key: it reads listers, lets a
pure `plan_*` function decide, and writes. It acts on what is, never on what happened, so a key may come once too often
but never too seldom; failures come back with a growing delay. Upstream: the controllers' guide in
kubernetes/community, contributors/devel/sig-api-machinery/controllers.md.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.machinery.view import JsonObject, View
from pilothouse.client.client import Client
from pilothouse.client.events import EventRecorder
from pilothouse.client.informer import Informer, Informers, OnChange
from pilothouse.client.key import Key
from pilothouse.reconcile.ownership import controller_of, selector_of
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log
from pilothouse.runtime.work_queue import WorkQueue

V = TypeVar("V", bound=View)
KeyFunction = Callable[[Any, Informers], Iterable[Key]]

log = Log(__name__)


@dataclass(frozen=True, slots=True)
class Again:
    """Reconcile this key once more after so many seconds, whatever else happens."""

    after: float


@dataclass(frozen=True, slots=True)
class Watch(Generic[V]):
    """A kind whose changes concern the controller, and the keys that each concerns."""

    kind: type[V]
    keys: KeyFunction
    fields: str = ""
    """A field selector, where a part of the kind is enough."""


def itself(view: View, informers: Informers) -> Iterable[Key]:  # noqa: ARG001 - a KeyFunction
    """The key of what changed."""
    return (Key.of(view),)


def nothing(view: View, informers: Informers) -> Iterable[Key]:  # noqa: ARG001 - a KeyFunction
    """No key: the kind is only read, or looked at in `observe`."""
    return ()


def owner(kind: type[View]) -> KeyFunction:
    """The key of the controlling owner, where that is of `kind`."""

    def keys(view: View, informers: Informers) -> Iterable[Key]:
        reference = controller_of(view)
        resource = informers.resource(kind)
        if reference.kind != resource.name or _group(reference.apiVersion) != resource.group:
            return ()
        return (Key(view.metadata.namespace, reference.name),)

    return keys


def selecting(kind: type[View]) -> KeyFunction:
    """For what nobody controls: every object of `kind` in its namespace whose selector matches its labels."""

    def keys(view: View, informers: Informers) -> Iterable[Key]:
        if controller_of(view):
            return ()
        candidates: Sequence[Any] = informers.of(kind).lister.list(view.metadata.namespace)
        labels = view.metadata.labels
        return [Key.of(found) for found in candidates if selector_of(found).matches(labels)]

    return keys


def _group(api_version: str) -> str:
    return api_version.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class Tools:
    """What every controller is built with. `client` writes with the controller's own identity."""

    client: Client
    informers: Informers
    clock: Clock
    chance: Chance
    events: EventRecorder


class Controller(ABC):
    """One controller. Its class says everything that whoever runs it must know."""

    name: ClassVar[str]
    """Upstream's name, as `--controllers` takes it."""
    identity: ClassVar[str] = ""
    """The service account in kube-system that it acts as, and its role `system:controller:<identity>`."""
    component: ClassVar[str] = ""
    """How its events are signed; by default with the identity."""
    watches: ClassVar[tuple[Watch[Any], ...]] = ()
    rules: ClassVar[tuple[JsonObject, ...]] = ()
    """RBAC rules: no more than it needs. Informers read with the rights of the whole controller manager."""
    workers: ClassVar[int] = 5
    """How many keys it works on at once."""

    def __init__(self, tools: Tools) -> None:
        self.client = tools.client
        self.informers = tools.informers
        self.clock = tools.clock
        self.chance = tools.chance
        self.events = tools.events
        self.queue: WorkQueue[Key] = WorkQueue(tools.clock)

    @abstractmethod
    async def reconcile(self, key: Key) -> Again | None:
        """Bring one object nearer to what was asked. Idempotent; never runs twice at once for one key."""
        ...

    def observe(self, old: View | None, new: View | None) -> None:
        """See a change of a watched kind before its keys are queued."""

    async def start(self) -> None:
        """Look around, after the first lists have arrived and before the first key is worked on."""

    def watch(self) -> None:
        """Listen to every watched kind, once to each: what is observed twice would be counted twice."""
        wanted: dict[Informer[Any], list[KeyFunction]] = {}
        for watch in self.watches:
            wanted.setdefault(self.informers.of(watch.kind, fields=watch.fields), []).append(watch.keys)
        for informer, functions in wanted.items():
            informer.on_change(self._listener([keys for keys in functions if keys is not nothing]))

    async def synced(self) -> None:
        """Wait until every watched kind has its first list."""
        for watch in self.watches:
            await self.informers.of(watch.kind, fields=watch.fields).synced()

    async def work(self) -> None:
        """Reconcile keys for ever."""
        while True:
            key = await self.queue.get()
            try:
                again = await self.reconcile(key)
            except (StatusError, OSError, TimeoutError) as error:
                log.info("Sync failed, trying again", controller=self.name, key=str(key), err=str(error))
                self.queue.add_rate_limited(key)
            except Exception as error:  # noqa: BLE001 - one object's fault must not stop the others
                log.crash("Sync crashed, trying again", error=error, controller=self.name, key=str(key))
                self.queue.add_rate_limited(key)
            else:
                self.queue.forget(key)
                if again is not None:
                    self.queue.add_after(key, again.after)
            finally:
                self.queue.done(key)

    def _listener(self, functions: Sequence[KeyFunction]) -> OnChange[Any]:
        def changed(old: View | None, new: View | None) -> None:
            self.observe(old, new)
            for keys in functions:
                for view in (old, new):
                    if view is not None:
                        for key in keys(view, self.informers):
                            self.queue.add(key)

        return changed if functions else self.observe


def rule(groups: Sequence[str], resources: Sequence[str], verbs: Sequence[str]) -> JsonObject:
    """A PolicyRule."""
    return {"apiGroups": [*groups], "resources": [*resources], "verbs": [*verbs]}


EVENTS = rule(("", "events.k8s.io"), ("events",), ("create", "update", "patch"))
