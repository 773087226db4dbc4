"""Files and directories that the kubelet makes for a pod beside its volumes, and what containers mount of them all."""

import os
import re
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from pilothouse.api.types.core_v1 import Container, Pod, VolumeMount
from pilothouse.kubelet.environment import ConfigError, EnvFile
from pilothouse.kubelet.names_and_dns import hosts_file
from pilothouse.kubelet.runtime_config import Mount, NodeFacts, expand
from pilothouse.kubelet.volume import Mounter

_HOSTS = "/etc/hosts"
_REFERENCE = re.compile(r"\$\(([^)]*)\)")


def make_directories(pod: Pod, facts: NodeFacts) -> None:
    """What a sandbox needs: the pod's own directory and that of its logs."""
    meta, layout = pod.metadata, facts.layout
    layout.pod(meta.uid).mkdir(parents=True, exist_ok=True, mode=0o750)
    layout.pod_logs(meta.namespace, meta.name, meta.uid).mkdir(parents=True, exist_ok=True)


def write_hosts(pod: Pod, ips: Sequence[str], facts: NodeFacts) -> None:
    """The pod's /etc/hosts, written in place: containers have the file itself mounted."""
    path = facts.layout.hosts_file(pod.metadata.uid)
    node_hosts = Path(_HOSTS).read_text() if pod.spec.hostNetwork and Path(_HOSTS).exists() else ""
    text = hosts_file(pod, ips, facts.cluster_domain, node_hosts)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
        path.chmod(0o644)


def message_file(pod: Pod, name: str, attempt: int, facts: NodeFacts) -> Path:
    """Where one run of a container leaves its last words."""
    return facts.layout.container(pod.metadata.uid, name) / str(attempt)


def read_env_file(volume: Path | None, path: str, mounter: Mounter) -> EnvFile | None:
    """A file that a container may have written: links in it cannot lead out of the volume. None without a volume."""
    if volume is None:
        return None
    try:
        descriptor = mounter.open_within(volume, path)
    except OSError:
        return EnvFile(str(volume / path), None)
    try:
        opened = Path(f"/proc/self/fd/{descriptor}")
        return EnvFile(str(volume / path), opened.read_text() if opened.is_file() else None)
    except (OSError, ValueError):
        return EnvFile(str(volume / path), None)
    finally:
        os.close(descriptor)


def container_mounts(
    pod: Pod, container: Container, attempt: int, volumes: Mapping[str, Path], environment: Mapping[str, str],
    facts: NodeFacts, mounter: Mounter,
) -> list[Mount]:  # fmt: skip
    """All mounts of one run. Raises ConfigError."""
    mounts = [
        _volume_mount(pod, container, position, mount, volumes, environment, facts, mounter)
        for position, mount in enumerate(container.volumeMounts)
    ]
    taken = {mount.container_path for mount in mounts}
    if _HOSTS not in taken:
        mounts.append(Mount(_HOSTS, str(facts.layout.hosts_file(pod.metadata.uid))))
    if container.terminationMessagePath and container.terminationMessagePath not in taken:
        path = message_file(pod, container.name, attempt, facts)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        # Whatever user the container runs as writes it.
        path.chmod(0o666)
        mounts.append(Mount(container.terminationMessagePath, str(path)))
    return mounts


def _volume_mount(
    pod: Pod, container: Container, position: int, mount: VolumeMount, volumes: Mapping[str, Path],
    environment: Mapping[str, str], facts: NodeFacts, mounter: Mounter,
) -> Mount:  # fmt: skip
    source = volumes.get(mount.name)
    if source is None:
        raise ConfigError(f'cannot find volume "{mount.name}" to mount into container "{container.name}"')
    if mount.recursiveReadOnly == "Enabled":
        raise ConfigError(
            "failed to resolve recursive read-only mode: "
            f'volume "{mount.name}" requested recursive read-only mode, but it is not supported by the runtime'
        )
    within = _within(mount, environment)
    if within:
        target = facts.layout.pod(pod.metadata.uid) / "volume-subpaths" / mount.name / container.name / str(position)
        _bind_below(source, within, target, mounter)
        source = target
    path = mount.mountPath if mount.mountPath.startswith("/") else f"/{mount.mountPath}"
    return Mount(path, str(source), bool(mount.readOnly) or _is_ours(pod, mount.name), mount.mountPropagation)


def _within(mount: VolumeMount, environment: Mapping[str, str]) -> str:
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


def _is_ours(pod: Pod, name: str) -> bool:
    """Whether the kubelet alone writes the volume."""
    raw = next((volume.raw for volume in pod.spec.volumes if volume.name == name), {})
    return any(raw.get(field) is not None for field in ("configMap", "secret", "downwardAPI", "projected"))


def _bind_below(root: Path, within: str, target: Path, mounter: Mounter) -> None:
    """Bind what lies at `within` to `target`, by descriptor: a link that a container made cannot lead out."""
    if mounter.is_mounted(target):
        return
    descriptor = _open_or_make(root, within, mounter)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        opened = Path(f"/proc/self/fd/{descriptor}")
        if opened.is_dir():
            target.mkdir(exist_ok=True)
        else:
            target.touch()
        mounter.bind(opened, target)
    finally:
        os.close(descriptor)


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
