"""Operations: what one API server runs beside answering requests, and the steps of the chain that belong to it.

Audit, priority and fairness, and how far the server is. An async context manager that is open while the server serves.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Self

from pilothouse.apiserver.allocation.address_objects import AddressObjects
from pilothouse.apiserver.audit.backend import AuditLog
from pilothouse.apiserver.audit.policy import load_policy
from pilothouse.apiserver.bootstrap.default_range import ensure_default_range, keep_default_range
from pilothouse.apiserver.bootstrap.objects import make_objects
from pilothouse.apiserver.bootstrap.rbac_policy import make_policy
from pilothouse.apiserver.certificates import renew
from pilothouse.apiserver.config import ApiServerConfig
from pilothouse.apiserver.flowcontrol.control import FlowControl
from pilothouse.apiserver.flowcontrol.metrics import FlowMetrics
from pilothouse.apiserver.flowcontrol.upkeep import CONSUMER, PRODUCER, ensure, keep_up
from pilothouse.apiserver.handlers.audit import Auditing, identify
from pilothouse.apiserver.handlers.framework import Step
from pilothouse.apiserver.handlers.priority import priority
from pilothouse.apiserver.health import Lifecycle
from pilothouse.apiserver.server import ApiServer
from pilothouse.apiserver.user import User
from pilothouse.client.client import Client
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HandlerTransport
from pilothouse.net.tls import ServerTls
from pilothouse.runtime.tasks import Tasks

SYSTEM_NAMESPACES = "start-system-namespaces-controller"
PRIORITY_CLASSES = "scheduling/bootstrap-system-priority-classes"
ROLES = "rbac/bootstrap-roles"
PRIORITY_AND_FAIRNESS = "priority-and-fairness-config-producer"
SERVICE_RANGE = "start-kubernetes-service-cidr-controller"
HOOKS = (SYSTEM_NAMESPACES, PRIORITY_CLASSES, ROLES, PRIORITY_AND_FAIRNESS, SERVICE_RANGE)
"""What a server does when it starts, as upstream's health checks name it."""


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
        self.life = Lifecycle(HOOKS)
        self.outer: tuple[Step, ...] = (identify(server.chance),)
        """Steps before the deadline."""
        self.audit: tuple[Step, ...] = ()
        """Steps after authentication."""

    async def __aenter__(self) -> Self:
        try:
            self.tasks = await self._stack.enter_async_context(Tasks())
            await self._open_audit()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    async def begin(self, client: Client, itself: User) -> None:
        """Make what every cluster begins with. Requests can be answered by now, but the door is closed."""
        await make_objects(client)
        self.life.done(SYSTEM_NAMESPACES)
        self.life.done(PRIORITY_CLASSES)
        await make_policy(client, self._server.clock)
        self.life.done(ROLES)
        producer, consumer = self._client(itself, PRODUCER), self._client(itself, CONSUMER)
        await ensure(producer, self._server.clock)
        self.life.done(PRIORITY_AND_FAIRNESS)
        self.tasks.spawn(keep_up(producer, consumer, self._flows, self._server.clock), name="flow control")
        await self._begin_addresses(client)

    async def _begin_addresses(self, client: Client) -> None:
        """Have the objects about cluster IPs say what is so."""
        cidrs, cache, clock = (self._config.service_cidr,), self._server.cache, self._server.clock
        await ensure_default_range(client, cidrs, clock)
        self.life.done(SERVICE_RANGE)
        self.tasks.spawn(keep_default_range(client, cache, cidrs, clock), name="default ServiceCIDR")
        self.tasks.spawn(AddressObjects(cache, client, clock).keep(), name="IPAddresses")

    def keep_trusted(self, tls: ServerTls) -> None:
        """Read certificates again when their files change."""
        files = self._config.certificates
        if files is not None:
            self.tasks.spawn(renew(files, tls, self._server.clock), name="certificates")

    @asynccontextmanager
    async def serving_on(self) -> AsyncIterator[None]:
        """On leaving, serve on for a while: nobody sends new clients by now, but some do not know yet."""
        try:
            yield
        finally:
            await self._server.clock.sleep(self._config.shutdown_delay)

    async def until_cancelled(self) -> None:
        """Wait until the server is to end; it then says that it is not ready."""
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.life.ending = True

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
