"""The part finds out what this machine has left, and the node tells of it."""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from kubelet.at_work import context
from kubelet.harness import FakeNode, pod, run
from pilothouse.kubelet.eviction.policy import EvictionPolicy
from pilothouse.kubelet.machine import Machine
from pilothouse.kubelet.node_agent import NodeAgent
from pilothouse.kubelet.part import NodeContext
from pilothouse.kubelet.parts.eviction import Eviction
from pilothouse.linux.cgroups import Cgroups
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.tasks import Tasks

NO_DISK_IS_ENOUGH = {"nodefs.available": "1Ei"}


@dataclass
class FakeAgent:
    pressure: tuple[str, ...] = ()

    def press(self, conditions: tuple[str, ...]) -> None:
        self.pressure = conditions


def _around(node: FakeNode, tasks: Tasks, agent: FakeAgent, **policy: Any) -> NodeContext:
    # Images lie apart here: nothing is thrown away.
    work = context(node, tasks, eviction=EvictionPolicy(**policy), images=Path("/proc"))
    return replace(work, agent=cast("NodeAgent", agent))


def test_a_node_whose_disk_is_full_tells_of_it_and_ends_a_pod(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.add(pod())
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        async with Tasks() as tasks:
            agent = FakeAgent()
            work = _around(node, tasks, agent, hard=NO_DISK_IS_ENOUGH)
            tasks.spawn(Eviction().run(work), name="part")
            await node.until(lambda: node.pods["web"].status.reason == "Evicted")
            assert agent.pressure == ("DiskPressure",)
            found = {"eviction_signal": "nodefs.available"}
            assert work.metrics.registry.get_sample_value("kubelet_evictions_total", found) == 1
            tasks.cancel_all()

    run(tmp_path, story)


def test_with_nothing_to_watch_it_is_done(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        async with Tasks() as tasks:
            await Eviction().run(_around(node, tasks, FakeAgent(), hard={}, local_storage=False))

    run(tmp_path, story)


def _group(path: Path) -> Path:
    """Files as those of a group of version 1; the one that events are asked for with."""
    path.mkdir()
    (path / "memory.usage_in_bytes").write_text("4096")
    (path / "memory.stat").write_text("total_inactive_file 96\ntotal_rss 0\n")
    (path / "cgroup.event_control").touch()
    return path / "cgroup.event_control"


def _watching(node: FakeNode, tasks: Tasks, memory: Path, *, kernel: bool) -> NodeContext:
    work = _around(node, tasks, FakeAgent(), hard={"memory.available": "1Mi"}, kernel_notification=kernel)
    return replace(work, services=replace(node.services, hierarchies=Cgroups({"memory": memory}, None)))


def test_the_kernel_is_asked_to_call_where_the_policy_says_so(tmp_path: Path) -> None:
    asked = _group(tmp_path / "memory")

    async def main() -> None:
        # What the kernel may call at any time, virtual time would wait for.
        clock = SystemClock()
        async with clock.timeout(30), Tasks() as tasks:
            node = FakeNode(tmp_path, clock, tasks)
            node.layout.root.mkdir()
            tasks.spawn(Eviction().run(_watching(node, tasks, asked.parent, kernel=True)), name="part")
            await node.until(lambda: bool(asked.read_text()))
            tasks.cancel_all()

    asyncio.run(main())
    assert asked.read_text().split()[2] == str(Machine.read().memory - (1 << 20) + 96)


def test_and_nowhere_else(tmp_path: Path) -> None:
    asked = _group(tmp_path / "memory")

    async def story(node: FakeNode) -> None:
        node.layout.root.mkdir()
        async with Tasks() as tasks:
            tasks.spawn(Eviction().run(_watching(node, tasks, asked.parent, kernel=False)), name="part")
            await node.clock.sleep(25)
            tasks.cancel_all()
        assert asked.read_text() == ""

    run(tmp_path, story)
