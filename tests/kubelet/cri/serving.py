"""Our client of CRI and a runtime at the two ends of a real socket."""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from fakes.cri_server import CriServer
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.cri.deadlines import REQUEST
from pilothouse.kubelet.cri.interface import Image
from pilothouse.runtime.clock import SystemClock
from pilothouse.testing.fake_cri import FakeCri

T = TypeVar("T")
APP = Image("sha256:app", ("app:1",), ("app@sha256:1",), 1000, 7)


def serve(
    story: Callable[[CriClient, CriServer, FakeCri], Coroutine[Any, Any, T]],
    runtime: FakeCri | None = None,
    request_timeout: float = REQUEST,
) -> T:
    """Tell a story in real time."""
    fake = runtime or FakeCri(SystemClock(), present={"app:1": APP})

    async def main() -> T:
        with tempfile.TemporaryDirectory() as directory:
            socket = str(Path(directory) / "cri.sock")
            async with CriServer(fake, socket) as server, CriClient(socket, SystemClock(), request_timeout) as cri:
                return await story(cri, server, fake)

    return asyncio.run(main())


def sandbox_config(uid: str = "uid-web", *, host: bool = False) -> JsonObject:
    """Of a pod called `web`."""
    return {
        "metadata": {"name": "web", "namespace": "shop", "uid": uid, "attempt": 1},
        "log_directory": "/logs",
        "labels": {"io.kubernetes.pod.uid": uid},
        "annotations": {"note": "a"},
        "linux": {"security_context": {"namespace_options": {"network": 2 if host else 0}}},
    }


def container_config(name: str = "app", uid: str = "uid-web", **more: Any) -> JsonObject:
    """Of a container in it."""
    return {
        "metadata": {"name": name, "attempt": 2},
        "image": {"image": "sha256:app", "user_specified_image": "app:1"},
        "labels": {"io.kubernetes.pod.uid": uid},
        "annotations": {"hash": "1"},
        "log_path": "app/0.log",
        **more,
    }


async def running(cri: CriClient, **more: Any) -> str:
    """A container that runs in a sandbox of its own."""
    sandbox = await cri.run_sandbox(sandbox_config())
    made = await cri.create_container(sandbox, container_config(**more), sandbox_config())
    await cri.start_container(made)
    return made
