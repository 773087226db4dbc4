"""Real containers end in their turns, with real volumes, when the machine is shut down; and one that the kernel ends
for want of memory is counted, by what the kernel itself says. Not where its messages may not be read.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from kubelet.at_work import context
from kubelet.harness import FakeNode, pod
from kubelet.shutdown.closing import Closing
from kubelet.test_on_containerd import CGROUP, machine, run, shell  # noqa: F401 - `machine` is a fixture
from pilothouse.kubelet.containerd import ContainerdConfig
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.parts.oom_watcher import OomWatcher
from pilothouse.kubelet.shutdown.policy import ShutdownPolicy
from pilothouse.linux.kernel_messages import DEVICE
from pilothouse.linux.mounts import Mounts
from pilothouse.runtime.tasks import Tasks

pytestmark = pytest.mark.node
SLOW = "trap 'busybox sleep 2; exit 0' TERM; while true; do busybox sleep 0.1; done"
QUICK = "trap 'exit 0' TERM; while true; do busybox sleep 0.1; done"
HUNGRY = shell("/bin/busybox tail -c 200m /dev/zero", resources={"limits": {"memory": "16Mi"}})
DATA = {"volumes": [{"name": "data", "emptyDir": {"medium": "Memory"}}]}


def test_pods_end_in_turns_and_their_volumes_are_gone_before_the_next(
    machine: ContainerdConfig,  # noqa: F811
    tmp_path: Path,
) -> None:
    async def story(node: FakeNode, cri: CriClient) -> None:
        closing = Closing(node)
        mounted: dict[str, Any] = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
        async with Tasks() as tasks:
            shutdown = closing.shutdown(ShutdownPolicy(grace_period=40, critical_pods=20))
            login = closing.login
            tasks.spawn(shutdown.watch(login), name="shutdown")
            node.add(pod("slow", containers=[shell(SLOW, **mounted)], **DATA))
            node.add(pod("critical", containers=[shell(QUICK)], priority=2_000_000_000))
            await node.until(lambda: all(one.status.phase == "Running" for one in node.pods.values()), 30)
            assert Mounts().below(node.layout.pod("uid-slow"))
            login.word.put_nowait(True)
            await node.until(lambda: node.pods["critical"].status.phase == "Failed", 30)
            assert node.pods["slow"].status.phase == "Failed"
            assert Mounts().below(node.layout.pod("uid-slow")) == []
            await node.until(lambda: not login.held, 30)
            tasks.cancel_all()
        ends = [node.state(name)["state"]["terminated"] for name in ("slow", "critical")]
        assert [one["exitCode"] for one in ends] == [0, 0]
        assert ends[0]["finishedAt"] <= ends[1]["finishedAt"]
        assert {one.status.reason for one in node.pods.values()} == {"Terminated"}

    run(machine, tmp_path, story)


@pytest.mark.skipif(not os.access(DEVICE, os.R_OK), reason="the kernel's messages may not be read here")
def test_a_container_that_wants_too_much_memory_is_counted(
    machine: ContainerdConfig,  # noqa: F811
    tmp_path: Path,
) -> None:
    async def story(node: FakeNode, cri: CriClient) -> None:
        async with Tasks() as tasks:
            work = context(node, tasks)
            tasks.spawn(OomWatcher().run(work), name="part")
            node.add(pod(restartPolicy="Never", containers=[HUNGRY]))
            await node.until(lambda: node.pods["web"].status.phase == "Failed", 30)
            run_id = node.state()["containerID"].removeprefix("containerd://")
            group = f"{CGROUP}/kubepods/burstable/poduid-web/{run_id}"
            await node.until(lambda: work.stats.oom_kills.of(group) > 0, 30)
            tasks.cancel_all()

    run(machine, tmp_path, story)
