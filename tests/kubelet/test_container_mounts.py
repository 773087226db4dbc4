"""What a pod's containers mount."""

import re
import stat
from pathlib import Path
from typing import Any

import pytest

from kubelet.harness import FakeMounter, pod
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.container_mounts import container_mounts
from pilothouse.kubelet.environment import ConfigError
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.runtime_config import Mount, NodeFacts
from pilothouse.kubelet.volume import HostVolume


def mounts_of(volume: HostVolume, *, able: bool = False, **mount: Any) -> list[Mount]:
    """What a container gets that mounts the volume `v` at /v."""
    mounts = [{"name": "v", "mountPath": "/v", **mount}]
    of = Pod(pod(containers=[{"name": "app", "image": "app:1", "volumeMounts": mounts}]))
    facts = NodeFacts(Layout(volume.path / "kubelet", volume.path / "logs"), "cluster.local", 1 << 30)
    return container_mounts(
        of, of.spec.containers[0], 2, {"v": volume}, {"WHO": "me"}, facts, FakeMounter(), recursive_read_only=able
    )


@pytest.mark.parametrize(("volume", "mount", "read_only"), [
    ({}, {}, False), ({}, {"readOnly": True}, True), ({"read_only": True}, {}, True),
    ({"read_only": True}, {"readOnly": False}, True),
])  # fmt: skip
def test_what_no_container_writes_is_read_only(
    tmp_path: Path, volume: dict[str, Any], mount: dict[str, Any], read_only: bool
) -> None:
    assert mounts_of(HostVolume(tmp_path, **volume), **mount)[0] == Mount("/v", str(tmp_path), read_only)


@pytest.mark.parametrize("mode", ["Disabled", "Enabled"])
def test_what_is_mounted_read_only_already_is_not_mounted_so_once_more(tmp_path: Path, mode: str) -> None:
    volume, deep = HostVolume(tmp_path, read_only=True, sealed=True), mode == "Enabled"
    (found, *_) = mounts_of(volume, able=True, readOnly=True, recursiveReadOnly=mode)
    assert found == Mount("/v", str(tmp_path), deep, recursive_read_only=deep)


def test_every_container_gets_names_of_hosts_and_a_file_for_its_last_words(tmp_path: Path) -> None:
    _, hosts, words = mounts_of(HostVolume(tmp_path), mountPropagation="HostToContainer")
    assert hosts == Mount("/etc/hosts", str(tmp_path / "kubelet/pods/uid-web/etc-hosts"))
    assert words == Mount("/dev/termination-log", str(tmp_path / "kubelet/pods/uid-web/containers/app/2"))
    assert stat.S_IMODE(Path(words.host_path).stat().st_mode) == 0o666
    (own,) = [one for one in mounts_of(HostVolume(tmp_path), mountPath="etc/hosts") if "hosts" in one.container_path]
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
        mounts_of(HostVolume(tmp_path), **mount)


@pytest.mark.parametrize(("expression", "path"), [("of/$(WHO)", "of/me"), ("$$(WHO)", "$(WHO)")])
def test_a_sub_path_may_be_made_of_variables(tmp_path: Path, expression: str, path: str) -> None:
    (first, *_) = mounts_of(HostVolume(tmp_path), subPathExpr=expression)
    assert first.host_path == str(tmp_path / "kubelet/pods/uid-web/volume-subpaths/v/app/0")
    assert (tmp_path / path).is_dir()


def test_a_device_is_no_directory(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='cannot find volume "v" to mount into container "app"'):
        mounts_of(HostVolume(tmp_path, device=True))


def test_what_cannot_be_made_in_a_volume_is_said_of_the_mount(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    message = 'failed to create subPath directory for volumeMount "v" of container "app"'
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        mounts_of(HostVolume(tmp_path), subPath="file/below")
