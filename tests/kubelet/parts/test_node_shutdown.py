"""The part, with logind played on a real bus: from its first lock to the last pod's end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest

from fakes.logind import FakeLogind, bus, logind, needs_a_bus
from kubelet.at_work import context
from kubelet.harness import FakeNode, pod, run
from pilothouse.kubelet.node_agent import NodeAgent
from pilothouse.kubelet.part import NodeContext
from pilothouse.kubelet.parts import node_shutdown
from pilothouse.kubelet.parts.node_shutdown import NodeShutdown, surroundings
from pilothouse.kubelet.shutdown.policy import ShutdownPolicy
from pilothouse.kubelet.shutdown.record import ShutdownRecord
from pilothouse.kubelet.volume_record import VolumeRecord, VolumeRecords
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.tasks import Tasks

POLICY = ShutdownPolicy(grace_period=30, critical_pods=10)
BEGAN, ENDED = "kubelet_graceful_shutdown_start_time_seconds", "kubelet_graceful_shutdown_end_time_seconds"


@dataclass
class FakeAgent:
    shutting_down: bool = False

    def shut_down(self, begun: bool) -> None:
        self.shutting_down = begun


def around(node: FakeNode, tasks: Tasks, agent: FakeAgent, policy: ShutdownPolicy = POLICY) -> NodeContext:
    node.layout.root.mkdir(exist_ok=True)
    return replace(context(node, tasks, shutdown=policy), agent=cast("NodeAgent", agent))


@dataclass
class Stage:
    node: FakeNode
    agent: FakeAgent
    work: NodeContext
    root: Path

    def part(self) -> NodeShutdown:
        return NodeShutdown(self.root / "bus", self.root / "drop-ins")

    def played(self) -> Any:
        return logind(self.root / "bus", self.root / "drop-ins")

    def sample(self, name: str) -> float | None:
        return self.work.metrics.registry.get_sample_value(name)

    async def until(self, what: Callable[[], bool]) -> None:
        while not what():
            await self.node.clock.sleep(0.01)


def play(root: Path, story: Callable[[Stage, Tasks], Awaitable[None]]) -> None:
    """What logind may say at any time, virtual time would wait for."""

    async def main() -> None:
        clock = SystemClock()
        async with clock.timeout(30), Tasks() as tasks:
            node, agent = FakeNode(root, clock, tasks), FakeAgent()
            await story(Stage(node, agent, around(node, tasks, agent), root), tasks)
            tasks.cancel_all()

    asyncio.run(main())


@needs_a_bus
def test_a_shutdown_waits_for_the_pods(tmp_path: Path) -> None:
    async def story(stage: Stage, tasks: Tasks) -> None:
        with bus(stage.root), stage.played() as fake:
            stage.node.add(pod(volumes=[{"name": "data", "emptyDir": {}}]))
            await stage.until(lambda: stage.node.pods["web"].status.phase == "Running")
            tasks.spawn(stage.part().run(stage.work), name="part")
            await stage.until(lambda: fake.held == 1)
            assert fake.delay == 30_000_000
            fake.shut_down(True)
            await stage.until(lambda: fake.held == 0)
            await stage.until(lambda: stage.node.pods["web"].status.phase == "Failed")
            assert stage.node.pods["web"].status.reason == "Terminated"
            assert stage.agent.shutting_down
            last = ShutdownRecord.load(stage.node.layout.root)
            assert 0 < last.began <= last.ended
            assert (stage.sample(BEGAN), stage.sample(ENDED)) == (int(last.began), int(last.ended))
            fake.shut_down(False)
            await stage.until(lambda: fake.held == 1)
            assert not stage.agent.shutting_down
            tasks.cancel_all()

    play(tmp_path, story)


@needs_a_bus
def test_a_bus_that_comes_back_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_shutdown, "RECONNECT", 0.01)

    async def story(stage: Stage, tasks: Tasks) -> None:
        with bus(stage.root), stage.played() as fake:
            tasks.spawn(stage.part().run(stage.work), name="part")
            await stage.until(lambda: fake.held == 1)
        with bus(stage.root), stage.played() as fake:
            again: FakeLogind = fake
            await stage.until(lambda: again.held == 1)
            tasks.cancel_all()

    play(tmp_path, story)


@needs_a_bus
def test_the_last_shutdown_is_told_of(tmp_path: Path) -> None:
    async def story(stage: Stage, tasks: Tasks) -> None:
        ShutdownRecord(1767225600.5, 1767225630.5).save(stage.node.layout.root)
        with bus(stage.root), stage.played() as fake:
            tasks.spawn(stage.part().run(stage.work), name="part")
            await stage.until(lambda: fake.held == 1)
            assert (stage.sample(BEGAN), stage.sample(ENDED)) == (1767225600, 1767225630)
            tasks.cancel_all()

    play(tmp_path, story)


def test_where_there_is_no_logind_it_is_off_with_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story(node: FakeNode) -> None:
        async with Tasks() as tasks:
            work = around(node, tasks, FakeAgent())
            with caplog.at_level(logging.INFO):
                await NodeShutdown(tmp_path / "bus", tmp_path).run(work)
            (line,) = caplog.records
            assert line.message == "Failed to start node shutdown manager"
            assert work.metrics.registry.get_sample_value(BEGAN) == 0

    run(tmp_path, story)


def test_it_is_off_where_nothing_is_configured(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story(node: FakeNode) -> None:
        async with Tasks() as tasks:
            with caplog.at_level(logging.INFO):
                await NodeShutdown(tmp_path / "bus").run(around(node, tasks, FakeAgent(), ShutdownPolicy()))
            assert caplog.records == []

    run(tmp_path, story)


def test_volumes_that_are_still_there_are_known_by_their_records(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        async with Tasks() as tasks:
            found = surroundings(around(node, tasks, FakeAgent()))
            assert not await found.has_volumes("uid-web")
            VolumeRecords(node.layout).write(VolumeRecord("uid-web", "csi", "data", "csi"))
            assert await found.has_volumes("uid-web")
            assert not await found.has_volumes("uid-other")

    run(tmp_path, story)


def test_a_disk_that_takes_no_record_holds_nothing_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story(node: FakeNode) -> None:
        async with Tasks() as tasks:
            found = surroundings(around(node, tasks, FakeAgent()))
            node.layout.root.rmdir()
            await found.save(ShutdownRecord(1.0))
            assert [line.message for line in caplog.records] == ["Failed to store graceful shutdown state"]

    run(tmp_path, story)
