"""Files and directories that the kubelet makes for a pod beside its volumes."""

import os
from collections.abc import Sequence
from pathlib import Path

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.environment import EnvFile
from pilothouse.kubelet.names_and_dns import hosts_file
from pilothouse.kubelet.runtime_config import NodeFacts
from pilothouse.kubelet.volume import HostVolume, Mounter

HOSTS = "/etc/hosts"


def make_directories(pod: Pod, facts: NodeFacts) -> None:
    """What a sandbox needs: the pod's own directory and that of its logs."""
    meta, layout = pod.metadata, facts.layout
    layout.pod(meta.uid).mkdir(parents=True, exist_ok=True, mode=0o750)
    layout.pod_logs(meta.namespace, meta.name, meta.uid).mkdir(parents=True, exist_ok=True)


def write_hosts(pod: Pod, ips: Sequence[str], facts: NodeFacts) -> None:
    """The pod's /etc/hosts, written in place: containers have the file itself mounted."""
    path = facts.layout.hosts_file(pod.metadata.uid)
    node_hosts = Path(HOSTS).read_text() if pod.spec.hostNetwork and Path(HOSTS).exists() else ""
    text = hosts_file(pod, ips, facts.cluster_domain, node_hosts)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
        path.chmod(0o644)


def message_file(pod: Pod, name: str, attempt: int, facts: NodeFacts) -> Path:
    """Where one run of a container leaves its last words."""
    return facts.layout.container(pod.metadata.uid, name) / str(attempt)


def read_env_file(host: HostVolume | None, path: str, mounter: Mounter) -> EnvFile | None:
    """A file that a container may have written: links in it cannot lead out of the volume. None without a volume."""
    if host is None:
        return None
    volume = host.path
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
