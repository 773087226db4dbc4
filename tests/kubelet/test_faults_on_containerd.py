"""What goes wrong inside real containers and below them: the status says so, and other pods never notice."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubelet.harness import FakeNode, pod
from kubelet.test_on_containerd import CGROUP, machine, run, shell  # noqa: F401 - `machine` is a fixture
from pilothouse.kubelet.containerd import ContainerdConfig
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.log_file import read_log
from pilothouse.kubelet.logs import Selection
from pilothouse.kubelet.resources.pod_cgroups import KernelPodCgroups
from pilothouse.linux.cgroups import Cgroups
from pilothouse.linux.inotify import Inotify
from pilothouse.linux.mounts import Mounts

pytestmark = pytest.mark.node
SLEEP = "exec /bin/busybox sleep 1000"


def container_id(node: FakeNode, name: str = "web") -> str:
    return str(node.state(name).get("containerID", "")).removeprefix("containerd://")


async def beside(node: FakeNode) -> None:
    """A pod that must not notice anything."""
    node.add(pod("beside", containers=[shell(SLEEP)]))
    await node.until(lambda: node.pods["beside"].status.phase == "Running", 20)


async def answers(node: FakeNode, cri: CriClient) -> None:
    """It does not."""
    done = await cri.exec_sync(container_id(node, "beside"), ["/bin/busybox", "echo", "here"], 10)
    assert done.stdout == b"here\n"
    assert node.state("beside")["restartCount"] == 0


def test_a_fork_bomb_is_kept_within_its_limit(machine: ContainerdConfig, tmp_path: Path) -> None:  # noqa: F811
    async def story(node: FakeNode, cri: CriClient) -> None:
        cgroups = Cgroups.detect()
        node.cgroups = KernelPodCgroups(cgroups, CGROUP, 64)
        await beside(node)
        bomb = "(while :; do /bin/busybox sleep 1000 & done) 2>/dev/null & exec /bin/busybox sleep 1000"
        node.add(pod(containers=[shell(bomb)], terminationGracePeriodSeconds=1))
        group = f"{CGROUP}/kubepods/besteffort/poduid-web"
        await node.until(lambda: len(cgroups.processes(group)) > 50, 60)
        await answers(node, cri)
        assert len(cgroups.processes(group)) <= 64
        node.delete_pod("web", 1)
        await node.until(lambda: "web" not in node.pods, 60)
        assert not cgroups.processes(group)

    run(machine, tmp_path, story)


def test_a_container_that_ignores_its_end_is_killed(machine: ContainerdConfig, tmp_path: Path) -> None:  # noqa: F811
    async def story(node: FakeNode, cri: CriClient) -> None:
        stubborn = "trap '' TERM; while :; do /bin/busybox sleep 1; done"
        node.add(pod(restartPolicy="Never", activeDeadlineSeconds=2, containers=[shell(stubborn)],
                     terminationGracePeriodSeconds=1))  # fmt: skip
        await node.until(lambda: node.pods["web"].status.phase == "Failed", 20)
        assert node.pods["web"].status.reason == "DeadlineExceeded"
        assert node.state()["state"]["terminated"]["exitCode"] == 128 + signal.SIGKILL

    run(machine, tmp_path, story)


def test_a_sandbox_whose_process_died_is_replaced(machine: ContainerdConfig, tmp_path: Path) -> None:  # noqa: F811
    async def story(node: FakeNode, cri: CriClient) -> None:
        await beside(node)
        node.add(pod(containers=[shell(SLEEP)]))
        await node.until(lambda: node.pods["web"].status.phase == "Running", 20)
        first, (box,) = container_id(node), [one for one in await cri.sandboxes() if one.name == "web"]
        group = f"{CGROUP}/kubepods/besteffort/poduid-web/{box.id}"
        (pause,) = Cgroups.detect().processes(group)
        os.kill(pause, signal.SIGKILL)
        await node.until(lambda: container_id(node) != first and bool(node.state()["ready"]), 60)
        assert "SandboxChanged" in node.told.reasons()
        assert node.state()["restartCount"] == 1
        await answers(node, cri)

    run(machine, tmp_path, story)


def memory(what: str) -> int:
    """Bytes that we have (VmRSS), or had at most (VmHWM)."""
    told = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) << 10 for line in told.splitlines() if line.startswith(what))


def memory_from_now_on() -> int:
    """What we have; what we had at most begins anew."""
    Path("/proc/self/clear_refs").write_text("5")
    return memory("VmRSS")


def test_an_endless_line_is_logged_and_read_in_pieces(
    machine: ContainerdConfig, tmp_path: Path, pytestconfig: pytest.Config  # noqa: F811
) -> None:  # fmt: skip
    """`make long-line` has it a gigabyte long."""
    length = pytestconfig.getoption("--line-megabytes") << 20

    async def story(node: FakeNode, cri: CriClient) -> None:
        node.add(pod(restartPolicy="Never", containers=[shell(f"/bin/busybox head -c {length} /dev/zero")]))
        await node.until(lambda: node.pods["web"].status.phase == "Succeeded", 60 + (length >> 24))
        log = node.layout.log(node.pods["web"], "app", 0)
        with Inotify() as changes:
            size, before = 0, memory_from_now_on()
            async for piece in read_log(log, Selection(), tail=None, follow=None, changes=changes, clock=node.clock):
                assert len(piece) < 1 << 20
                size += len(piece)
            assert size == length
            wanted = Selection(limit_bytes=10)
            last = read_log(log, wanted, tail=1, follow=None, changes=changes, clock=node.clock)
            assert sum([len(piece) async for piece in last]) == 10
            assert memory("VmHWM") - before < 16 << 20

    run(machine, tmp_path, story)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of eight megabytes."""
    image, place = tmp_path / "image", tmp_path / "disk"
    with image.open("wb") as file:
        file.truncate(8 << 20)
    place.mkdir()
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(place)], check=True)
    yield place
    mounts = Mounts()
    for point in mounts.below(place):
        mounts.unmount(point)


def test_a_full_disk_is_told_of_and_waited_for(
    machine: ContainerdConfig, small_disk: Path  # noqa: F811
) -> None:  # fmt: skip
    async def story(node: FakeNode, cri: CriClient) -> None:
        node.objects.config_maps["large"] = {"data": {"a": "x" * (900 << 10)}}
        await beside(node)
        ballast = small_disk / "ballast"
        with pytest.raises(OSError, match="No space left"):
            ballast.write_bytes(bytes(16 << 20))
        node.add(pod(containers=[shell(SLEEP)], volumes=[{"name": "large", "configMap": {"name": "large"}}]))
        await node.until(lambda: any("No space left on device" in message for _, _, message in node.told.events), 20)
        assert node.pods["web"].status.phase == "Pending"
        await answers(node, cri)
        ballast.unlink()
        await node.until(lambda: node.pods["web"].status.phase == "Running", 60)

    (small_disk / "node").mkdir()
    run(machine, small_disk / "node", story)
