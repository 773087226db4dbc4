"""What pods are granted is on the disk, whole or not at all."""

from pathlib import Path

import pytest

from kubelet.observing import containers, pod, sidecar
from kubelet.resizing import resources
from pilothouse.kubelet.allocation_store import FILE, AllocationStore, asked
from pilothouse.kubelet.layout import Layout

SMALL, LARGE = resources("1"), resources("2")


def test_a_pod_is_run_with_what_it_was_granted() -> None:
    init = [sidecar("side", resources=SMALL), *containers("once", resources=SMALL)]
    granted = asked(pod(initContainers=init, containers=[*containers("app", resources=SMALL), *containers("none")]))
    init = [sidecar("side", resources=LARGE), *containers("once", resources=LARGE)]
    now = pod(initContainers=init, containers=containers("app", "none", resources=LARGE), resources=LARGE)
    spec = granted.applied(now).spec
    found = {one.name: dict(one.resources.raw) for one in (*spec.initContainers, *spec.containers)}
    # Init containers that come to an end are not resized: whatever they ask for is how it always was.
    assert found == {"side": SMALL, "once": LARGE, "app": SMALL, "none": {}}
    assert "resources" not in spec.raw
    assert now.spec.containers[0].resources.raw == LARGE


def test_a_pod_that_asks_for_no_more_is_left_as_it_is() -> None:
    """Also for speed: each look at a pod asks for this."""
    one = pod(containers=containers("app", resources=SMALL))
    assert asked(one).applied(one) is one
    other = pod(name="none", containers=[{"name": "app", "image": "i"}])
    assert asked(other).applied(other) is other


def test_a_record_outlives_the_kubelet_and_goes_with_the_pods_directory(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "kubelet", tmp_path / "logs")
    granted = asked(pod(containers=containers("app", resources=SMALL), resources=LARGE))
    AllocationStore(layout).save("u1", granted)
    assert AllocationStore(layout).load("u1") == granted
    assert [path.name for path in layout.pod("u1").iterdir()] == [FILE]
    assert AllocationStore(layout).load("u2") is None


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"generation": 1', b"\xff"])
def test_a_record_that_cannot_be_read_is_none(tmp_path: Path, content: bytes) -> None:
    """As after a power cut."""
    layout = Layout(tmp_path, tmp_path)
    layout.pod("u1").mkdir(parents=True)
    (layout.pod("u1") / FILE).write_bytes(content)
    assert AllocationStore(layout).load("u1") is None
