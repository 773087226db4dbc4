"""A real disk that fills up: whoever filled it goes, its files with it, and the others stay."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from kubelet.at_work import context
from kubelet.harness import FakeNode, pod, run
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.eviction.policy import EvictionPolicy
from pilothouse.kubelet.node_agent import NodeAgent
from pilothouse.kubelet.parts.eviction import Eviction
from pilothouse.runtime.tasks import Tasks

MI = 1 << 20


class Agent:
    pressure: tuple[str, ...] = ()

    def press(self, conditions: tuple[str, ...]) -> None:
        self.pressure = conditions


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 32 MiB."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    image, place = tmp_path / "image", tmp_path / "disk"
    with image.open("wb") as file:
        file.truncate(32 * MI)
    place.mkdir()
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
    if subprocess.run(["mount", "-o", "loop", str(image), str(place)], check=False).returncode:
        pytest.skip("no loop devices")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def _with_scratch(name: str) -> JsonObject:
    return pod(name, volumes=[{"name": "scratch", "emptyDir": {}}])


def test_whoever_filled_it_goes(disk: Path) -> None:
    async def story(node: FakeNode) -> None:
        for name in ("modest", "writer"):
            node.add(_with_scratch(name))
        await node.until(lambda: all(one.status.phase == "Running" for one in node.pods.values()))
        agent, policy = Agent(), EvictionPolicy(hard={"nodefs.available": "40%"})
        async with Tasks() as tasks:
            # Images lie apart here: nothing is thrown away.
            work = replace(context(node, tasks, eviction=policy, images=Path("/proc")), agent=cast("NodeAgent", agent))
            scratch = node.layout.volume("uid-writer", "empty-dir", "scratch")
            (scratch / "much").write_bytes(os.urandom(20 * MI))
            # As the kubelet does each minute: until then nobody knows who it was.
            await work.stats.volumes.measure(node.workers.pods().values(), tasks)
            tasks.spawn(Eviction().run(work), name="part")
            await node.until(lambda: node.pods["writer"].status.reason == "Evicted")
            assert agent.pressure == ("DiskPressure",)
            assert not scratch.exists()
            await node.clock.sleep(200)
            assert agent.pressure == ("DiskPressure",)
            await node.until(lambda: agent.pressure == ())
            assert node.pods["modest"].status.phase == "Running"
            tasks.cancel_all()
        message = node.pods["writer"].status.message
        assert message.startswith("The node was low on resource: ephemeral-storage. Threshold quantity: ")

    run(disk, story)
