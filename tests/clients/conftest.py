"""A real API server, as its own process would run it, in a thread of its own: for clients that we did not write."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop
import yaml

from pilothouse.apiserver.config import ApiServerConfig
from pilothouse.apiserver.main import run
from pilothouse.net.pki import Authority, KeyPair, Usage, new_signing_key
from pilothouse.net.server import Listening
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import SystemClock


class ServerThread(threading.Thread):
    """Serves until it is told to stop; `port` is known once it is ready."""

    def __init__(self, config: ApiServerConfig) -> None:
        super().__init__(name="api-server", daemon=True)
        self._config = config
        self.ready = threading.Event()
        self.port = 0

    def run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self.join(10)

    async def _serve(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(run(self._config, SystemClock(), Chance(), self._opened))
            await self._ended.wait()
            serving.cancel()

    def _opened(self, listening: Listening) -> None:
        self.port = listening.port
        self.ready.set()


def _configuration(directory: Path, authority: Authority, now: float) -> ApiServerConfig:
    def issue(name: str, usage: Usage) -> KeyPair:
        return authority.issue(name, addresses=("127.0.0.1",), usage=usage, now=now)

    return ApiServerConfig(
        state=directory / "state.db",
        serving=issue("kube-apiserver", Usage.SERVER),
        client_authority=authority.certificate,
        kubelet_client=issue("kube-apiserver-kubelet-client", Usage.CLIENT),
        kubelet_authority=authority.certificate,
        service_account_key=new_signing_key(),
        host="127.0.0.1",
        port=0,
        advertise_address="192.0.2.1",
        disabled_admission=("ServiceAccount",),  # no controller makes the accounts here
    )


@pytest.fixture(scope="session")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The path of an administrator's kubeconfig for a running server."""
    directory = tmp_path_factory.mktemp("server")
    now = SystemClock().now()
    authority = Authority.create("test", now)
    admin = authority.issue("kubernetes-admin", ["system:masters"], usage=Usage.CLIENT, now=now)
    files = {"ca.crt": authority.certificate, "admin.crt": admin.certificate, "admin.key": admin.key}
    for name, content in files.items():
        (directory / name).write_bytes(content)
    thread = ServerThread(_configuration(directory, authority, now))
    thread.start()
    assert thread.ready.wait(30)
    cluster = {"server": f"https://127.0.0.1:{thread.port}", "certificate-authority": str(directory / "ca.crt")}
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
    yield path
    thread.stop()
