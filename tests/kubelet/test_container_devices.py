"""Devices of a container."""

from pathlib import Path

import pytest

from pilothouse.api.types.core_v1 import Container
from pilothouse.kubelet.container_devices import container_devices
from pilothouse.kubelet.environment import ConfigError
from pilothouse.kubelet.volume import HostVolume

APP = Container({"name": "app", "volumeDevices": [{"name": "v", "devicePath": "/dev/x"}]})


@pytest.mark.parametrize(("read_only", "permissions"), [(False, "mrw"), (True, "mr")])
def test_a_volume_as_a_device(tmp_path: Path, read_only: bool, permissions: str) -> None:
    link = tmp_path / "link"
    link.symlink_to("/dev/null")
    given = container_devices(APP, {"v": HostVolume(link, device=True, read_only=read_only)})
    expected = {"container_path": "/dev/x", "host_path": "/dev/null", "permissions": permissions}
    assert given.devices == (expected,)
    assert container_devices(Container({"name": "b"}), {}).devices == ()


@pytest.mark.parametrize("volumes", [{}, {"v": HostVolume(Path("/dev/null"))}])
def test_what_is_no_device(volumes: dict[str, HostVolume]) -> None:
    with pytest.raises(ConfigError, match=r'^cannot find volume "v" to pass into container "app"$'):
        container_devices(APP, volumes)
