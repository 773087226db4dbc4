"""What pods and nodes use, as kubectl shows it: the oldest and the newest of this machine."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.command import Cluster, eventually
from fakes.kubectls import installed

SPACE = "top"
BUSY = ["/bin/busybox", "sh", "-c", "while :; do :; done"]
IDLE = ["/bin/busybox", "sleep", "3600"]
KUBECTLS = sorted({installed()[0], installed()[-1]}) if installed() else []
LINE = re.compile(r"^(\S+)\s+(\d+)m\s+(\d+)Mi", re.MULTILINE)


@pytest.fixture(scope="module")
def busy(cluster: Cluster, image: str) -> Iterator[None]:
    """A pod that is busy, beside an idle container, and one that is idle."""
    cluster.kubectl("create", "namespace", SPACE)
    containers = {"busy": [("busy", BUSY), ("idle", IDLE)], "quiet": [("idle", IDLE)]}
    cluster.apply(*(
        {
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": pod, "namespace": SPACE, "labels": {"app": pod}},
            "spec": {
                "terminationGracePeriodSeconds": 0,
                "containers": [{"name": name, "image": image, "command": command} for name, command in each],
            },
        }
        for pod, each in containers.items()
    ))  # fmt: skip
    cluster.kubectl("-n", SPACE, "wait", "--for=condition=Ready", "pod", "--all", "--timeout=60s")
    eventually(lambda: len(used(cluster.kubectl("top", "pod", "-n", SPACE))) == 2)
    yield
    cluster.kubectl("delete", "namespace", SPACE, "--wait=false")


def used(shown: str) -> dict[str, int]:
    """Thousandths of a CPU by name."""
    return {name: int(cpu) for name, cpu, _ in LINE.findall(shown)}


@pytest.mark.parametrize("binary", KUBECTLS, ids=lambda path: Path(path).name)
@pytest.mark.usefixtures("busy")
def test_top(cluster: Cluster, binary: str) -> None:
    def top(*words: str) -> str:
        return cluster.kubectl("top", *words, binary=binary)

    pods = used(top("pod", "-n", SPACE))
    assert pods.keys() == {"busy", "quiet"}
    assert pods["busy"] > 100 > pods["quiet"]
    assert list(used(top("pod", "-n", SPACE, "--sort-by=cpu"))) == ["busy", "quiet"]
    assert list(used(top("pod", "-n", SPACE, "-l", "app=quiet"))) == ["quiet"]
    assert list(used(top("pod", "quiet", "-n", SPACE))) == ["quiet"]
    assert re.search(rf"^{SPACE}\s+busy\s+\d+m\s", top("pod", "-A", "--sort-by=memory"), re.MULTILINE)
    by_container = top("pod", "-n", SPACE, "--containers")
    assert re.findall(r"^(\w+)\s+(\w+)\s+\d+m", by_container, re.MULTILINE) == [
        ("busy", "busy"), ("busy", "idle"), ("quiet", "idle"),
    ]  # fmt: skip
    node = cluster.kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}").strip()
    for words in (("node",), ("node", node)):
        (shown,) = re.findall(r"^(\S+)\s+(\d+)m\s+\d+%\s+(\d+)Mi\s+\d+%", top(*words), re.MULTILINE)
        assert shown[0] == node
        assert int(shown[1]) >= 100
        assert int(shown[2]) > 50
    refused = cluster.try_kubectl("top", "pod", "none", "-n", SPACE, binary=binary)
    assert 'pods "none" not found' in refused.stderr
