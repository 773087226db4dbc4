"""/containerLogs, page by page; what follows by itself is in test_log_file."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from kubelet.server.harness import PEER, TestNode, node, web
from pilothouse.kubelet.cri.interface import ContainerState
from pilothouse.net.http import Request

LINES = "".join(
    f"2026-01-01T00:00:0{second}Z {stream} F {text}\n"
    for second, stream, text in [(1, "stdout", "one"), (2, "stderr", "two"), (3, "stdout", "three")]
)
LOG = "/containerLogs/shop/web/app"


@pytest.mark.parametrize(
    ("target", "status", "words"),
    [
        (LOG, 200, "one\ntwo\nthree\n"),
        (f"{LOG}?tailLines=1", 200, "three\n"),
        (f"{LOG}?stream=Stderr", 200, "two\n"),
        (f"{LOG}?sinceTime=2026-01-01T00:00:02Z&timestamps=true", 200,
         "2026-01-01T00:00:02.000000000Z two\n2026-01-01T00:00:03.000000000Z three\n"),
        (f"{LOG}?limitBytes=5", 200, "one\nt"),
        (f"{LOG}?tailLines=-1", 422, '{"message": "Invalid request."}'),
        (f"{LOG}?previous=true", 400, 'previous terminated container "app" in pod "web" not found'),
        ("/containerLogs/shop/other/app", 404, 'pod "other" does not exist'),
        ("/containerLogs/elsewhere/web/app", 404, 'pod "web" does not exist'),
        ("/containerLogs/shop/web/other", 404, 'container "other" not found in pod "web"'),
    ],
)  # fmt: skip
def test_logs(tmp_path: Path, target: str, status: int, words: str) -> None:
    async def main() -> None:
        async with node(tmp_path) as one:
            one.log.write_text(LINES)
            assert (await one.ask(target))[:2] == (status, words)

    asyncio.run(main())


def test_of_two_pods_with_one_name_the_later_counts(tmp_path: Path) -> None:
    async def main() -> None:
        async with node(tmp_path) as one:
            one.pods = [web(), web({"waiting": {"reason": "ContainerCreating"}})]
            _, words, _ = await one.ask(LOG)
            assert words == 'container "app" in pod "web" is waiting to start: ContainerCreating'

    asyncio.run(main())


def test_what_fails_later_is_told_in_the_text(tmp_path: Path) -> None:
    async def main() -> None:
        async with node(tmp_path) as one:
            one.log.unlink()
            path = f'"{one.log}": lstat {one.log}'
            words = f"failed to try resolving symlinks in path {path}: no such file or directory"
            assert (await one.ask(LOG))[:2] == (200, words)
            one.cri.runs.clear()
            words = "unable to retrieve container logs for containerd://c1"
            assert (await one.ask(LOG))[:2] == (200, words)

    asyncio.run(main())


@pytest.mark.parametrize("removed", [False, True])
def test_following_ends_when_the_container_did(tmp_path: Path, removed: bool) -> None:
    def end(one: TestNode) -> None:
        if removed:
            one.cri.runs.clear()
        else:
            one.cri.runs["c1"] = replace(one.cri.runs["c1"], state=ContainerState.EXITED)

    async def main() -> None:
        async with node(tmp_path) as one:
            request = Request("GET", f"{LOG}?follow=true", {}, PEER)
            body = (await one.handler(request)).body
            assert isinstance(body, AsyncIterator)
            one.log.write_text(LINES[:36])
            assert await anext(body) == b"one\n"
            with one.log.open("a") as file:
                file.write(LINES[36:])
            end(one)
            assert b"".join([piece async for piece in body]) == b"two\nthree\n"

    asyncio.run(main())
