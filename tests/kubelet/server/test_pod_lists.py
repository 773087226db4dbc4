"""The pods the node is to run, and those that run."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubelet.server.harness import TestNode, node
from pilothouse.kubelet.cri.interface import ContainerState, CriError


def pods(tmp_path: Path, target: str, change: Callable[[TestNode], None] | None = None) -> tuple[int, Any]:
    async def main() -> tuple[int, Any]:
        async with node(tmp_path) as one:
            if change is not None:
                change(one)
            status, text, response = await one.ask(target)
            return status, json.loads(text) if response.content_type == "application/json" else text

    return asyncio.run(main())


@pytest.mark.parametrize("target", ["/pods", "/pods/"])
def test_wanted_pods_with_their_statuses(tmp_path: Path, target: str) -> None:
    status, found = pods(tmp_path, target)
    assert (status, found["kind"], found["apiVersion"]) == (200, "PodList", "v1")
    (pod,) = found["items"]
    assert (pod["kind"], pod["metadata"]["uid"], pod["status"]["phase"]) == ("Pod", "uid-web", "Running")


def test_running_pods_are_what_the_runtime_says(tmp_path: Path) -> None:
    def more(one: TestNode) -> None:
        one.cri.runs["c0"] = replace(one.cri.runs["c1"], id="c0", state=ContainerState.EXITED)
        one.cri.boxes.append(replace(one.cri.boxes[0], id="s2", uid="uid-dead", ready=False))

    assert pods(tmp_path, "/runningpods/", more)[1]["items"] == [
        {
            "metadata": {"name": "web", "namespace": "shop", "uid": "uid-web"},
            "spec": {"containers": [{"name": "app", "image": "app:1", "resources": {}}]},
            "status": {},
        }
    ]


def test_a_silent_runtime(tmp_path: Path) -> None:
    def broken(one: TestNode) -> None:
        async def sandboxes(uid: str = "") -> Any:
            raise CriError("UNAVAILABLE", "gone")

        one.cri.sandboxes = sandboxes  # type: ignore[method-assign]

    assert pods(tmp_path, "/runningpods", broken) == (500, "rpc error: code = Unavailable desc = gone")
