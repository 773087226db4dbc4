"""Events: what a component tells users about an object, as core/v1 Events.

Telling never blocks and never fails the work it is about: an event goes into a queue, is correlated and written when
there is time, and dropped when there is none. Correlation, as client-go's: the same event again raises the count of
the first; ten of one reason that differ by message only become one combined event; and one object may hear 25 from
one component, then one every five minutes.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from pilothouse.api.machinery.errors import AlreadyExists, NotFound, StatusError
from pilothouse.api.machinery.view import JsonObject, View
from pilothouse.api.types.core_v1 import Event
from pilothouse.client.client import Client
from pilothouse.runtime.backoff import Backoff, Growth
from pilothouse.runtime.clock import Clock, Instant, format_time
from pilothouse.runtime.log import Log
from pilothouse.runtime.rate_limit import TokenBucket
from pilothouse.runtime.tasks import Tasks

K = TypeVar("K")
T = TypeVar("T")

QUEUE_LENGTH = 1000
REMEMBERED = 4096
SIMILAR_LIMIT = 10
SIMILAR_SECONDS = 600.0
SPAM_BURST = 25
SPAM_RATE = 1 / 300
ATTEMPTS = 12
COMBINED = "(combined from similar events): "

log = Log(__name__)


class Recent(Generic[K, T]):
    """A map that forgets what was used least recently."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._items: OrderedDict[K, T] = OrderedDict()

    def get(self, key: K) -> T | None:
        """The value, which counts as used."""
        if key not in self._items:
            return None
        self._items.move_to_end(key)
        return self._items[key]

    def put(self, key: K, value: T) -> None:
        """Remember, and forget the oldest beyond the size."""
        self._items[key] = value
        self._items.move_to_end(key)
        if len(self._items) > self._size:
            self._items.popitem(last=False)


@dataclass(frozen=True)
class Happening:
    """What was told, before correlation."""

    reference: JsonObject
    type: str
    reason: str
    message: str
    at: Instant
    annotations: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def about(self) -> tuple[str, ...]:
        """Which object it is about."""
        of = self.reference.get
        return tuple([str(of(name) or "") for name in ("kind", "namespace", "name", "uid", "apiVersion")])

    @cached_property
    def similar(self) -> tuple[str, ...]:
        """What events share that differ by message only."""
        return (*self.about, self.type, self.reason)

    @property
    def same(self) -> tuple[str, ...]:
        """What equal events share."""
        return (*self.similar, str(self.reference.get("fieldPath") or ""), self.message)


@dataclass(slots=True)
class Written:
    """The Event object that stands for one key."""

    name: str
    namespace: str
    count: int


@dataclass(slots=True)
class _Similar:
    messages: dict[str, None] = field(default_factory=dict)
    last: Instant = 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to write: `key` finds the Event that may exist already."""

    key: tuple[str, ...]
    message: str


class Correlator:
    """Decides what becomes of each happening."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._similar: Recent[tuple[str, ...], _Similar] = Recent(REMEMBERED)
        self._buckets: Recent[tuple[str, ...], TokenBucket] = Recent(REMEMBERED)

    def judge(self, happening: Happening) -> Verdict | None:
        """How to write it; None where it is one too many."""
        similar = self._similar.get(happening.similar)
        if similar is None or happening.at - similar.last > SIMILAR_SECONDS:
            similar = _Similar()
            self._similar.put(happening.similar, similar)
        similar.last = happening.at
        similar.messages[happening.message] = None
        verdict = Verdict(happening.same, happening.message)
        if len(similar.messages) >= SIMILAR_LIMIT:
            del similar.messages[next(iter(similar.messages))]
            verdict = Verdict(happening.similar, COMBINED + happening.message)
        bucket = self._buckets.get(happening.about)
        if bucket is None:
            bucket = TokenBucket(SPAM_RATE, SPAM_BURST, self._clock)
            self._buckets.put(happening.about, bucket)
        return verdict if bucket.take() else None


