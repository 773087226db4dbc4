import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubelet.harness import FakeMounter, pod
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.pod_files import container_mounts
from pilothouse.kubelet.runtime_config import NodeFacts


@pytest.fixture
def strict() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("mode", [0o777, 0o2775, 0o750])
def test_a_sub_path_that_is_made_is_as_open_as_its_volume(tmp_path: Path, mode: int) -> None:
    """Whatever the umask: a container of another user shall write there as in the volume itself."""
    volume = tmp_path / "volume"
    volume.mkdir()
    volume.chmod(mode)
    mounts = [{"name": "data", "mountPath": "/data", "subPath": "a/b"}]
    raw = pod(containers=[{"name": "app", "image": "app:1", "volumeMounts": mounts}])
    facts = NodeFacts(Layout(tmp_path / "kubelet", tmp_path / "logs"), "cluster.local", 1 << 30)
    container_mounts(Pod(raw), Pod(raw).spec.containers[0], 0, {"data": volume}, {}, facts, FakeMounter())
    assert [stat.S_IMODE((volume / made).stat().st_mode) for made in ("a", "a/b")] == [mode, mode]
