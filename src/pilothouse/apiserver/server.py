"""ApiServer: everything between a Request and its Response, built top-down.

`async with ApiServer(...) as server` loads the watch cache; `server.handle` is what the front door and the in-process
transport call.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from types import TracebackType
from typing import Self

from pilothouse.api.catalogue import Catalogue
from pilothouse.api.machinery.errors import BadRequest
from pilothouse.api.machinery.openapi import Documents
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.answers import error_response
from pilothouse.apiserver.discovery import Discovery
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.handlers.compress import compress
from pilothouse.apiserver.handlers.deadline import deadline
from pilothouse.apiserver.handlers.encode import encode
from pilothouse.apiserver.handlers.framework import Step, chained
from pilothouse.apiserver.handlers.measure import RequestMetrics
from pilothouse.apiserver.handlers.recover import recover
from pilothouse.apiserver.health import Check, Health
from pilothouse.apiserver.pages import Pages
from pilothouse.apiserver.pipeline.commit import EVENT_TTL
from pilothouse.apiserver.pipeline.deletion import Deletion
from pilothouse.apiserver.pipeline.pipeline import Admission, Allocate, Guard, Pipeline
from pilothouse.apiserver.pipeline.write import Write
from pilothouse.apiserver.registry.object_metrics import ObjectMetrics
from pilothouse.apiserver.registry.served import Served
from pilothouse.apiserver.registry.watch_cache import WatchCache
from pilothouse.apiserver.request_info import parse_request_info
from pilothouse.apiserver.routes import Page, Part, Review, Routes
from pilothouse.apiserver.subresources.binding import Binding
from pilothouse.apiserver.subresources.eviction import Eviction
from pilothouse.apiserver.subresources.scale import Scaling
from pilothouse.apiserver.user import ANONYMOUS, UNAUTHENTICATED_GROUP, User
from pilothouse.apiserver.verbs.change import Changing
from pilothouse.apiserver.verbs.read import Reader
from pilothouse.apiserver.verbs.shape import Shaper
from pilothouse.apiserver.verbs.watch import Watching
from pilothouse.apiserver.version import GIT_VERSION
from pilothouse.net.http import Request, Response
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.metrics import Metrics
from pilothouse.runtime.slow_lane import SlowLane
from pilothouse.store.interface import Store

_NOBODY = User(ANONYMOUS, (UNAUTHENTICATED_GROUP,))


class AdmitAll:
    """The admission chain without plugins."""

    async def mutate(self, write: Write) -> None:
        """Change nothing."""

    async def validate(self, write: Write) -> None:
        """Accept."""


def permit(_write: Write) -> None:
    """Guard nothing."""


def allocate_nothing(_write: Write) -> AbstractAsyncContextManager[None]:
    """Allocate for kinds that need nothing allocated."""
    return nullcontext()


class ApiServer:
    """One API server on one store.

    `steps` stand between the deadline and the routes: who is it, may they. `outer` stand before the deadline.
    """

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        schemas: Schemas,
        clock: Clock,
        chance: Chance,
        *,
        address: str = "",
    ) -> None:
        self.clock = clock
        self.chance = chance
        self.metrics = Metrics()
        self._measured = RequestMetrics(clock, catalogue)
        self.metrics.registry.register(self._measured)
        self.cache = WatchCache(store, catalogue, clock)
        self.metrics.registry.register(ObjectMetrics(self.cache, catalogue))
        self.served = Served(catalogue, schemas, self.cache)
        self._address = address
        self._lane = SlowLane()
        self._chain = chained((recover,), self._not_ready)
        self._stack = AsyncExitStack()

    def assemble(
        self,
        *,
        outer: Sequence[Step] = (),
        steps: Sequence[Step] = (),
        admission: Admission | None = None,
        guard: Guard = permit,
        allocate: Allocate = allocate_nothing,
        parts: Mapping[tuple[str, str], Part] | None = None,
        reviews: Mapping[tuple[str, str], Review] | None = None,
        live: Mapping[str, Check] | None = None,
        ready: Mapping[str, Check] | None = None,
        event_ttl: float = EVENT_TTL,
        pages: Mapping[str, tuple[str, bytes]] | None = None,
        roots: Mapping[str, Page] | None = None,
    ) -> None:
        """Build what answers. Apart from the constructor, because plugins look at the cache and write through us."""
        served, clock = self.served, self.clock
        shaper = Shaper(served, clock)
        admitted = admission or AdmitAll()
        pipeline = Pipeline(served, admitted, guard, allocate, clock, self.chance, event_ttl)
        deletion = Deletion(served, pipeline, admitted, clock)
        scaling = Scaling(served, pipeline)
        binding = Binding(served, pipeline, clock)
        own: dict[tuple[str, str], Part] = {
            ("scale", "get"): scaling.get,
            ("scale", "update"): scaling.update,
            ("scale", "patch"): scaling.patch,
            ("pods/binding", "create"): binding.create,
            ("pods/eviction", "create"): Eviction(served, pipeline, deletion, admitted, clock).create,
        }
        watching = Watching(served, shaper, clock, self.chance)
        self._measured.watched = watching.sent
        routes = Routes(
            served,
            Reader(served, shaper),
            watching,
            Changing(served, shaper, pipeline, deletion),
            parts=own | dict(parts or {}),
            reviews={("", "bindings"): binding.create_by_body} | dict(reviews or {}),
            pages={**self._pages(live or {}, ready or {}, pages or {}).by_root(), **(roots or {})},
        )
        self.routes = routes
        self._chain = chained(
            (self._measured.step, encode, recover, *outer, deadline(clock), compress(clock), *steps), routes.answer
        )

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._lane)
        tasks = await self._stack.enter_async_context(asyncio.TaskGroup())
        await self._stack.enter_async_context(self.cache.running(tasks))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    async def handle(self, request: Request) -> Response:
        """Answer one request. Raises nothing."""
        try:
            info = parse_request_info(request.method, request.target)
        except BadRequest as error:
            return error_response(error)
        return await self._chain(Exchange(request, info, self.clock.now(), _NOBODY, lane=self._lane))

    def _pages(
        self, live: Mapping[str, Check], ready: Mapping[str, Check], more: Mapping[str, tuple[str, bytes]]
    ) -> Pages:
        catalogue = self.served.catalogue
        documents = Documents(self.served.schemas, catalogue, GIT_VERSION)
        return Pages(
            documents,
            Discovery(catalogue, self._address),
            Health({"etcd": self._store_health, **live}, ready),
            self.metrics,
            more,
        )

    def _store_health(self) -> str:
        """The check that upstream names for its store, whichever store it is."""
        return self.cache.trouble

    async def _not_ready(self, _exchange: Exchange) -> Response:
        return Response(503, b"the server is starting\n", {"Retry-After": "1"}, "text/plain; charset=utf-8")
