"""Logs, commands and forwarded ports of a real container."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kubelet.harness import FakeNode, pod
from kubelet.server.harness import CLOCK, PEER, FakeAuth, around
from kubelet.test_on_containerd import machine, run, shell  # noqa: F401 - `machine` is a fixture
from pilothouse.kubelet.containerd import ContainerdConfig
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.server.door import guarded
from pilothouse.kubelet.server.kubelet_api import KubeletApi
from pilothouse.linux.inotify import Inotify
from pilothouse.net.dial import ask, dial
from pilothouse.net.http import Handler, Request
from pilothouse.net.server import serve
from pilothouse.net.spdy_connection import SpdyConnection, spdy_connection
from pilothouse.net.stream import ConnectionStream

pytestmark = pytest.mark.node
SCRIPT = "echo hello; exec /bin/busybox nc -ll -p 8080 -e /bin/busybox cat"
SAY = "/bin/busybox cat; echo more > /proc/1/fd/1"


async def follow(handler: Handler) -> AsyncIterator[bytes]:
    request = Request("GET", "/containerLogs/default/web/app?follow=true&tailLines=1", {}, PEER)
    response = await handler(request)
    assert isinstance(response.body, AsyncIterator)
    return response.body


async def session(port: int, target: str, protocol: str) -> ConnectionStream:
    stream = await dial("127.0.0.1", port, None, CLOCK)
    headers = {"Host": "x", "Connection": "Upgrade", "Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": protocol}
    reply = await ask(stream, "POST", target, headers)
    assert reply.status == 101
    return stream


async def say(client: SpdyConnection) -> None:
    """Have `cat` answer, then end its input; the rest of the command writes to the container's log."""
    error, stdin, stdout = [await client.open({"streamtype": kind}) for kind in ("error", "stdin", "stdout")]
    await stdin.write(b"over there")
    assert await stdout.read() == b"over there"
    await stdin.finish()
    assert b'"Success"' in await error.read()


async def call(client: SpdyConnection) -> None:
    """Speak to the server in the container."""
    port = {"port": "8080", "requestid": "0"}
    await client.open({"streamtype": "error", **port})
    data = await client.open({"streamtype": "data", **port})
    await data.write(b"echo")
    assert await data.read() == b"echo"


def test_a_container_is_spoken_to(machine: ContainerdConfig, tmp_path: Path) -> None:  # noqa: F811
    async def story(node: FakeNode, cri: CriClient) -> None:
        node.add(pod(containers=[shell(SCRIPT)], terminationGracePeriodSeconds=0))
        await node.until(lambda: node.pods["web"].status.phase == "Running", 20)

        def known() -> list[Any]:
            return [node.writer.newest(one) for one in node.workers.pods().values()]

        with Inotify() as changes:
            api = guarded(KubeletApi(around(known, cri, tmp_path), changes, str), FakeAuth(), FakeAuth())
            async with serve(api, "127.0.0.1", 0, None, CLOCK, grace=0.1) as door, CLOCK.timeout(30):
                log = await follow(api)
                assert await anext(log) == b"hello\n"
                command = "&".join(f"command={word}" for word in ("/bin/busybox", "sh", "-c", SAY.replace(" ", "+")))
                target = f"/exec/default/web/app?input=1&output=1&{command.replace(';', '%3B')}"
                async with spdy_connection(await session(door.port, target, "v4.channel.k8s.io"), client=True) as it:
                    await say(it)
                assert await anext(log) == b"more\n"
                stream = await session(door.port, "/portForward/default/web", "portforward.k8s.io")
                async with spdy_connection(stream, client=True) as it:
                    await call(it)
                node.delete_pod("web", 0)
                assert [piece async for piece in log] == []

    run(machine, tmp_path, story)
