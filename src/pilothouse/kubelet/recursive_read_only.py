"""Mounts that are read-only with all that is mounted below them, where the handler of a pod's runtime can do that.

What the spec asks for is resolved when a container is made; what came of it is told as the runtime tells it. Pure. See
KEP-3857.
"""

from collections.abc import Sequence

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Container, ContainerStatus, VolumeMount
from pilothouse.kubelet.cri.interface import Container as Run
from pilothouse.kubelet.environment import ConfigError

_WANTING = ("Enabled", "IfPossible")


def container_path(mount: VolumeMount) -> str:
    """Where a mount lies in the container."""
    return mount.mountPath if mount.mountPath.startswith("/") else f"/{mount.mountPath}"


def wanted(mounts: Sequence[VolumeMount]) -> bool:
    """Whether it matters here what the runtime can do."""
    return any(mount.recursiveReadOnly in _WANTING for mount in mounts)


def resolve(mount: VolumeMount, *, able: bool) -> bool:
    """Whether a mount is to be so, with a runtime that is `able` or not. Raises ConfigError."""
    mode = mount.recursiveReadOnly or "Disabled"
    if mode == "Disabled":
        return False
    asked = f'failed to resolve recursive read-only mode: volume "{mount.name}" requested recursive read-only mode, but'
    if mode not in _WANTING:
        raise ConfigError(f'failed to resolve recursive read-only mode: unknown recursive read-only mode "{mode}"')
    if not mount.readOnly:
        raise ConfigError(f"{asked} it is not read-only")
    if mount.mountPropagation not in ("", "None"):
        raise ConfigError(f'{asked} it is not compatible with propagation "{mount.mountPropagation}"')
    if mode == "Enabled" and not able:
        raise ConfigError(f"{asked} it is not supported by the runtime")
    return able


def told_mounts(container: Container, run: Run | None, before: ContainerStatus) -> list[JsonObject]:
    """A container's mounts as its status has them: as its run got them, or as it was told when that was still known."""
    if run is not None:
        deep = {mount.container_path for mount in run.mounts if mount.recursive_read_only}
    else:
        deep = {mount.mountPath for mount in before.volumeMounts if mount.recursiveReadOnly == "Enabled"}
    mounts: list[JsonObject] = []
    for mount in container.volumeMounts:
        told: JsonObject = {"name": mount.name, "mountPath": mount.mountPath}
        if mount.readOnly:
            is_deep = mount.mountPath in deep or container_path(mount) in deep
            told |= {"readOnly": True, "recursiveReadOnly": "Enabled" if is_deep else "Disabled"}
        mounts.append(told)
    return mounts
