"""Volumes made of files that the kubelet writes: on memory, so that no secret reaches a disk, and swapped at once."""

from pathlib import Path

from pilothouse.kubelet.atomic_files import FileContent, write_files
from pilothouse.kubelet.payloads import Payload
from pilothouse.kubelet.volume import Surroundings

DEFAULT_MODE = 0o644
_OPEN = 0o755
"""Whatever the umask: containers of any user read what is in it."""


def show_files(around: Surroundings, plugin: str, name: str, payload: Payload, *, in_memory: bool) -> Path:
    """Have the files in the volume's directory, readable by the pod's fsGroup."""
    directory = around.layout.volume(around.pod.metadata.uid, plugin, name)
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(_OPEN)
    if in_memory and not around.mounter.is_mounted(directory):
        around.mounter.tmpfs(directory, mode=_OPEN)
    group = around.pod.spec.securityContext.fsGroup
    if group is not None:
        payload = {
            path: FileContent(content.data, content.mode | 0o440, content.owner, group)
            for path, content in payload.items()
        }
    write_files(directory, payload, around.clock.now())
    return directory
