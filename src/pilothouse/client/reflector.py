"""Reflector: keeps a copy of one kind up to date, by a list and then a watch from there.

A state machine of two states. LISTING: read everything, hand it over, go on WATCHING from that revision. WATCHING:
hand over changes; when the stream ends, watch again from the last revision seen; when the server has forgotten that
revision (410), list again; also when it has not come that far, as after a backup was put back. Whatever fails waits a
growing, jittered time. Upstream: client-go tools/cache/reflector.go.
"""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from pilothouse.api.machinery.errors import Expired, Gone, StatusError, TooManyRequests, is_too_large
from pilothouse.api.machinery.view import View
from pilothouse.client.client import Client, Kind, Page, WatchEvent
from pilothouse.runtime.backoff import Backoff, Growth
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log

V = TypeVar("V", bound=View)

GROWTH = Growth(first=0.8, limit=30.0, jitter=1.0)
CALM_AFTER = 120.0
"""A back-off that was not needed for so long begins anew."""
SHORTEST_WATCH = 1.0
"""A stream that ends earlier and brought nothing counts as a failure."""
WATCH_SECONDS = 300

log = Log(__name__)


class Sink(Protocol[V]):
    """Who keeps the copy."""

    def replace(self, page: Page[V]) -> None:
        """This is all there is."""
        ...

    def change(self, event: WatchEvent[V]) -> None:
        """One object was added, modified or deleted."""
        ...


@dataclass(frozen=True, slots=True)
class Selection(Generic[V]):
    """Which objects to reflect."""

    kind: Kind[V]
    namespace: str = ""
    labels: str = ""
    fields: str = ""


class Reflector(Generic[V]):
    """Runs until cancelled. `revision` is that of the last thing seen; empty means to list before watching."""

    def __init__(
        self, client: Client, selection: Selection[V], sink: Sink[V], clock: Clock, chance: Chance | None = None
    ) -> None:
        self._client = client
        self._selection = selection
        self._sink = sink
        self._clock = clock
        self._chance = chance
        self._backoff = Backoff(GROWTH, chance)
        self._last_wait = clock.monotonic()
        self._list_from = "0"
        self.revision = ""

    async def run(self) -> None:
        """List and watch for ever."""
        name = self._client.resource(self._selection.kind).qualified_name
        while True:
            try:
                if self.revision:
                    await self._watch()
                else:
                    await self._list()
            except (Expired, Gone):
                self._forget()
            except TooManyRequests:
                await self._wait()
            except StatusError as error:
                log.warning("Failed to list or watch", resource=name, code=error.code, err=error.message)
                if is_too_large(error):
                    self.revision = self._list_from = ""
                await self._wait()
            except (OSError, TimeoutError) as error:
                log.debug("No connection", resource=name, err=str(error))
                await self._wait()

    async def _list(self) -> None:
        chosen = self._selection
        page = await self._client.list(
            chosen.kind, chosen.namespace, labels=chosen.labels, fields=chosen.fields, resource_version=self._list_from
        )
        self._sink.replace(page)
        self.revision = self._list_from = page.resource_version

    async def _watch(self) -> None:
        chosen = self._selection
        began = self._clock.monotonic()
        seen = 0
        seconds = WATCH_SECONDS + (self._chance.below(WATCH_SECONDS) if self._chance else 0)
        async with self._client.watch(
            chosen.kind,
            chosen.namespace,
            resource_version=self.revision,
            labels=chosen.labels,
            fields=chosen.fields,
            timeout_seconds=seconds,
        ) as events:
            async for event in events:
                seen += 1
                if event.type != "BOOKMARK":
                    self._sink.change(event)
                self.revision = self._list_from = event.object.metadata.resourceVersion
        if not seen and self._clock.monotonic() - began < SHORTEST_WATCH:
            await self._wait()

    def _forget(self) -> None:
        """What we knew is too old. A second time in a row even a list of that age is refused: ask for the newest."""
        if not self.revision:
            self._list_from = ""
        self.revision = ""

    async def _wait(self) -> None:
        now = self._clock.monotonic()
        if now - self._last_wait > CALM_AFTER:
            self._backoff.reset()
        await self._clock.sleep(self._backoff.next())
        self._last_wait = self._clock.monotonic()
