"""Cluster: an API server and controllers in one event loop, on the store in memory.

For tests of controllers and operators. Under the virtual-time loop of `testing.loop` a day passes in a second, and the
same seed gives the same history, byte for byte. Everything talks to the API server through the same handler that the
front door calls; only the sockets are missing.
"""

from collections.abc import Iterable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from pilothouse.api.catalogue import Catalogue, builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.server import ApiServer
from pilothouse.apiserver.user import MASTERS_GROUP, User, service_account_user
from pilothouse.client.client import Client
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HandlerTransport
from pilothouse.reconcile.controller import Controller
from pilothouse.reconcile.runner import run_all
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.tasks import Tasks
from pilothouse.store.memory import MemoryStore

ADMIN = User("kubernetes-admin", (MASTERS_GROUP,))
CONTROLLER_MANAGER = User("system:kube-controller-manager")


class Cluster:
    """An async context manager: inside, the cluster runs. `controllers` are the classes to run."""

    def __init__(
        self,
        clock: Clock,
        chance: Chance,
        *,
        controllers: Iterable[type[Controller]] = (),
        catalogue: Catalogue | None = None,
        schemas: Schemas | None = None,
    ) -> None:
        self.clock = clock
        self.chance = chance
        self.catalogue = catalogue or builtin()
        self.store = MemoryStore(clock)
        self.server = ApiServer(self.store, self.catalogue, schemas or Schemas(), clock, chance)
        self._controllers = tuple(controllers)
        self._memo = Memo()
        self._stack = AsyncExitStack()

    def client(self, user: User = ADMIN, *, agent: str = "test") -> Client:
        """A client that acts as `user`."""
        transport = HandlerTransport(self.server.handle, user)
        return Client(transport, self.catalogue, self.clock, agent=agent, memo=self._memo)

    async def __aenter__(self) -> Self:
        self.server.assemble()
        await self._stack.enter_async_context(self.store)
        await self._stack.enter_async_context(self.server)
        tasks = await self._stack.enter_async_context(Tasks())
        run_all(self._controllers, self._account, self.clock, self.chance, tasks)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    def _account(self, name: str) -> Client:
        """The client of a controller's service account, or of the controller manager itself."""
        if not name:
            return self.client(CONTROLLER_MANAGER, agent="kube-controller-manager")
        return self.client(service_account_user("kube-system", name, ""), agent="kube-controller-manager")
