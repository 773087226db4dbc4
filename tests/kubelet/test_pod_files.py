"""What a pod's containers mount."""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubelet.harness import FakeMounter, pod
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.environment import ConfigError, EnvFile
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.pod_files import container_mounts, read_env_file
from pilothouse.kubelet.runtime_config import Mount, NodeFacts


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


def mounts_of(tmp_path: Path, volume: dict[str, Any], **mount: Any) -> list[Mount]:
    """What a container gets that mounts the volume `v` at /v."""
    mounts = [{"name": "v", "mountPath": "/v", **mount}]
    of = Pod(
        pod(containers=[{"name": "app", "image": "app:1", "volumeMounts": mounts}], volumes=[{"name": "v", **volume}])
    )
    facts = NodeFacts(Layout(tmp_path / "kubelet", tmp_path / "logs"), "cluster.local", 1 << 30)
    return container_mounts(
        of, of.spec.containers[0], 2, {"v": tmp_path}, {"WHO": "me"}, facts, FakeMounter()
    )  # fmt: skip


@pytest.mark.parametrize(("volume", "mount", "read_only"), [
    ({"emptyDir": {}}, {}, False),
    ({"emptyDir": {}}, {"readOnly": True}, True),
    ({"hostPath": {"path": "/"}}, {}, False),
    ({"configMap": {"name": "c"}}, {}, True),
    ({"secret": {"secretName": "s"}}, {}, True),
    ({"downwardAPI": {}}, {}, True),
    ({"projected": {}}, {}, True),
])  # fmt: skip
def test_what_the_kubelet_writes_no_container_does(
    tmp_path: Path, volume: dict[str, Any], mount: dict[str, Any], read_only: bool
) -> None:
    assert mounts_of(tmp_path, volume, **mount)[0] == Mount("/v", str(tmp_path), read_only)


def test_every_container_gets_names_of_hosts_and_a_file_for_its_last_words(tmp_path: Path) -> None:
    _, hosts, words = mounts_of(tmp_path, {"emptyDir": {}}, mountPropagation="HostToContainer")
    assert hosts == Mount("/etc/hosts", str(tmp_path / "kubelet/pods/uid-web/etc-hosts"))
    assert words == Mount("/dev/termination-log", str(tmp_path / "kubelet/pods/uid-web/containers/app/2"))
    assert stat.S_IMODE(Path(words.host_path).stat().st_mode) == 0o666
    (own,) = [
        one for one in mounts_of(tmp_path, {"emptyDir": {}}, mountPath="etc/hosts") if "hosts" in one.container_path
    ]
    assert own == Mount("/etc/hosts", str(tmp_path))


@pytest.mark.parametrize(("mount", "message"), [
    ({"name": "other"}, 'cannot find volume "other" to mount into container "app"'),
    ({"subPathExpr": "$(NOBODY)/$(WHO)/$(ELSE)"}, "missing value for ELSE, NOBODY"),
    ({"subPathExpr": "/$(WHO)"}, "error SubPath `/me` must not be an absolute path"),
    ({"subPath": "../x"}, "unable to provision SubPath `../x`: must not contain '..'"),
    ({"recursiveReadOnly": "Enabled", "readOnly": True},
     'volume "v" requested recursive read-only mode, but it is not supported by the runtime'),
])  # fmt: skip
def test_what_cannot_be_mounted_is_said(tmp_path: Path, mount: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        mounts_of(tmp_path, {"emptyDir": {}}, **mount)


@pytest.mark.parametrize(("expression", "path"), [("of/$(WHO)", "of/me"), ("$$(WHO)", "$(WHO)")])
def test_a_sub_path_may_be_made_of_variables(tmp_path: Path, expression: str, path: str) -> None:
    (first, *_) = mounts_of(tmp_path, {"emptyDir": {}}, subPathExpr=expression)
    assert first.host_path == str(tmp_path / "kubelet/pods/uid-web/volume-subpaths/v/app/0")
    assert (tmp_path / path).is_dir()


def test_a_file_of_variables_is_read_within_its_volume(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("A='1'")
    assert read_env_file(tmp_path, "f", FakeMounter()) == EnvFile(str(tmp_path / "f"), "A='1'")
    assert read_env_file(tmp_path, "none", FakeMounter()) == EnvFile(str(tmp_path / "none"), None)
    assert read_env_file(tmp_path, ".", FakeMounter()) == EnvFile(str(tmp_path), None)
    assert read_env_file(None, "f", FakeMounter()) is None
