"""Block devices of a container: the pod's volumes without a file system, which its `volumeDevices` name."""

from pilothouse.api.types.core_v1 import Container
from pilothouse.kubelet.contribution import Contribution
from pilothouse.kubelet.environment import ConfigError
from pilothouse.kubelet.volume import HostVolumes


def container_devices(container: Container, volumes: HostVolumes) -> Contribution:
    """What one run gets. Raises ConfigError."""
    devices = []
    for device in container.volumeDevices:
        volume = volumes.get(device.name)
        if volume is None or not volume.device:
            raise ConfigError(f'cannot find volume "{device.name}" to pass into container "{container.name}"')
        devices.append({
            "container_path": device.devicePath,
            "host_path": str(volume.path.resolve()),
            "permissions": "mr" if volume.read_only else "mrw",
        })  # fmt: skip
    return Contribution(devices=tuple(devices))
