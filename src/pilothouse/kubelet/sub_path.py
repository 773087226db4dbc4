"""Sub-paths: a part of a volume that a container mounts in place of the whole.

What lies in a volume was perhaps made by a container: a link there must not lead out of it. So the part is opened below
the volume's root, made where it is missing, and bound to a place of the kubelet's own by its descriptor.
"""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from pilothouse.api.types.core_v1 import VolumeMount
from pilothouse.kubelet.environment import ConfigError
from pilothouse.kubelet.runtime_config import expand
from pilothouse.kubelet.volume import Mounter
from pilothouse.runtime.log import Log

log = Log(__name__)
_REFERENCE = re.compile(r"\$\(([^)]*)\)")


def part_of(mount: VolumeMount, environment: Mapping[str, str]) -> str:
    """What of the volume is mounted: a path in it, empty for all. Raises ConfigError."""
    within = mount.subPath
    if mount.subPathExpr:
        missing = {name: "" for name in _REFERENCE.findall(mount.subPathExpr) if not environment.get(name)}
        within = expand(mount.subPathExpr, {**environment, **missing})
        if lacking := [name for name in missing if f"$({name})" not in within]:
            raise ConfigError(f"missing value for {', '.join(sorted(lacking))}")
    if within.startswith("/"):
        raise ConfigError(f"error SubPath `{within}` must not be an absolute path")
    if ".." in within.split("/"):
        raise ConfigError(f"unable to provision SubPath `{within}`: must not contain '..'")
    return within


def bind_part(root: Path, within: str, target: Path, mounter: Mounter, whose: str) -> None:
    """Have what lies at `within` at `target` as well. Raises ConfigError that names `whose` it is."""
    if mounter.is_mounted(target):
        return
    try:
        descriptor = _open_or_make(root, within, mounter)
    except OSError as error:
        log.warning("Could not make a sub-path", root=str(root), path=within, err=str(error))
        raise ConfigError(f"failed to create subPath directory for {whose}") from error
    try:
        _bind(descriptor, target, mounter)
    except OSError as error:
        log.warning("Could not bind a sub-path", root=str(root), path=within, err=str(error))
        raise ConfigError(f"failed to prepare subPath for {whose}") from error
    finally:
        os.close(descriptor)


def _bind(descriptor: int, target: Path, mounter: Mounter) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    opened = Path(f"/proc/self/fd/{descriptor}")
    if opened.is_dir():
        target.mkdir(exist_ok=True)
    else:
        target.touch()
    mounter.bind(opened, target)


def _open_or_make(root: Path, within: str, mounter: Mounter) -> int:
    try:
        return mounter.open_within(root, within)
    except FileNotFoundError:
        pass
    parent, _, name = within.rstrip("/").rpartition("/")
    above = _open_or_make(root, parent, mounter) if parent else mounter.open_within(root, ".")
    try:
        os.mkdir(name, 0o700, dir_fd=above)
    except FileExistsError:
        return mounter.open_within(root, within)
    finally:
        os.close(above)
    made = mounter.open_within(root, within)
    # As open as the volume: whoever may write there may write here. By its link, a path alone can be changed.
    Path(f"/proc/self/fd/{made}").chmod(stat.S_IMODE(root.stat().st_mode))
    return made
