"""An API server in a process of its own, on SQLite or etcd, the complete chain on, and a user who asks it through TLS.

What is on stands here alone: all that a server has by default (access control, priority and fairness, admission,
validation, managed fields), audit of every request, both protocols. As the server ends, the lines of its audit log are
held against what the user asked.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import islice
from pathlib import Path

import orjson

from measuring import process
from measuring.audit import Audit
from measuring.http2 import Http2Transport
from measuring.rights import GROUPS, USER, grant
from pilothouse.client.kubeconfig import Access
from pilothouse.client.transport import HttpTransport, StreamedAnswer
from pilothouse.cluster.addresses import free_port
from pilothouse.cluster.home import Home, private_directory
from pilothouse.cluster.pki import Pki
from pilothouse.cluster.settings import Settings
from pilothouse.net.pki import Authority, Usage
from pilothouse.net.tls import client_context
from pilothouse.runtime.clock import SystemClock

JSON = {"accept": "application/json", "content-type": "application/json"}
CLIENTS = 16
PATIENCE = 300.0


class Refused(Exception):
    """The server has too much to do."""


class Server:
    """The server's process, and ways to ask it."""

    def __init__(self, pid: int, transport: HttpTransport | Http2Transport) -> None:
        self.pid = pid
        self._transport = transport
        self.requests = self.streams = 0
        """How many were asked; streams are among both."""

    def cpu(self) -> float:
        """Seconds of CPU used so far."""
        return process.cpu(self.pid)

    async def ask(self, method: str, target: str, headers: dict[str, str] = JSON, body: object = None) -> bytes:
        """One request that must succeed. Raises Refused."""
        self.requests += 1
        sent = b"" if body is None else orjson.dumps(body)
        answer = await self._transport.send(method, target, headers, sent)
        if answer.status == 429:
            raise Refused
        if answer.status >= 300:
            raise RuntimeError(f"{method} {target}: {answer.status} {answer.body[:300]!r}")
        return answer.body

    @asynccontextmanager
    async def stream(self, target: str) -> AsyncIterator[StreamedAnswer]:
        """One watch."""
        self.requests += 1
        self.streams += 1
        async with self._transport.stream("GET", target, JSON) as answer:
            yield answer

    async def close(self) -> None:
        """Give the connections up."""
        await self._transport.close()

    async def cost(
        self, numbers: Iterator[int], count: int, work: Callable[["Server", int], Awaitable[object]], clients: int
    ) -> float:
        """Seconds of the server's CPU for each of the next of `numbers`, by some clients."""
        left = islice(numbers, count)

        async def client() -> None:
            for number in left:
                await work(self, number)

        before = self.cpu()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(clients):
                tasks.create_task(client())
        return (self.cpu() - before) / count


class Begun:
    """A server that answers, and what it took to get there."""

    def __init__(
        self, home: Home, settings: Settings, audit: Audit, child: subprocess.Popen[bytes], begin: float
    ) -> None:
        self._pki = Pki(home, settings)
        self._home = home
        self._port = settings.port
        self._audit = audit
        self._users: list[Server] = []
        self.audited = 0
        """How many requests the user made, once the server has ended and each is known to have left its line."""
        self.pid = child.pid
        ready = home.role("apiserver") / "ready"
        while not ready.exists():
            if child.poll() is not None:
                raise RuntimeError((home.logs / "apiserver.log").read_text())
            time.sleep(0.005)
        self.seconds = time.perf_counter() - begin
        self.cpu = process.cpu(child.pid)
        self.memory = process.memory(child.pid)

    def user(self, *, http2: bool = False) -> Server:
        """The server as the user sees it."""
        directory, trusted = self._home.authority, self._pki.trusted("admin")
        authority = Authority.load((directory / "ca.crt").read_bytes(), (directory / "ca.key").read_bytes())
        pair = authority.issue(USER, GROUPS, usage=Usage.CLIENT, now=SystemClock().now())
        transport: HttpTransport | Http2Transport
        if http2:
            transport = Http2Transport(self._port, client_context(trusted, pair))
        else:
            access = Access(server=self._pki.server, authorities=trusted, certificate=pair.certificate, key=pair.key)
            transport = access.transport(SystemClock(), timeout=PATIENCE)
        self._users.append(Server(self.pid, transport))
        return self._users[-1]

    async def prepare(self) -> None:
        """Give the user her rights, and the namespace `default` its account."""
        administrator = Server(self.pid, self._pki.access("admin", "admin").transport(SystemClock()))

        async def post(target: str, body: object) -> None:
            await administrator.ask("POST", target, body=body)

        await post("/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}})
        await grant(post)

    def check_audit(self) -> None:
        """Hold the audit log against what the user asked."""
        self.audited, streams = (sum(getattr(each, what) for each in self._users) for what in ("requests", "streams"))
        found, wanted = self._audit.stages(USER), Counter(ResponseComplete=self.audited, ResponseStarted=streams)
        if found != wanted:
            raise RuntimeError(f"the audit log has {dict(found)} of what should be {dict(wanted)}")


@contextmanager
def serving(etcd_servers: str = "") -> Iterator[Begun]:
    """Start a server on an empty store, which is SQLite unless etcd is named; end it."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        home, audit = Home(Path(place) / "home"), Audit(Path(place) / "audit")
        flags = {"disable-http2-serving": "false", **audit.flags}
        if etcd_servers:
            flags["etcd-servers"] = etcd_servers
        settings = Settings(port=free_port(0), node=False, advertise="192.0.2.1", apiserver_flags=flags)
        private_directory(home.path)
        private_directory(home.logs)
        settings.save(home)
        Pki(home, settings).issue(SystemClock().now())
        begin = time.perf_counter()
        here = Path(__file__).parent.parent
        child = subprocess.Popen([sys.executable, "-m", "measuring.lone", str(home.path)], cwd=here)
        try:
            begun = Begun(home, settings, audit, child, begin)
            yield begun
        finally:
            child.terminate()
            child.wait()
        begun.check_audit()
