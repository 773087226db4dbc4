"""The kubelet's API with fakes behind it: pods as given, a runtime of records, a streaming server that answers."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pilothouse.api.machinery.errors import ServiceUnavailable
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.config import KubeletConfig
from pilothouse.kubelet.cri.interface import Container, ContainerState, Cri, CriError, CriNotFound, ExecResult, Sandbox
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.machine import Machine
from pilothouse.kubelet.resources.pod_cgroups import KernelPodCgroups
from pilothouse.kubelet.server.attributes import Attributes
from pilothouse.kubelet.server.caller import Caller
from pilothouse.kubelet.server.door import guarded
from pilothouse.kubelet.server.known_pods import Pods
from pilothouse.kubelet.server.kubelet_api import KubeletApi
from pilothouse.kubelet.server.page import PageContext
from pilothouse.kubelet.stats import Stats
from pilothouse.linux.cgroups import Cgroups
from pilothouse.linux.inotify import Inotify
from pilothouse.net.http import ByteStream, Handler, Peer, Request, Response
from pilothouse.net.pki import KeyPair
from pilothouse.net.relay import stream_protocols, wanted_upgrade
from pilothouse.net.server import serve
from pilothouse.net.spdy_connection import SpdyStream, spdy_connection
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.metrics import Metrics
from pilothouse.testing.fake_cri import FakeCri

CLOCK = SystemClock()
MACHINE = Machine(2, 4 << 30, {}, "m", "u", "b", "6.1", "Debian", "amd64")
PEER = Peer("127.0.0.1:1")
RUNNING: JsonObject = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}


def web(state: JsonObject | None = None, **more: Any) -> Pod:
    """A pod of one container, `app`, whose run is `c1`."""
    status = {"name": "app", "containerID": "containerd://c1", "state": state or RUNNING, **more}
    return Pod(
        {
            "metadata": {"name": "web", "namespace": "shop", "uid": "uid-web"},
            "spec": {"containers": [{"name": "app", "image": "app:1", "tty": True}]},
            "status": {"phase": "Running", "containerStatuses": [status]},
        }
    )


class NodeCri(FakeCri):
    """The runtime behind the pods: what runs is given, and so is where it streams."""

    def __init__(self, log: Path) -> None:
        super().__init__(CLOCK)
        self.runs = {"c1": Container("c1", "s1", "app", 0, ContainerState.RUNNING, 1.0, "app:1", log_path=str(log))}
        self.boxes = [Sandbox("s1", "web", "shop", "uid-web", 0, True, 1.0)]
        self.url = ""
        self.asked: list[tuple[Any, ...]] = []
        self.error: CriError | None = None

    async def containers(self, uid: str = "") -> list[Container]:
        return list(self.runs.values()) if uid in ("", "uid-web") else []

    async def container_status(self, container_id: str) -> Container:
        if container_id not in self.runs:
            raise CriNotFound("NOT_FOUND", "no such container")
        return self.runs[container_id]

    async def sandboxes(self, uid: str = "") -> list[Sandbox]:
        return self.boxes if uid in ("", "uid-web") else []

    async def exec_sync(self, container_id: str, command: Sequence[str], timeout: float) -> ExecResult:
        return ExecResult(3, b"", b"oops") if command[0] == "false" else ExecResult(0, b"out", b"err")

    async def exec_url(
        self, container_id: str, command: Sequence[str], *, stdin: bool, stdout: bool, stderr: bool, tty: bool
    ) -> str:
        if self.error is not None:
            raise self.error
        self.asked.append(("exec", container_id, tuple(command), stdin, stdout, stderr, tty))
        return f"{self.url}/exec/token"

    async def attach_url(self, container_id: str, *, stdin: bool, stdout: bool, stderr: bool, tty: bool) -> str:
        self.asked.append(("attach", container_id, stdin, stdout, stderr, tty))
        return f"{self.url}/attach/token"

    async def port_forward_url(self, sandbox_id: str, ports: Sequence[int]) -> str:
        self.asked.append(("portForward", sandbox_id, tuple(ports)))
        return f"{self.url}/portforward/token"


@dataclass
class FakeAuth:
    """Lets `user` in with what it `may`, by subresource."""

    user: str = "ann"
    may: tuple[str, ...] = ("proxy", "metrics", "log", "stats", "checkpoint")
    broken: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def authenticate(self, request: Request) -> Caller | None:
        if self.broken:
            raise ConnectionRefusedError("no API server")
        return Caller(self.user) if self.user else None

    async def allows(self, caller: Caller, attributes: Attributes, subresource: str) -> bool:
        self.asked.append((attributes.verb, subresource))
        if "trouble" in self.may:
            raise ServiceUnavailable("no")
        return subresource in self.may


def around(
    pods: Pods, cri: Cri, root: Path, metrics: Metrics | None = None, cgroups: Cgroups | None = None
) -> PageContext:
    """What pages are made from, on a machine that is always the same."""
    groups = cgroups or Cgroups({}, None)
    layout = Layout(root, root / "logs")
    config = KubeletConfig(
        node_name="n1", address="10.0.0.1", root=root, logs=layout.logs, images=root, serving=KeyPair(b"", b""),
        client_authority=b"",
    )  # fmt: skip
    return PageContext(
        pods=pods, cri=cri, clock=CLOCK, config=config, machine=MACHINE, started=1.0, metrics=metrics or Metrics(),
        stats=Stats(cri, CLOCK, pods, layout, KernelPodCgroups(groups, ""), groups),
    )  # fmt: skip


@dataclass
class TestNode:
    """The parts that tests turn."""

    cri: NodeCri
    log: Path
    pods: list[Pod] = field(default_factory=lambda: [web()])
    auth: FakeAuth = field(default_factory=FakeAuth)
    metrics: Metrics = field(default_factory=Metrics)
    complaint: str = ""
    changes: Inotify = field(default_factory=Inotify)
    cgroups: Cgroups = field(default_factory=lambda: Cgroups({}, None))

    __test__ = False

    @property
    def handler(self) -> Handler:
        api = KubeletApi(self.around, self.changes, lambda: self.complaint)
        return guarded(api, self.auth, self.auth)

    @property
    def around(self) -> PageContext:
        return around(lambda: self.pods, self.cri, self.log.parent, self.metrics, self.cgroups)

    async def ask(self, target: str, method: str = "GET", **headers: str) -> tuple[int, str, Response]:
        """One request without a socket: status and text."""
        request = Request(method, target, {name.replace("_", "-"): text for name, text in headers.items()}, PEER)
        response = await self.handler(request)
        body = response.body
        if isinstance(body, bytes):
            return response.status, body.decode(), response
        assert isinstance(body, AsyncIterator)
        return response.status, b"".join([piece async for piece in body]).decode(), response


@asynccontextmanager
async def node(tmp_path: Path) -> AsyncIterator[TestNode]:
    """A node whose one container logs to a file."""
    log = tmp_path / "0.log"
    log.touch()
    made = TestNode(NodeCri(log), log)
    with made.changes:
        async with serve(runtime, "127.0.0.1", 0, None, CLOCK, grace=0.1) as streaming, CLOCK.timeout(20):
            made.cri.url = f"http://127.0.0.1:{streaming.port}"
            yield made


class Gone:
    """The connection of a caller who leaves at once."""

    async def read(self) -> bytes:
        return b""

    async def write(self, data: bytes) -> None:
        raise ConnectionResetError

    def write_eof(self) -> None:
        pass

    async def close(self) -> None:
        pass


async def runtime(request: Request) -> Response:
    """A runtime's streaming server: exec and attach are `cat`, a forwarded port echoes, v5 is refused."""
    if wanted_upgrade(request.headers) != "SPDY/3.1":
        return Response(403, b"unknown protocol", content_type="text/plain")
    offered = stream_protocols(request.headers)
    headers = {"Connection": "Upgrade", "Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": offered[0]}
    return Response(101, b"", headers, upgrade=_echo if request.target == "/portforward/token" else _cat)


async def _cat(stream: ByteStream) -> None:
    async with spdy_connection(stream, client=False) as connection:
        streams: dict[str, SpdyStream] = {}
        for _ in range(3):
            accepted = await connection.accept()
            if accepted is None:
                return
            streams[accepted.headers["streamtype"]] = accepted
        while data := await streams["stdin"].read():
            await streams["stdout"].write(data)
        await streams["error"].write(b'{"metadata":{},"status":"Success"}')


async def _echo(stream: ByteStream) -> None:
    async with spdy_connection(stream, client=False) as connection:
        while (accepted := await connection.accept()) is not None:
            await accepted.write(await accepted.read())
