"""What a container mounts: its volumes or parts of them, the names of hosts, and a file for its last words."""

from collections.abc import Mapping

from pilothouse.api.types.core_v1 import Container, Pod, VolumeMount
from pilothouse.kubelet.environment import ConfigError
from pilothouse.kubelet.pod_files import HOSTS, message_file
from pilothouse.kubelet.recursive_read_only import container_path, resolve
from pilothouse.kubelet.runtime_config import Mount, NodeFacts
from pilothouse.kubelet.sub_path import bind_part, part_of
from pilothouse.kubelet.volume import HostVolumes, Mounter


def container_mounts(
    pod: Pod, container: Container, attempt: int, volumes: HostVolumes, environment: Mapping[str, str],
    facts: NodeFacts, mounter: Mounter, *, recursive_read_only: bool = False,
) -> list[Mount]:  # fmt: skip
    """All mounts of one run; `recursive_read_only`: its runtime knows such. Raises ConfigError."""
    mounts = [
        _volume_mount(pod, container, position, mount, volumes, environment, facts, mounter, able=recursive_read_only)
        for position, mount in enumerate(container.volumeMounts)
    ]
    taken = {mount.container_path for mount in mounts}
    if HOSTS not in taken:
        mounts.append(Mount(HOSTS, str(facts.layout.hosts_file(pod.metadata.uid))))
    if container.terminationMessagePath and container.terminationMessagePath not in taken:
        path = message_file(pod, container.name, attempt, facts)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        # Whatever user the container runs as writes it.
        path.chmod(0o666)
        mounts.append(Mount(container.terminationMessagePath, str(path)))
    return mounts


def _volume_mount(
    pod: Pod, container: Container, position: int, mount: VolumeMount, volumes: HostVolumes,
    environment: Mapping[str, str], facts: NodeFacts, mounter: Mounter, *, able: bool,
) -> Mount:  # fmt: skip
    volume = volumes.get(mount.name)
    if volume is None or volume.device:
        raise ConfigError(f'cannot find volume "{mount.name}" to mount into container "{container.name}"')
    source, path = volume.path, container_path(mount)
    within = part_of(mount, environment)
    if volume.image is not None:
        return Mount(path, "", read_only=True, image=volume.image, image_sub_path=within)
    deep = resolve(mount, able=able)
    if within:
        target = facts.layout.pod(pod.metadata.uid) / "volume-subpaths" / mount.name / container.name / str(position)
        bind_part(source, within, target, mounter, f'volumeMount "{mount.name}" of container "{container.name}"')
        source = target
    read_only = deep if volume.sealed else bool(mount.readOnly) or volume.read_only
    return Mount(path, str(source), read_only, mount.mountPropagation, deep)
