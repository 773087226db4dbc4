"""Images shown by a real containerd that cannot mount them itself."""

import asyncio
import subprocess
from pathlib import Path

import pytest

from contract_images.archive import Image, Layer, write
from kubelet.harness import FakeNode, pod
from kubelet.test_on_containerd import log_of, machine, run, shell  # noqa: F401 - `machine` is a fixture
from pilothouse.kubelet.containerd import Containerd, ContainerdConfig
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.images.snapshots import ContainerdSnapshots
from pilothouse.kubelet.volume import VolumeError
from pilothouse.runtime.clock import SystemClock

pytestmark = pytest.mark.node
ONE, TWO = "docker.io/library/one:1", "docker.io/library/two:1"
SCRIPT = (
    "busybox cat /v/lower /v/etc/both; busybox touch /v/new 2>/dev/null || echo refused; "
    "/v/run 2>/dev/null || echo not run; /bin/busybox sh /v/run; exec /bin/busybox sleep 1000"
)


@pytest.fixture(scope="module")
def pictured(machine: ContainerdConfig) -> ContainerdConfig:  # noqa: F811
    """With an image of one layer, and one of two of which the upper hides a file of the lower."""
    lower, upper = Layer(), Layer()
    lower.file("/lower", "of the lower\n")
    lower.file("/etc/both", "hidden\n")
    lower.file("/run", "#!/bin/busybox sh\necho run\n", 0o755)
    upper.file("/etc/both", "of the upper\n")
    archive = machine.state / "pictures.tar"
    write({ONE: Image([lower]), TWO: Image([lower, upper])}, archive)
    asyncio.run(Containerd(machine, SystemClock()).import_image(archive))
    archive.unlink()
    return machine


def snapshots(config: ContainerdConfig) -> list[str]:
    """The keys of all views."""
    told = subprocess.run(
        ["ctr", "--address", str(config.socket), "--namespace", "k8s.io", "snapshots", "list"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return [line.split()[0] for line in told.splitlines() if line.split()[-1] == "View"]


@pytest.mark.parametrize(("image", "expected"), [
    (ONE, "of the lower\nhidden\nrefused\nnot run\nrun\n"),
    (TWO, "of the lower\nof the upper\nrefused\nnot run\nrun\n"),
])  # fmt: skip
def test_a_container_reads_what_an_image_holds(
    pictured: ContainerdConfig, tmp_path: Path, image: str, expected: str
) -> None:
    async def story(node: FakeNode, cri: CriClient) -> None:
        node.image_mounts = ContainerdSnapshots(pictured.socket, node.clock)
        box = shell(SCRIPT, volumeMounts=[{"name": "v", "mountPath": "/v"}])
        node.add(pod(containers=[box], volumes=[{"name": "v", "image": {"reference": image}}]))
        await node.until(lambda: node.pods["web"].status.phase == "Running", 20)
        assert len(snapshots(pictured)) == 1
        await node.clock.sleep(0.2)
        assert await log_of(node) == expected

    before = snapshots(pictured)
    run(pictured, tmp_path, story)
    assert snapshots(pictured) == before == []


def test_a_part_of_an_image(pictured: ContainerdConfig, tmp_path: Path) -> None:
    async def story(node: FakeNode, cri: CriClient) -> None:
        node.image_mounts = ContainerdSnapshots(pictured.socket, node.clock)
        mounts = [{"name": "v", "mountPath": "/v", "subPath": "etc"}]
        broken = [{"name": "v", "mountPath": "/v", "subPath": "none"}]
        script = "busybox ls /v; exec /bin/busybox sleep 1000"
        node.add(pod(volumes=[{"name": "v", "image": {"reference": TWO}}], containers=[
            shell(script, volumeMounts=mounts), shell(script, "other", volumeMounts=broken),
        ]))  # fmt: skip
        await node.until(lambda: "running" in node.state()["state"], 20)
        await node.until(lambda: node.state(container="other")["state"]["waiting"]["reason"][:6] == "Create", 20)
        assert node.state(container="other")["state"]["waiting"] == {
            "reason": "CreateContainerConfigError",
            "message": 'failed to create subPath directory for volumeMount "v" of container "other"',
        }
        await node.clock.sleep(0.2)
        assert await log_of(node) == "both\n"

    run(pictured, tmp_path, story)


def test_what_fails(pictured: ContainerdConfig, tmp_path: Path) -> None:
    """A view that is there already is shown as it is; one that is not there is removed without words."""

    shown = ContainerdSnapshots(pictured.socket, SystemClock())
    with pytest.raises(VolumeError, match="failed to get the layers of image none:1"):
        asyncio.run(shown.content("none:1"))
    with pytest.raises(VolumeError, match="failed to view image volume: parent snapshot sha256:0 does not exist"):
        asyncio.run(shown.show("sha256:0", "phk-key", tmp_path))
    content = asyncio.run(shown.content(TWO))
    with pytest.raises(VolumeError, match="failed to mount image volume: mount failed: exit status 32"):
        asyncio.run(shown.show(content, "phk-key", tmp_path / "none"))
    asyncio.run(shown.show(content, "phk-key", tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["etc", "lower", "run"]
    subprocess.run(["umount", tmp_path], check=True)
    for _ in range(2):
        asyncio.run(shown.hide("phk-key"))
    with pytest.raises(VolumeError, match=r"failed to remove image volume: failed to connect"):
        asyncio.run(ContainerdSnapshots(tmp_path / "none", SystemClock()).hide("phk-key"))
    assert snapshots(pictured) == []
