"""The part finds out what this machine has left, and the node tells of it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from kubelet.at_work import context
from kubelet.harness import FakeNode, pod, run
from pilothouse.kubelet.eviction.policy import EvictionPolicy
from pilothouse.kubelet.node_agent import NodeAgent
from pilothouse.kubelet.part import NodeContext
from pilothouse.kubelet.parts.eviction import Eviction
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
