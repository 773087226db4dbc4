"""The part tells of a machine that is out of memory, and counts what happens to containers."""

import logging
import os
from pathlib import Path

import pytest

from kubelet.at_work import context
from kubelet.harness import FakeNode, run
from kubelet.test_oom_kills import BEGIN, GLOBAL, GLOBAL_END, GROUP, GROUP_END, OLD_END, STATE
from linux.test_kernel_messages import device
from pilothouse.kubelet.parts.oom_watcher import OomWatcher
from pilothouse.runtime.tasks import Tasks


def test_the_machine_is_told_of_and_containers_are_counted(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        with device() as (path, writer):
            async with Tasks() as tasks:
                work = context(node, tasks)
                for message in (BEGIN, STATE[0], GROUP, GROUP_END):
                    os.write(writer, b"4,1,1,-;" + message.encode() + b"\n")
                tasks.spawn(OomWatcher(path).run(work), name="part")
                await node.clock.sleep(5)
                assert node.told.events == []
                assert work.stats.oom_kills.of("/kubepods/burstable/podu1/6c09") == 1
                for message in (BEGIN, GLOBAL, GLOBAL_END):
                    os.write(writer, b"4,1,1,-;" + message.encode() + b"\n")
                await node.until(lambda: bool(node.told.events), seconds=2)
                text = "System OOM encountered, victim process: python3, pid: 77"
                assert node.told.events == [("Warning", "SystemOOM", text)]
                assert work.stats.oom_kills.of("/") == 1
                for message in (BEGIN, "Task in /docker/abc killed as a result of limit of /", OLD_END):
                    os.write(writer, b"4,1,1,-;" + message.encode() + b"\n")
                await node.until(lambda: len(node.told.events) == 2, seconds=2)
                assert work.stats.oom_kills.of("/docker/abc") == 1
                tasks.cancel_all()

    run(tmp_path, story)


def test_where_nothing_may_be_heard_it_says_so_once_and_is_done(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(node: FakeNode) -> None:
        async with Tasks() as tasks:
            with caplog.at_level(logging.WARNING):
                await OomWatcher(tmp_path / "kmsg").run(context(node, tasks))
        (line,) = [one.message for one in caplog.records]
        assert line.startswith("Not hearing of processes that the kernel ends for want of memory")

    run(tmp_path, story)
