"""An API server in a process of its own, on SQLite or etcd, and a user who asks it through TLS.

The user is an ordinary one, who gets her rights from RBAC: two bindings name her, two a group she is in.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import orjson

from measuring import process
from measuring.http2 import Http2Client
from pilothouse.client.kubeconfig import Access
from pilothouse.client.transport import HttpTransport
from pilothouse.cluster.addresses import free_port
from pilothouse.cluster.home import Home, private_directory
from pilothouse.cluster.pki import Pki
from pilothouse.cluster.settings import Settings
from pilothouse.net.pki import Authority, Usage
from pilothouse.net.tls import client_context
from pilothouse.runtime.clock import SystemClock

JSON = {"accept": "application/json", "content-type": "application/json"}
CLIENTS = 16
USER, GROUP = "jane", "developers"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"


class Server:
    """The server's process, and ways to ask it."""

    def __init__(self, pid: int, transport: HttpTransport) -> None:
        self.pid = pid
        self._transport = transport
        self.stream = transport.stream

    def cpu(self) -> float:
        """Seconds of CPU used so far."""
        return process.cpu(self.pid)

    async def ask(self, method: str, target: str, headers: dict[str, str] = JSON, body: object = None) -> bytes:
        """One request that must succeed."""
        sent = b"" if body is None else orjson.dumps(body)
        answer = await self._transport.send(method, target, headers, sent)
        if answer.status >= 300:
            raise RuntimeError(f"{method} {target}: {answer.status} {answer.body[:300]!r}")
        return answer.body

    async def cost(self, numbers: range, work: Callable[[int], Awaitable[object]]) -> float:
        """Seconds of the server's CPU for each of `numbers`, by sixteen clients."""
        left = iter(numbers)

        async def client() -> None:
            for number in left:
                await work(number)

        before = self.cpu()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(CLIENTS):
                tasks.create_task(client())
        return (self.cpu() - before) / len(numbers)

    async def best(self, rounds: int, count: int, work: Callable[[int], Awaitable[object]]) -> float:
        """The cost in the cheapest of some rounds; no number comes twice."""
        return min([await self.cost(range(each * count, (each + 1) * count), work) for each in range(rounds)])


class Begun:
    """A server that answers, and what it took to get there."""

    def __init__(self, home: Home, settings: Settings, child: subprocess.Popen[bytes], begin: float) -> None:
        self._pki = Pki(home, settings)
        self._home = home
        self._port = settings.port
        self.pid = child.pid
        ready = home.role("apiserver") / "ready"
        while not ready.exists():
            if child.poll() is not None:
                raise RuntimeError((home.logs / "apiserver.log").read_text())
            time.sleep(0.005)
        self.seconds = time.perf_counter() - begin
        self.cpu = process.cpu(child.pid)
        self.memory = process.memory(child.pid)

    def http2(self, user: str, *groups: str) -> Http2Client:
        """The server as a user sees it over HTTP/2. It must have been started to offer that."""
        directory = self._home.authority
        authority = Authority.load((directory / "ca.crt").read_bytes(), (directory / "ca.key").read_bytes())
        pair = authority.issue(user, groups, usage=Usage.CLIENT, now=SystemClock().now())
        context = client_context(self._pki.trusted("admin"), pair)
        context.set_alpn_protocols(["h2"])
        return Http2Client(self._port, context)

    def server(self, user: str = "", *groups: str) -> Server:
        """The server as a user sees it; as the administrator without one."""
        if not user:
            return Server(self.pid, self._pki.access("admin", "admin").transport(SystemClock()))
        directory = self._home.authority
        authority = Authority.load((directory / "ca.crt").read_bytes(), (directory / "ca.key").read_bytes())
        pair = authority.issue(user, groups, usage=Usage.CLIENT, now=SystemClock().now())
        trusted = self._pki.trusted("admin")
        access = Access(
            server=self._pki.server, authorities=trusted, certificate=pair.certificate, key=pair.key
        )  # fmt: skip
        return Server(self.pid, access.transport(SystemClock()))


@contextmanager
def serving(flags: Mapping[str, str] | None = None) -> Iterator[Begun]:
    """Start a server on an empty store; end it."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        home = Home(Path(place) / "home")
        settings = Settings(
            port=free_port(0), node=False, advertise="192.0.2.1", apiserver_flags=dict(flags or {})
        )  # fmt: skip
        private_directory(home.path)
        private_directory(home.logs)
        settings.save(home)
        Pki(home, settings).issue(SystemClock().now())
        begin = time.perf_counter()
        here = Path(__file__).parent.parent
        child = subprocess.Popen([sys.executable, "-m", "measuring.lone", str(home.path)], cwd=here)
        try:
            yield Begun(home, settings, child, begin)
        finally:
            child.terminate()
            child.wait()


async def prepare(server: Server) -> None:
    """Give the user her rights in the namespace `default`, by four bindings, and that namespace its account."""
    await server.ask("POST", "/api/v1/namespaces/default/serviceaccounts", body={"metadata": {"name": "default"}})
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole"}
    for number, (role, kind, name) in enumerate(
        (("edit", "User", USER), ("view", "User", USER), ("edit", "Group", GROUP), ("admin", "Group", GROUP))
    ):
        binding = {
            "metadata": {"name": f"bench-{number}"},
            "roleRef": {**reference, "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}],
        }
        await server.ask("POST", f"{_RBAC}/namespaces/default/rolebindings", body=binding)
    status = {"rules": [{"apiGroups": [""], "resources": ["pods/status"], "verbs": ["patch", "update"]}]}
    await server.ask("POST", f"{_RBAC}/clusterroles", body={"metadata": {"name": "bench-status"}, **status})
    binding = {
        "metadata": {"name": "bench-status"},
        "roleRef": {**reference, "name": "bench-status"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": GROUP}],
    }
    await server.ask("POST", f"{_RBAC}/clusterrolebindings", body=binding)
