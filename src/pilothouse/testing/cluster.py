"""Cluster: an API server, controllers, scheduler and simulated nodes in one event loop, on the store in memory.

For tests of controllers and operators. `Cluster(clock, chance, manager=ControllersConfig())` is whole: access is
controlled, admission plugins run, each controller acts as its service account. With `controllers` alone the server is
bare and runs just those. Under the virtual-time loop of `testing.loop` an hour passes in a second or two, and the same
seed gives the same history, byte for byte. Everything talks to the API server through the same handler that the front
door calls; only the sockets are missing.
"""

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

from pilothouse.api.catalogue import Catalogue, builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.admission.chain import AdmissionChain
from pilothouse.apiserver.allocation.address_objects import AddressObjects
from pilothouse.apiserver.allocation.services import ServiceAllocation
from pilothouse.apiserver.authentication.in_process import InProcessAuthenticator
from pilothouse.apiserver.authorization.escalation import Escalation
from pilothouse.apiserver.authorization.framework import Chain, Masters
from pilothouse.apiserver.authorization.node import NodeAuthorizer
from pilothouse.apiserver.authorization.rbac import Rbac
from pilothouse.apiserver.bootstrap.cluster_roles import CLUSTER_ROLES
from pilothouse.apiserver.bootstrap.default_range import ensure_default_range
from pilothouse.apiserver.bootstrap.notation import rules
from pilothouse.apiserver.bootstrap.objects import make_objects
from pilothouse.apiserver.bootstrap.rbac_policy import make_policy
from pilothouse.apiserver.flowcontrol.control import FlowControl
from pilothouse.apiserver.flowcontrol.upkeep import CONSUMER, PRODUCER, ensure, keep_up
from pilothouse.apiserver.handlers.authenticate import authenticate
from pilothouse.apiserver.handlers.authorize import authorize
from pilothouse.apiserver.handlers.impersonate import impersonate
from pilothouse.apiserver.handlers.priority import priority
from pilothouse.apiserver.reviews.access import AccessReviews
from pilothouse.apiserver.server import ApiServer
from pilothouse.apiserver.user import MASTERS_GROUP, User, service_account_user
from pilothouse.client.client import Client
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HandlerTransport
from pilothouse.controllers.main import ControllersConfig
from pilothouse.controllers.main import run as run_controllers
from pilothouse.reconcile.controller import Controller
from pilothouse.reconcile.runner import run_all
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.tasks import Tasks
from pilothouse.scheduler.main import SchedulerConfig
from pilothouse.scheduler.main import run as run_scheduler
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.simulated_node import SimulatedNodes, SimulatedNodesConfig

ADMIN = User("kubernetes-admin", (MASTERS_GROUP,))
CONTROLLER_MANAGER = User("system:kube-controller-manager")
SCHEDULER = User("system:kube-scheduler")
NODE_PORTS = (30000, 32767)


class Cluster:
    """An async context manager: inside, the cluster runs.

    `controllers` are classes to run on a bare server; `manager` runs the controller manager on a guarded one.
    With `fair` such a server also has priority and fairness, and the objects that go with it.
    `scheduler` runs the scheduler; `nodes` are simulated, and `cluster.nodes` lets one fall silent.
    """

    def __init__(
        self,
        clock: Clock,
        chance: Chance,
        *,
        controllers: Iterable[type[Controller]] = (),
        manager: ControllersConfig | None = None,
        scheduler: SchedulerConfig | None = None,
        nodes: int | SimulatedNodesConfig = 0,
        fair: bool = False,
        catalogue: Catalogue | None = None,
        schemas: Schemas | None = None,
    ) -> None:
        self.clock = clock
        self.chance = chance
        self.catalogue = catalogue or builtin()
        self.store = MemoryStore(clock)
        self._schemas = schemas or Schemas()
        self.server = ApiServer(self.store, self.catalogue, self._schemas, clock, chance)
        self._memo = Memo()
        self._working = Memo(managed_fields=False)
        self._controllers = tuple(controllers)
        self._fair = fair
        self.flows: FlowControl | None = None
        # Alone in their cluster, they need no lease, whose renewals would be most of what happens.
        self._manager = None if manager is None else replace(manager, leader_elect=False)
        self._scheduler = None if scheduler is None else replace(scheduler, leader_elect=False)
        config = SimulatedNodesConfig(count=nodes) if isinstance(nodes, int) else nodes
        self.nodes = SimulatedNodes(config, self.client(agent="kubelet"), clock, chance)
        self._stack = AsyncExitStack()

    def client(self, user: User = ADMIN, *, agent: str = "test") -> Client:
        """A client that acts as `user`."""
        return self._client(user, agent, self._memo)

    def _client(self, user: User, agent: str, memo: Memo) -> Client:
        transport = HandlerTransport(self.server.handle, user)
        return Client(transport, self.catalogue, self.clock, agent=agent, memo=memo)

    async def __aenter__(self) -> Self:
        enter = self._stack.enter_async_context
        self._assemble()
        await enter(self.store)
        await enter(self.server)
        tasks = await enter(Tasks())
        run_all(self._controllers, self._account, self.clock, self.chance, tasks)
        if self._manager is not None:
            await self._begin(self._manager, tasks)
        if self._scheduler is not None:
            client = self._client(SCHEDULER, "kube-scheduler", self._working)
            work = run_scheduler(self._scheduler, client, self.clock, self.chance)
            tasks.spawn(work, name="scheduler")
        if self.nodes.names:
            await self.nodes.start(tasks)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    def _assemble(self) -> None:
        server, cache = self.server, self.server.cache
        if self._manager is None:
            server.assemble()
            return
        pools = ServiceAllocation(cache, self._manager.service_cidr, NODE_PORTS, self.chance)
        rbac = Rbac(cache)
        may = Chain([Masters(), NodeAuthorizer(cache, rules(*CLUSTER_ROLES["system:node"])), rbac])
        if self._fair:
            self.flows = FlowControl(cache, self.clock)
        access = AccessReviews(may, rbac, self._schemas)
        fair = [priority(self.flows, cache, self.catalogue, self.clock)] if self.flows is not None else []
        server.assemble(
            steps=(authenticate(InProcessAuthenticator(), anonymous=False), impersonate(may), *fair, authorize(may)),
            admission=AdmissionChain.of(server.served, may, self.clock, self.chance),
            guard=Escalation(rbac, may).check,
            allocate=pools.allocate,
            reviews={("authorization.k8s.io", "subjectaccessreviews"): access.of_subject},
        )

    async def _begin(self, manager: ControllersConfig, tasks: Tasks) -> None:
        """Make what a cluster begins with, and wait until the controllers lead."""
        await make_objects(self.client())
        await make_policy(self.client(), self.clock)
        await ensure_default_range(self.client(), manager.service_cidr, self.clock)
        addresses = AddressObjects(self.server.cache, self.client(agent="kube-apiserver"), self.clock)
        tasks.spawn(addresses.keep(), name="IPAddresses")
        if self.flows is not None:
            producer, consumer = self.client(agent=PRODUCER), self.client(agent=CONSUMER)
            await ensure(producer, self.clock)
            tasks.spawn(keep_up(producer, consumer, self.flows, self.clock), name="flow control")
        leading = asyncio.Event()
        work = run_controllers(manager, self._account, self.clock, self.chance, leading.set)
        tasks.spawn(work, name="controller manager")
        await leading.wait()

    def _account(self, name: str) -> Client:
        """The client of a controller's service account, or of the controller manager itself."""
        user = service_account_user("kube-system", name, "") if name else CONTROLLER_MANAGER
        return self._client(user, "kube-controller-manager", self._working)
