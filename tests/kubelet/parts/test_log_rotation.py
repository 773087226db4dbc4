"""Logs are looked at as often as the policy says, and never where it says so."""

from pathlib import Path

import pytest

from kubelet.at_work import context
from kubelet.harness import FakeNode, pod, run
from pilothouse.kubelet.log_policy import LogPolicy
from pilothouse.kubelet.parts.log_rotation import LogRotation
from pilothouse.runtime.tasks import Tasks


@pytest.mark.parametrize(
    ("policy", "files"),
    [
        (LogPolicy(max_size=10), 2),
        (LogPolicy(max_size=11), 1),
        (LogPolicy(max_size=0), 5),
        (LogPolicy(max_size=-1), 1),
        (LogPolicy(max_size=0, monitor_interval=50.0), 3),
    ],
)
def test_logs_are_kept_small(tmp_path: Path, policy: LogPolicy, files: int) -> None:
    async def story(node: FakeNode) -> None:
        node.add(pod())
        await node.until(lambda: bool(node.state().get("ready")))
        log = node.layout.log(node.pods["web"], "app", 0)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("0123456789")
        async with Tasks() as tasks:
            work = context(node, tasks, log_rotation=policy)
            tasks.spawn(LogRotation().run(work), name="part")
            for _ in range(95):
                await node.clock.sleep(1)
                log.touch()  # as the runtime does when it is told
            tasks.cancel_all()
        assert len([*log.parent.iterdir()]) == files

    run(tmp_path, story)
