"""Operations: what one API server runs beside answering requests, and the steps of the chain that belong to it.

Audit, and priority and fairness. An async context manager that is open while the server serves.
"""

from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from pilothouse.apiserver.audit.backend import AuditLog
from pilothouse.apiserver.audit.policy import load_policy
from pilothouse.apiserver.config import ApiServerConfig
from pilothouse.apiserver.flowcontrol.control import FlowControl
from pilothouse.apiserver.flowcontrol.metrics import FlowMetrics
from pilothouse.apiserver.flowcontrol.upkeep import CONSUMER, PRODUCER, ensure, keep_up
from pilothouse.apiserver.handlers.audit import Auditing, identify
from pilothouse.apiserver.handlers.framework import Step
from pilothouse.apiserver.handlers.priority import priority
from pilothouse.apiserver.server import ApiServer
from pilothouse.apiserver.user import User
from pilothouse.client.client import Client
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HandlerTransport
from pilothouse.runtime.tasks import Tasks


class Operations:
    """Of one server. Entering raises PolicyError for an audit policy that is none."""

    def __init__(self, config: ApiServerConfig, server: ApiServer) -> None:
        self._config = config
        self._server = server
        self._stack = AsyncExitStack()
        self._flows = FlowControl(server.cache, server.clock, config.seats)
        server.metrics.registry.register(FlowMetrics(self._flows))
        self.priority = priority(self._flows, server.cache, server.served.catalogue, server.clock)
        """The step after impersonation: is it their turn?"""
        self.outer: tuple[Step, ...] = (identify(server.chance),)
        """Steps before the deadline."""
        self.audit: tuple[Step, ...] = ()
        """Steps after authentication."""

    async def __aenter__(self) -> Self:
        try:
            self._tasks = await self._stack.enter_async_context(Tasks())
            await self._open_audit()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    async def begin(self, itself: User) -> None:
        """Make what priority and fairness begins with, and keep it so. Requests can be answered by now."""
        producer, consumer = self._client(itself, PRODUCER), self._client(itself, CONSUMER)
        await ensure(producer, self._server.clock)
        self._tasks.spawn(keep_up(producer, consumer, self._flows, self._server.clock), name="flow control")

    async def _open_audit(self) -> None:
        wanted, server = self._config.audit, self._server
        if wanted is None:
            return
        policy = load_policy(wanted.policy)
        log = AuditLog(wanted.log, wanted.rotation, wanted.mode, server.clock)
        auditing = Auditing(policy, await self._stack.enter_async_context(log), server.clock)
        server.metrics.registry.register(auditing)
        self.outer = (*self.outer, auditing.conclude)
        self.audit = (auditing.audit,)

    def _client(self, user: User, agent: str) -> Client:
        transport = HandlerTransport(self._server.handle, user)
        return Client(transport, self._server.served.catalogue, self._server.clock, agent=agent, memo=Memo())
