"""Steps: what a request is known by, and what is recorded of it.

Three, as upstream's chain has them: `identify` gives every request its Audit-ID, which the answer repeats; `conclude`
stands before authentication, and records what failed there, or ran out of time; `audit` stands after it, and records
all else: the request as it comes, an answer that lasts as it begins, and the end. Source:
apiserver/pkg/endpoints/filters/{with_auditid,audit,authn_audit,request_deadline}.go.
"""

import asyncio
from collections.abc import Awaitable, Iterable

from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from pilothouse.api.machinery.errors import InternalError, StatusError, Unauthorized
from pilothouse.apiserver.audit.backend import Backend, Mode
from pilothouse.apiserver.audit.policy import COMPLETE, LEVEL_NAMES, LEVELS, PANIC, RECEIVED, STARTED, Level, Policy
from pilothouse.apiserver.audit.record import Record
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.handlers.bodies import Ending, when_over
from pilothouse.apiserver.handlers.deadline import is_lasting
from pilothouse.apiserver.handlers.framework import Next, Step
from pilothouse.apiserver.handlers.recover import status_of
from pilothouse.apiserver.user import User
from pilothouse.net.answer import dispose
from pilothouse.net.http import Response
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock

HEADER = "Audit-ID"
_UNAUDITED = "unaudited"
"""Among the facts of a request that the policy does not want recorded."""


def identify(chance: Chance) -> Step:
    """Make the step that gives requests their ids, unless they bring one."""

    def step(exchange: Exchange, following: Next) -> Awaitable[Response]:
        exchange.audit_id = exchange.header("audit-id") or chance.uid()
        exchange.answer_headers = {HEADER: exchange.audit_id}
        return following(exchange)

    return step


class Auditing(Collector):
    """The steps that record, and what they count."""

    def __init__(self, policy: Policy, backend: Backend, clock: Clock) -> None:
        self._policy = policy
        self._backend = backend
        self._clock = clock
        self._levels = dict.fromkeys(LEVEL_NAMES, 0)
        self._events = 0
        self._rejected = 0

    async def conclude(self, exchange: Exchange, following: Next) -> Response:
        """The step before authentication."""
        try:
            return await following(exchange)
        except StatusError as error:
            record = exchange.audit
            if record is None:
                if _UNAUDITED not in exchange.request.facts:
                    await self._early(exchange, error)
            elif not record.done:  # it ran out of time
                record.refused(error)
                self._finish(record, exchange)
                await self._settle()
            raise
        except asyncio.CancelledError:
            if exchange.audit is not None and not exchange.audit.done:
                exchange.audit.closed_early()
                self._finish(exchange.audit, exchange)
            raise

    async def audit(self, exchange: Exchange, following: Next) -> Response:
        """The step after authentication."""
        record = self._begin(exchange, exchange.user)
        if record is None:
            exchange.request.facts[_UNAUDITED] = True
            return await following(exchange)
        exchange.audit = record
        self._put(record, RECEIVED)
        if self._backend.mode is Mode.BLOCKING_STRICT and not await self._backend.settled():
            self._rejected += 1
            record.done = True
            raise InternalError("failed to store audit event")
        try:
            response = await following(exchange)
        except Exception as error:
            known = status_of(error, exchange.info)
            if known is not None:
                record.refused(known)
                self._finish(record, exchange)
            else:
                record.refused(InternalError(f"APIServer panic'd: {error}"))
                self._put(record, PANIC)
                record.done = True
            await self._settle()
            raise
        record.answered(response)
        self._follow(record, exchange, response)
        try:
            await self._settle()
        except BaseException:  # the client has left: nobody else knows of the answer
            await dispose(response)
            raise
        return response

    def collect(self) -> Iterable[Metric]:
        """What `/metrics` shows."""
        yield CounterMetricFamily(
            "apiserver_audit_event", "Audit events made and given to the backend.", value=self._events
        )
        errors = CounterMetricFamily("apiserver_audit_error", "Audit events that were lost.", labels=("plugin",))
        errors.add_metric(("log",), self._backend.failures)
        yield errors
        levels = CounterMetricFamily("apiserver_audit_level", "Requests by their audit level.", labels=("level",))
        for name, level in LEVELS.items():
            levels.add_metric((name,), self._levels[level])
        yield levels
        yield CounterMetricFamily(
            "apiserver_audit_requests_rejected", "Requests refused as they could not be audited.", value=self._rejected
        )

    def _begin(self, exchange: Exchange, user: User | None) -> Record | None:
        decision = self._policy.decide(user, exchange.info)
        self._levels[decision.level] += 1
        if decision.level is Level.NONE:
            return None
        return Record(decision, exchange.audit_id, exchange.request, exchange.info, user, exchange.received)

    async def _early(self, exchange: Exchange, error: StatusError) -> None:
        """A request that nobody is known to have made. It has one event."""
        record = self._begin(exchange, None)
        if record is not None:
            attempted = isinstance(error, Unauthorized)
            record.failed(_attempted(exchange) if attempted else error.message, error.code)
            self._put(record, STARTED)
            await self._settle()

    def _follow(self, record: Record, exchange: Exchange, response: Response) -> None:
        """Record the end when it comes: now, or when what lasts is over."""
        if when_over(response, lambda: self._put(record, COMPLETE), Ending):
            self._put(record, STARTED)
            record.done = True
        else:
            self._finish(record, exchange)

    def _finish(self, record: Record, exchange: Exchange) -> None:
        record.done = True
        if is_lasting(exchange.info):
            self._put(record, STARTED)
        self._put(record, COMPLETE)

    def _put(self, record: Record, stage: str) -> None:
        if stage not in record.decision.omitted:
            self._events += 1
            self._backend.put(record.event(stage, self._clock.now()))

    async def _settle(self) -> None:
        if self._backend.mode is not Mode.BATCH:
            await self._backend.settled()


def _attempted(exchange: Exchange) -> str:
    """How somebody tried to say who they are."""
    kind = exchange.header("authorization").partition(" ")[0].lower()
    methods = [kind] if kind in ("basic", "bearer") else []
    if exchange.request.peer.certificate is not None:
        methods.append("x509")
    if not methods:
        return "Authentication failed, no credentials provided"
    return f"Authentication failed, attempted: {', '.join(methods)}"
