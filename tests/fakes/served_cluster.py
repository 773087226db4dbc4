"""A cluster of ours behind TLS, in a thread: for clients that we did not write, and that block.

`Served` runs whatever coroutine it is given until it is told to stop. `serve_cluster` is the API server as its own
process would run it, with controllers and scheduler that talk to it over HTTPS, and simulated nodes.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import uvloop
import yaml

from pilothouse.api.catalogue import builtin
from pilothouse.apiserver import main as apiserver
from pilothouse.apiserver.config import ApiServerConfig, EtcdConfig
from pilothouse.client.account_tokens import AccountClients
from pilothouse.client.client import Client
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HttpTransport
from pilothouse.controllers import main as controllers
from pilothouse.controllers.main import ControllersConfig
from pilothouse.net.pki import Authority, KeyPair, Usage, new_signing_key
from pilothouse.net.server import Listening
from pilothouse.net.tls import client_context
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, SystemClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.scheduler import main as scheduler
from pilothouse.scheduler.main import SchedulerConfig
from pilothouse.testing import simulated_node
from pilothouse.testing.simulated_node import SimulatedNodesConfig
from pilothouse.testing.simulated_pod import Pace

_HOST = "127.0.0.1"
_PACE = Pace(start=0.05, ready=0.0, run=0.05, stop=0.05)
Ready = Callable[[int], None]
"""Told the port."""


class Served(threading.Thread):
    """Runs `work` in an event loop of its own; `port` is known once it is ready."""

    def __init__(self, work: Callable[[Ready], Awaitable[None]]) -> None:
        super().__init__(name="served", daemon=True)
        self._work = work
        self._ready = threading.Event()
        self.port = 0

    def begin(self, seconds: float = 60) -> None:
        """Start, and wait until it serves."""
        self.start()
        assert self._ready.wait(seconds), "it did not become ready"

    def run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self.join(10)
        assert not self.is_alive()

    async def _serve(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(self._whole())
            await self._ended.wait()
            serving.cancel()

    async def _whole(self) -> None:
        await self._work(self._opened)

    def _opened(self, port: int) -> None:
        self.port = port
        self._ready.set()


@dataclass(frozen=True)
class Keys:
    """Who may show what, all signed by one authority of the test's."""

    authority: Authority
    now: float

    @classmethod
    def new(cls) -> "Keys":
        now = SystemClock().now()
        return cls(Authority.create("test", now), now)

    def client(self, name: str, *groups: str) -> KeyPair:
        return self.authority.issue(name, groups, usage=Usage.CLIENT, now=self.now)

    def server(self, name: str) -> KeyPair:
        return self.authority.issue(name, addresses=(_HOST,), usage=Usage.SERVER, now=self.now)

    def config(
        self, directory: Path, *, disabled: tuple[str, ...] = (), etcd: EtcdConfig | None = None
    ) -> ApiServerConfig:
        """A server that listens on a free port."""
        return ApiServerConfig(
            state=directory / "state.db",
            etcd=etcd,
            serving=self.server("kube-apiserver"),
            client_authority=self.authority.certificate,
            kubelet_client=self.client("kube-apiserver-kubelet-client"),
            kubelet_authority=self.authority.certificate,
            service_account_key=new_signing_key(),
            host=_HOST,
            port=0,
            advertise_address="192.0.2.1",
            disabled_admission=disabled,
        )

    def kubeconfig(self, directory: Path, port: int) -> Path:
        """An administrator's, with its keys beside it."""
        admin = self.client("kubernetes-admin", "system:masters")
        files = {"ca.crt": self.authority.certificate, "admin.crt": admin.certificate, "admin.key": admin.key}
        for name, content in files.items():
            (directory / name).write_bytes(content)
        cluster = {"server": f"https://{_HOST}:{port}", "certificate-authority": str(directory / "ca.crt")}
        user = {"client-certificate": str(directory / "admin.crt"), "client-key": str(directory / "admin.key")}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "test", "user": user}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "current-context": "test",
        }
        path = directory / "kubeconfig"
        path.write_text(yaml.safe_dump(document))
        return path


class LeapingClock(SystemClock):
    """Goes as the system's does, but for the leaps that a test makes."""

    def __init__(self) -> None:
        super().__init__()
        self.leapt = 0.0

    def now(self) -> float:
        return super().now() + self.leapt

    def monotonic(self) -> float:
        return super().monotonic() + self.leapt


async def serve_api(config: ApiServerConfig, clock: Clock, ready: Ready) -> None:
    """The API server alone."""
    await apiserver.run(config, clock, Chance(), lambda listening: ready(listening.port))


async def serve_cluster(config: ApiServerConfig, keys: Keys, ready: Ready) -> None:
    """The API server and all that makes a cluster of it, with two imagined nodes."""
    clock, chance = SystemClock(), Chance()
    opened: asyncio.Future[Listening] = asyncio.get_running_loop().create_future()
    waiting = {"controllers", "scheduler", "nodes"}

    def access(pair: KeyPair | None) -> HttpTransport:
        tls = client_context(keys.authority.certificate, pair)
        return HttpTransport(f"https://{_HOST}:{opened.result().port}", clock, tls=tls)

    def client(agent: str, *groups: str) -> Client:
        return Client(access(keys.client(agent, *groups)), builtin(), clock, agent=agent, memo=Memo())

    def done(name: str) -> None:
        waiting.discard(name)
        if not waiting:
            ready(opened.result().port)

    async with Tasks() as tasks:
        tasks.spawn(apiserver.run(config, clock, chance, opened.set_result), name="api server")
        await opened
        manager = client("system:kube-controller-manager")
        accounts = AccountClients(manager, access(None), clock, agent="kube-controller-manager")
        settings = ControllersConfig(root_ca=keys.authority.certificate.decode(), leader_elect=False)
        tasks.spawn(controllers.run(settings, accounts, clock, chance, lambda: done("controllers")), name="controllers")
        binder = client("system:kube-scheduler")
        alone = SchedulerConfig(leader_elect=False)
        tasks.spawn(scheduler.run(alone, binder, clock, chance, lambda: done("scheduler")), name="scheduler")
        kubelets = client("test:simulated-nodes", "system:masters")
        two = SimulatedNodesConfig(count=2, pace=_PACE)
        tasks.spawn(simulated_node.run(two, kubelets, clock, chance, lambda: done("nodes")), name="nodes")
        await asyncio.Event().wait()
