"""A real etcd for tests: members of one cluster on loopback, in memory as far as the disk goes, ended by pid."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import grpc
import pytest

_PATIENCE = 20
_prefixes = (f"/test/{number}" for number in count())
_FAST = ("--heartbeat-interval", "50", "--election-timeout", "500", "--max-request-bytes", "10485760")


def new_prefix() -> str:
    """Keys of a test's own, on an etcd that it shares."""
    return next(_prefixes)


@pytest.fixture(scope="session")
def etcd() -> Iterator["Etcd"]:
    """One etcd for all tests of a directory that do not harm it: its conftest imports this."""
    skip_without_etcd()
    with Etcd.running() as etcd:
        yield etcd


def skip_without_etcd() -> None:
    """Skip where `make packages` has not run."""
    if shutil.which("etcd") is None:
        pytest.skip("no etcd is installed")


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


class Member:
    """One etcd process; what it holds stays when it is killed."""

    def __init__(self, name: str, directory: Path, ports: tuple[int, int], cluster: str, more: Sequence[str]) -> None:
        scheme = "https" if "--cert-file" in more else "http"
        self.url = f"{scheme}://127.0.0.1:{ports[0]}"
        peer = f"http://127.0.0.1:{ports[1]}"
        self._log = directory / f"{name}.log"
        self._command = [
            "setpriv", "--pdeathsig", "KILL",  # should the tests themselves be killed
            "etcd", "--name", name, "--data-dir", str(directory / name), *_FAST, *more,
            "--listen-client-urls", self.url, "--advertise-client-urls", self.url,
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", cluster,
            "--logger", "zap", "--log-outputs", "stderr",
        ]  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, url: str = "") -> None:
        """Start the process, perhaps at an address that nobody knows; `wait` says when it serves."""
        command = [url if url and part == self.url else part for part in self._command]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

    def wait(self, url: str = "") -> None:
        """Wait until the port answers."""
        with grpc.insecure_channel((url or self.url).partition("://")[2]) as channel:
            try:
                grpc.channel_ready_future(channel).result(_PATIENCE)
            except grpc.FutureTimeoutError:
                raise AssertionError(self._log.read_text()[-3000:]) from None

    def signal(self, number: signal.Signals) -> None:
        """Stop it, or let it go on."""
        assert self._process is not None
        os.kill(self._process.pid, number)

    def kill(self) -> None:
        """End it as a failing machine would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Etcd:
    """A cluster of members."""

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = members
        self.urls = [member.url for member in members]

    @classmethod
    @contextmanager
    def running(cls, count: int = 1, more: Sequence[str] = ()) -> Iterator["Etcd"]:
        """Start `count` members, and end them."""
        memory = Path("/dev/shm")
        directory = Path(tempfile.mkdtemp(prefix="etcd-", dir=memory if memory.is_dir() else None))
        ports = free_ports(2 * count)
        pairs = list(zip(ports[::2], ports[1::2], strict=True))
        cluster = ",".join(f"m{n}=http://127.0.0.1:{peer}" for n, (_, peer) in enumerate(pairs))
        members = [Member(f"m{n}", directory, pair, cluster, more) for n, pair in enumerate(pairs)]
        try:
            for member in members:
                member.start()
            if "--cert-file" not in more:
                for member in members:
                    member.wait()
            yield cls(members)
        finally:
            for member in members:
                member.kill()
            shutil.rmtree(directory)
