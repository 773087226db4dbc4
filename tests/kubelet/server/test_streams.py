"""/exec, /attach, /portForward and /run: what the runtime is asked for, and who is refused why."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubelet.server.harness import Gone, TestNode, node
from pilothouse.kubelet.cri.interface import ContainerState, CriError, CriNotFound

EXEC = "/exec/shop/web/app?output=1"
ATTACH = "/attach/shop/web/app?output=1"
SPDY = {"connection": "Upgrade", "upgrade": "SPDY/3.1", "x_stream_protocol_version": "v4.channel.k8s.io"}


def stopped(one: TestNode) -> None:
    one.cri.runs["c1"] = replace(one.cri.runs["c1"], state=ContainerState.EXITED)


def without_sandbox(one: TestNode) -> None:
    one.cri.boxes = [replace(box, ready=False) for box in one.cri.boxes]


def failing(error: CriError) -> Any:
    def change(one: TestNode) -> None:
        one.cri.error = error

    return change


def unchanged(one: TestNode) -> None:
    pass


@pytest.mark.parametrize(
    ("target", "change", "status", "words"),
    [
        ("/exec/shop/other/app?output=1", unchanged, 404, "pod does not exist"),
        ("/exec/shop/web/app", unchanged, 400, "you must specify at least 1 of stdin, stdout, stderr"),
        ("/exec/shop/web/other?output=1", unchanged, 500, 'container not found ("other")'),
        ("/exec/shop/web/uid-x/app?output=1", unchanged, 500, 'container not found ("app")'),
        (EXEC, stopped, 500, 'container not found ("app")'),
        (EXEC, failing(CriNotFound("NOT_FOUND", "gone")), 404, "rpc error: code = NotFound desc = gone"),
        (EXEC, failing(CriError("RESOURCE_EXHAUSTED", "busy")), 429, "rpc error: code = ResourceExhausted desc = busy"),
        (EXEC, failing(CriError("UNKNOWN", "bad")), 500, "rpc error: code = Unknown desc = bad"),
        ("/attach/shop/other/app?output=1", unchanged, 404, "pod does not exist"),
        (ATTACH, stopped, 500, "container app not found in pod web_shop"),
        ("/portForward/shop/other", unchanged, 404, "pod does not exist"),
        ("/portForward/shop/web/uid-x", unchanged, 404, "pod not found"),
        ("/portForward/shop/web", without_sandbox, 500, 'pod not found ("web_shop")'),
        ("/run/shop/other/app?cmd=id", unchanged, 404, "pod does not exist"),
        ("/run/shop/web/app?cmd=id", stopped, 500, 'container not found ("app")'),
        ("/run/shop/web/app?cmd=false+x", unchanged, 500, "command 'false x' exited with 3: oops"),
        ("/run/shop/web/app?cmd=id", unchanged, 200, "outerr"),
    ],
)
def test_answers(tmp_path: Path, target: str, change: Any, status: int, words: str) -> None:
    async def main() -> None:
        async with node(tmp_path) as one:
            change(one)
            assert (await one.ask(target, "POST", **SPDY))[:2] == (status, words)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("target", "asked"),
    [
        ("/exec/shop/web/app?input=1&output=1&error=1&command=ls&command=-l",
         ("exec", "c1", ("ls", "-l"), True, True, True, False)),
        ("/exec/shop/web/uid-web/app?output=1&error=1&tty=1&command=sh",
         ("exec", "c1", ("sh",), False, True, False, True)),
        # The spec says whether there is a terminal, not the caller.
        ("/attach/shop/web/app?output=1", ("attach", "c1", False, True, False, True)),
        ("/portForward/shop/web", ("portForward", "s1", ())),
        ("/portForward/shop/web/uid-web", ("portForward", "s1", ())),
    ],
)  # fmt: skip
def test_the_runtime_is_asked(tmp_path: Path, target: str, asked: tuple[Any, ...]) -> None:
    async def main() -> None:
        async with node(tmp_path) as one:
            status, _, response = await one.ask(target, "POST", **SPDY)
            assert status == 101
            assert response.headers["X-Stream-Protocol-Version"] == "v4.channel.k8s.io"
            assert one.cri.asked == [asked]
            assert response.upgrade is not None
            await response.upgrade(Gone())

    asyncio.run(main())
