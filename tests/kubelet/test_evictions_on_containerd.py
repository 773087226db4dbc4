"""Pods that really write more than they may are ended, as containerd counts what they write, and others are not."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from kubelet.at_work import context
from kubelet.harness import FakeNode, pod
from kubelet.test_on_containerd import machine, run, shell  # noqa: F401 - `machine` is a fixture
from pilothouse.kubelet.containerd import ContainerdConfig
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.node_agent import NodeAgent
from pilothouse.kubelet.parts.eviction import Eviction
from pilothouse.runtime.tasks import Tasks

pytestmark = pytest.mark.node
WRITES = "/bin/busybox dd if=/dev/zero of=/much bs=1M count=8 2>/dev/null; exec /bin/busybox sleep 1000"
LIMIT: dict[str, Any] = {"resources": {"limits": {"ephemeral-storage": "2Mi"}}}


class Agent:
    pressure: tuple[str, ...] = ()

    def press(self, conditions: tuple[str, ...]) -> None:
        self.pressure = conditions


def test_what_a_container_writes_has_its_limit(machine: ContainerdConfig, tmp_path: Path) -> None:  # noqa: F811
    async def story(node: FakeNode, cri: CriClient) -> None:
        node.add(pod("writer", containers=[shell(WRITES, **LIMIT)]))
        node.add(pod("modest", containers=[shell("exec /bin/busybox sleep 1000", **LIMIT)]))
        node.add(pod("free", containers=[shell(WRITES)]))
        await node.until(lambda: all(one.status.phase == "Running" for one in node.pods.values()), 30)
        async with Tasks() as tasks:
            work = replace(context(node, tasks), agent=cast("NodeAgent", Agent()))
            tasks.spawn(Eviction().run(work), name="part")
            # How much it is, containerd finds out every ten seconds.
            await node.until(lambda: node.pods["writer"].status.phase == "Failed", 60)
            tasks.cancel_all()
        status = node.pods["writer"].status
        assert (status.reason, status.message) == (
            "Evicted", "Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. ",
        )  # fmt: skip
        assert "terminated" in node.state("writer")["state"]
        assert {node.pods[name].status.phase for name in ("modest", "free")} == {"Running"}

    run(machine, tmp_path, story)
