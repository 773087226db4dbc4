"""kill -9 of what is between the kubelet and its containers: pods come back, others never notice, nothing is left."""

import os
import signal
from pathlib import Path

import pytest

from kubelet.harness import FakeNode, pod
from kubelet.left_on_node import left_by
from kubelet.test_faults_on_containerd import SLEEP, answers, beside, container_id
from kubelet.test_on_containerd import CGROUP, machine, run, shell  # noqa: F401 - `machine` is a fixture
from pilothouse.kubelet.containerd import Containerd, ContainerdConfig
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.cri.interface import CriError
from pilothouse.kubelet.housekeeping import Housekeeping
from pilothouse.kubelet.runtime_config import GRACE
from pilothouse.linux import processes
from pilothouse.linux.cgroups import Cgroups

pytestmark = pytest.mark.node


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


async def kill_containerd(machine: ContainerdConfig, node: FakeNode) -> None:  # noqa: F811
    process = processes.Identity.load(machine.state / "containerd.json")
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    await processes.ended(process)


def test_a_killed_shim_takes_its_pod_alone_along_which_comes_back(
    machine: ContainerdConfig, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    sockets: list[Path] = []

    async def story(node: FakeNode, cri: CriClient) -> None:
        await beside(node)
        node.add(pod(terminationGracePeriodSeconds=0, containers=[shell(SLEEP)]))
        await node.until(lambda: node.pods["web"].status.phase == "Running", 20)
        first, (box,) = container_id(node), [one for one in await cri.sandboxes() if one.name == "web"]
        (pause,) = Cgroups.detect().processes(f"{CGROUP}/kubepods/besteffort/poduid-web/{box.id}")
        address = machine.state / "io.containerd.runtime.v2.task" / "k8s.io" / box.id / "address"
        sockets.append(Path(address.read_text().removeprefix("unix://")))
        os.kill(parent(pause), signal.SIGKILL)
        await node.until(lambda: container_id(node) != first and bool(node.state()["ready"]), 60)
        assert node.state()["restartCount"] == 1
        assert node.pods["web"].status.phase == "Running"
        await answers(node, cri)

    with left_by(machine):
        run(machine, tmp_path, story)
    for socket in sockets:
        socket.unlink()  # containerd leaves that of a shim that did not end by itself


@pytest.mark.parametrize("moment", ["container", "running"])
def test_a_containerd_that_is_killed_while_a_pod_starts(
    machine: ContainerdConfig, tmp_path: Path, moment: str  # noqa: F811
) -> None:  # fmt: skip
    """Not while a sandbox is begun: what 1.6 has started then and not noted yet, it does not find again."""

    async def story(node: FakeNode, cri: CriClient) -> None:
        await beside(node)
        node.add(pod(terminationGracePeriodSeconds=0, containers=[shell(SLEEP)]))
        match moment:
            case "container":
                await node.until(lambda: "Created" in node.told.reasons()[3:] or "Started" in node.told.reasons()[3:])
            case _:
                await node.until(lambda: node.pods["web"].status.phase == "Running", 20)
        await kill_containerd(machine, node)
        with pytest.raises(CriError):
            await cri.version()
        await Containerd(machine, node.clock).start()
        await node.until(lambda: node.pods["web"].status.phase == "Running" and bool(node.state()["ready"]), 60)
        await answers(node, cri)

    with left_by(machine):
        run(machine, tmp_path, story)


def test_a_sandbox_that_nobody_knows_goes_with_what_runs_in_it(
    machine: ContainerdConfig, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    """As a kubelet finds it that was not there when the pod went."""

    async def story(node: FakeNode, cri: CriClient) -> None:
        await beside(node)
        services = node.services
        keeper = Housekeeping(cri, services.volumes, services.cgroups, services.mounter, node.layout)
        config = {
            "metadata": {"name": "old", "namespace": "default", "uid": "uid-old", "attempt": 0},
            "log_directory": str(node.layout.pod_logs("default", "old", "uid-old")),
            "labels": {"io.kubernetes.pod.uid": "uid-old"}, "annotations": {},
            "linux": {"cgroup_parent": f"{CGROUP}/kubepods/besteffort/poduid-old"},
        }  # fmt: skip
        box = await cri.run_sandbox(config)
        made = await cri.create_container(box, {
            "metadata": {"name": "app", "attempt": 0}, "image": {"image": "box:1"}, "log_path": "app.log",
            "command": ["/bin/busybox", "sh", "-c", f"trap '' TERM; {SLEEP}"], "annotations": {GRACE: "1"},
            "labels": {"io.kubernetes.pod.uid": "uid-old"},
        }, config)  # fmt: skip
        await cri.start_container(made)
        node.layout.pod("uid-old").mkdir(parents=True)
        await keeper.sweep(node.workers.pods)
        await keeper.sweep(node.workers.pods)  # a group that was still being left goes with the next
        assert [one.name for one in await cri.sandboxes()] == ["beside"]
        assert "poduid-old" not in Cgroups.detect().children(f"{CGROUP}/kubepods/besteffort")
        assert [place.name for place in node.layout.pods.iterdir()] == ["uid-beside"]
        await answers(node, cri)

    with left_by(machine):
        run(machine, tmp_path, story)