class EventRecorder:
    """Writes the events of one component, in the order they were told."""

    def __init__(self, client: Client, clock: Clock, tasks: Tasks, component: str, host: str = "") -> None:
        self._client = client
        self._clock = clock
        self._component = component
        self._host = host
        self._correlator = Correlator(clock)
        self._written: Recent[tuple[str, ...], Written] = Recent(REMEMBERED)
        self._queue: deque[Happening] = deque()
        self._full = asyncio.Event()
        self._last_stamp = 0
        tasks.spawn(self._run(), name=f"events of {component}")

    def event(
        self, subject: View | Mapping[str, Any], type: str, reason: str, message: str,  # noqa: A002
        annotations: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        """Tell that `reason` happened to an object, given as its view or as an ObjectReference."""
        if len(self._queue) >= QUEUE_LENGTH:
            return
        reference = self._reference(subject) if isinstance(subject, View) else dict(subject)
        log.debug("Event occurred", object=_shown(reference), kind=reference.get("kind"), type=type, reason=reason,
                 message=message)  # fmt: skip
        self._queue.append(Happening(reference, type, reason, message, self._clock.now(), annotations or {}))
        self._full.set()

    def _reference(self, view: View) -> JsonObject:
        meta = view.metadata
        raw = view.raw
        resource = None if raw.get("kind") else self._client.resource(type(view))
        reference = {
            "kind": raw.get("kind") or (resource.name if resource else ""),
            "namespace": meta.namespace,
            "name": meta.name,
            "uid": meta.uid,
            "apiVersion": raw.get("apiVersion") or (resource.api_version if resource else ""),
            "resourceVersion": meta.resourceVersion,
        }
        return {name: value for name, value in reference.items() if value}

    async def _run(self) -> None:
        while True:
            while self._queue:
                happening = self._queue.popleft()
                verdict = self._correlator.judge(happening)
                if verdict is not None:
                    await self._write(happening, verdict)
            self._full.clear()
            await self._full.wait()

    async def _write(self, happening: Happening, verdict: Verdict) -> None:
        """Write it, or give up after some attempts: an event is never worth more."""
        backoff = Backoff(Growth(first=1.0, limit=10.0))
        for _ in range(ATTEMPTS):
            try:
                known = self._written.get(verdict.key)
                if known is None or not await self._count(known, happening, verdict):
                    self._written.put(verdict.key, await self._create(happening, verdict))
            except AlreadyExists:
                continue
            except StatusError as error:
                if error.code < 500 and error.code != 429:
                    log.warning("Server rejected event, it is dropped", reason=happening.reason, err=error.message)
                    return
            except (OSError, TimeoutError) as error:
                log.debug("Unable to write event", reason=happening.reason, err=str(error))
            else:
                return
            await self._clock.sleep(backoff.next())

    async def _count(self, known: Written, happening: Happening, verdict: Verdict) -> bool:
        """Raise the count of the event that stands for it. False when that is gone."""
        change = {"count": known.count + 1, "lastTimestamp": format_time(happening.at), "message": verdict.message}
        try:
            await self._client.patch(Event, known.name, known.namespace, change)
        except NotFound:
            return False
        known.count += 1
        return True

    async def _create(self, happening: Happening, verdict: Verdict) -> Written:
        namespace = happening.reference.get("namespace") or "default"
        self._last_stamp = max(self._last_stamp + 1, int(happening.at * 1_000_000_000))
        name = f"{happening.reference.get('name') or ''}.{self._last_stamp:x}"
        source = {"component": self._component, **({"host": self._host} if self._host else {})}
        stamp = format_time(happening.at)
        manifest: JsonObject = {
            "metadata": {"name": name, "namespace": namespace, **_annotated(happening.annotations)},
            "involvedObject": happening.reference,
            "reason": happening.reason,
            "message": verdict.message,
            "source": source,
            "firstTimestamp": stamp,
            "lastTimestamp": stamp,
            "count": 1,
            "type": happening.type,
            "eventTime": None,
            "reportingComponent": self._component,
            "reportingInstance": self._host,
        }
        await self._client.create(Event, manifest, namespace)
        return Written(name, namespace, 1)


def _annotated(annotations: Mapping[str, str]) -> JsonObject:
    return {"annotations": dict(annotations)} if annotations else {}


def _shown(reference: Mapping[str, Any]) -> str:
    namespace = reference.get("namespace")
    name = reference.get("name") or ""
    return f"{namespace}/{name}" if namespace else str(name)
