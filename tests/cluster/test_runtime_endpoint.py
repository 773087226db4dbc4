"""A cluster whose node uses a containerd that somebody else runs: it is neither started nor stopped, and kept clean."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.command import Cluster, eventually, is_root
from fakes.traces import differences, snapshot
from pilothouse.cluster.addresses import free_port
from pilothouse.kubelet.containerd import Containerd, ContainerdConfig
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.pause_image import image_archive
from pilothouse.linux.mounts import Mounts
from pilothouse.linux.processes import Identity
from pilothouse.runtime.clock import SystemClock

pytestmark = pytest.mark.node
HEAD = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
POD = {
    "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
    "spec": {
        "terminationGracePeriodSeconds": 0,
        "containers": [{"name": "app", "image": "box:1", "command": ["/bin/busybox", "sleep", "1000"]}],
    },
}  # fmt: skip


@pytest.fixture
def place() -> Iterator[Path]:
    if not is_root() or shutil.which("containerd") is None or shutil.which("busybox") is None:
        pytest.skip("needs root, containerd and busybox-static")
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="ph") as directory:
        Path(directory).chmod(0o711)
        yield Path(directory)


@pytest.fixture
def foreign(place: Path) -> Iterator[ContainerdConfig]:
    """A containerd with an image `box:1`."""
    config = ContainerdConfig(place / "root", place / "state", place / "cni", place / "registry")
    instance = Containerd(config, SystemClock())
    busybox = Path(str(shutil.which("busybox"))).read_bytes()
    archive = place / "box.tar"
    files = [("bin/busybox", busybox, 0o755)]
    archive.write_bytes(image_archive(files, ["/bin/busybox"], "docker.io/library/box:1"))

    async def start() -> None:
        await instance.start()
        await instance.import_image(archive)

    asyncio.run(start())
    yield config
    asyncio.run(instance.stop())
    mounts = Mounts()
    for point in mounts.below(place):
        mounts.unmount(point)


@pytest.fixture
def cluster(place: Path, foreign: ContainerdConfig) -> Iterator[Cluster]:
    made = Cluster(place / "home")
    yield made
    made.run("down", "--delete")


def sandboxes(config: ContainerdConfig) -> int:
    async def count() -> int:
        async with CriClient(str(config.socket), SystemClock()) as cri:
            return len(await cri.sandboxes())

    return asyncio.run(count())


def test_a_containerd_of_somebody_else_s(place: Path, foreign: ContainerdConfig, cluster: Cluster) -> None:
    (place / "kubelet.yaml").write_text(HEAD + "maxPods: 9\npodsPerCore: 3\n")
    (place / "more").mkdir()
    (place / "more" / "10-pods.conf").write_text(HEAD + "maxPods: 7\n")
    before = snapshot(cluster.home)
    process = Identity.load(foreign.state / "containerd.json")
    words = [
        "--port", str(free_port(6443)), "--kubelet-config", str(place / "kubelet.yaml"),
        "--kubelet-config-dir", str(place / "more"), "--container-runtime-endpoint", f"unix://{foreign.socket}",
        "--cni-conf-dir", str(foreign.cni_config), "--node-labels", "example.com/rack=r1",
        "--register-with-taints", "example.com/new=:PreferNoSchedule", "--hostname-override", "Elsewhere",
    ]  # fmt: skip
    cluster.run("up", *words, check=True)
    node = cluster.get("node", "elsewhere")
    assert (node["status"]["capacity"]["pods"], node["metadata"]["labels"]["example.com/rack"]) == ("7", "r1")
    assert ("example.com/new", "PreferNoSchedule") in [(one["key"], one["effect"]) for one in node["spec"]["taints"]]
    told = json.loads(cluster.kubectl("get", "--raw", "/api/v1/nodes/elsewhere/proxy/configz"))["kubeletconfig"]
    assert (told["maxPods"], told["podsPerCore"]) == (7, 3)
    assert told["containerRuntimeEndpoint"] == f"unix://{foreign.socket}"
    assert 'field="podsPerCore"' in (cluster.home / "logs" / "node.log").read_text()
    cluster.apply(POD)
    eventually(lambda: cluster.get("pod", "web")["status"].get("phase") == "Running")
    assert sandboxes(foreign) == 1
    assert "box:1" in cluster.run("image", "list", check=True).stdout
    refused = cluster.run("image", "load", str(place / "box.tar"))
    assert (refused.returncode, "images cannot be loaded into the container runtime" in refused.stderr) == (1, True)
    assert "another --kubelet-config" in cluster.run("up", "--max-pods", "3").stderr
    cluster.run("down", "--delete", check=True)
    assert process is not None
    assert process.alive(), "it is not ours to stop"
    assert sandboxes(foreign) == 0
    assert [*foreign.cni_config.iterdir()] == []
    assert differences(before, snapshot(cluster.home)) == {}
