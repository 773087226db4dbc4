"""Volumes and disks that cannot be written to: the pod that wants to is told so, others go on."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubelet.harness import FakeNode, pod
from kubelet.left_on_node import left_by
from kubelet.test_faults_on_containerd import SLEEP, answers, beside
from kubelet.test_on_containerd import machine, run, shell  # noqa: F401 - `machine` is a fixture
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.containerd import ContainerdConfig
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.linux.mounts import Mounts

pytestmark = pytest.mark.node


def memory_disk(place: Path, *options: str) -> None:
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", str(place)], check=True)


def remount(place: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(place)], check=True)


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A file system that is read-only, with one file."""
    place = tmp_path / "read-only"
    memory_disk(place)
    (place / "there").write_text("as ever")
    remount(place, "ro")
    yield place
    Mounts().unmount(place)


@pytest.fixture
def kubelets(tmp_path: Path) -> Iterator[Path]:
    """A file system that the node lies on, but for its logs: what is written to cannot become read-only."""
    place = tmp_path / "disk"
    memory_disk(place)
    (tmp_path / "logs").mkdir()
    (place / "node").mkdir()
    (place / "node" / "logs").symlink_to(tmp_path / "logs")
    yield place
    mounts = Mounts()
    for point in mounts.below(place):
        mounts.unmount(point)


def waiting(node: FakeNode) -> JsonObject:
    """Why the container of the pod `parts` does."""
    found: JsonObject = node.state("parts")["state"].get("waiting", {})
    return found


def test_a_read_only_volume_is_read_and_refuses_the_rest(
    machine: ContainerdConfig, read_only: Path, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    async def story(node: FakeNode, cri: CriClient) -> None:
        await beside(node)
        volumes = [{"name": "v", "hostPath": {"path": str(read_only), "type": "Directory"}}]
        mounts = [{"name": "v", "mountPath": "/v"}]
        script = "/bin/busybox cat /v/there; echo new > /v/new || exit 7"
        node.add(pod(restartPolicy="Never", volumes=volumes, containers=[
            shell(script, volumeMounts=mounts, terminationMessagePolicy="FallbackToLogsOnError"),
        ]))  # fmt: skip
        inner = [{"name": "v", "mountPath": "/v", "subPath": "new/place"}]
        node.add(pod("parts", volumes=volumes, containers=[shell(SLEEP, volumeMounts=inner)]))
        await node.until(lambda: node.pods["web"].status.phase == "Failed", 20)
        ended = node.state()["state"]["terminated"]
        assert ended["exitCode"] == 7
        assert "as ever" in ended["message"]
        assert "Read-only file system" in ended["message"]
        await node.until(lambda: waiting(node).get("reason") == "CreateContainerConfigError", 20)
        assert node.pods["parts"].status.phase == "Pending"
        assert waiting(node)["message"] == 'failed to create subPath directory for volumeMount "v" of container "app"'
        await answers(node, cri)

    (tmp_path / "node").mkdir()
    with left_by(machine):
        run(machine, tmp_path / "node", story)


def test_a_kubelets_disk_that_turns_read_only_is_told_of_and_waited_for(
    machine: ContainerdConfig, kubelets: Path  # noqa: F811
) -> None:  # fmt: skip
    async def story(node: FakeNode, cri: CriClient) -> None:
        await beside(node)
        remount(kubelets, "ro")
        try:
            node.add(pod(terminationGracePeriodSeconds=0, volumes=[{"name": "v", "emptyDir": {}}],
                         containers=[shell(SLEEP, volumeMounts=[{"name": "v", "mountPath": "/v"}])]))  # fmt: skip
            await node.until(lambda: any("Read-only file system" in said for _, _, said in node.told.events), 20)
            assert node.pods["web"].status.phase == "Pending"
            await answers(node, cri)
        finally:
            remount(kubelets, "rw")
        await node.until(lambda: node.pods["web"].status.phase == "Running", 60)

    with left_by(machine):
        run(machine, kubelets / "node", story)
