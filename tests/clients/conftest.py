"""A real API server behind a real front door, in a thread of its own, for clients that we did not write."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop
import yaml

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.server import ApiServer
from pilothouse.net.pki import Authority, Usage
from pilothouse.net.server import serve
from pilothouse.net.tls import ServerTls
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import SystemClock
from pilothouse.store.sqlite import SqliteStore


class ServerThread(threading.Thread):
    """Serves until it is told to stop; `port` is known once it is ready."""

    def __init__(self, directory: Path, tls: ServerTls) -> None:
        super().__init__(name="api-server", daemon=True)
        self._directory = directory
        self._tls = tls
        self.ready = threading.Event()
        self.port = 0

    def run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self.join(10)

    async def _serve(self) -> None:
        self._loop, self._ended, clock = asyncio.get_running_loop(), asyncio.Event(), SystemClock()
        async with (
            SqliteStore(self._directory / "state.db", clock) as store,
            ApiServer(store, builtin(), Schemas(), clock, Chance()) as server,
        ):
            server.assemble()
            async with serve(server.handle, "127.0.0.1", 0, self._tls, clock, grace=0.1) as listening:
                self.port = listening.port
                self.ready.set()
                await self._ended.wait()


@pytest.fixture(scope="session")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The path of a kubeconfig for a running server."""
    directory = tmp_path_factory.mktemp("server")
    now = SystemClock().now()
    authority = Authority.create("test", now)
    pair = authority.issue("apiserver", usage=Usage.SERVER, addresses=("127.0.0.1",), now=now)
    (directory / "ca.crt").write_bytes(authority.certificate)
    thread = ServerThread(directory, ServerTls(pair, authority.certificate))
    thread.start()
    assert thread.ready.wait(30)
    cluster = {"server": f"https://127.0.0.1:{thread.port}", "certificate-authority": str(directory / "ca.crt")}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "test", "user": {"token": "unused"}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "current-context": "test",
    }
    path = directory / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    yield path
    thread.stop()
