"""Links to containers' logs, named after pod, namespace, container and id: agents that collect logs look for them.

Upstream's nodes have them in `/var/log/containers`, beside the logs themselves in `/var/log/pods`. A link is there from
a container's start until the container is forgotten; one that leads nowhere is swept away, unless the container runs:
then its log is just being rotated. Source: pkg/kubelet/kuberuntime/legacy.go, kuberuntime_gc.go.
"""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.cri.interface import Container, ContainerState, Cri, CriError, CriNotFound
from pilothouse.kubelet.log_rotate import remove_logs
from pilothouse.kubelet.runtime_config import CONTAINER_NAME, POD_NAME, POD_NAMESPACE
from pilothouse.runtime.log import Log

log = Log(__name__)
_SUFFIX = ".log"
_LONGEST = 255 - len(_SUFFIX)
_SHORTEST_ID = 6


def link_name(labels: Mapping[str, str], container_id: str) -> str:
    """What the link to a container's log is called; the container's labels say whose it is."""
    whose = f"{labels.get(POD_NAME, '')}_{labels.get(POD_NAMESPACE, '')}_{labels.get(CONTAINER_NAME, '')}"
    return f"{whose}-{container_id}"[:_LONGEST] + _SUFFIX


class LogLinks:
    """Those of one node, in one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def make(self, labels: Mapping[str, str], container_id: str, path: Path) -> None:
        """Link to the log of a container that has been started; none where its runtime writes none."""
        if not path.exists():
            return
        link = self._directory / link_name(labels, container_id)
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path)
        except OSError as error:
            log.warning("Failed to create legacy symbolic link", path=str(link), err=str(error))

    def forget(self, run: Container) -> None:
        """A run is to be forgotten: its logs go, and the link to them. Raises OSError."""
        remove_logs(run.log_path)
        (self._directory / link_name(run.labels, run.id)).unlink(missing_ok=True)

    def forget_all(self, pod: Pod, logs: Path) -> None:
        """A pod is gone, with the directory of its logs. Raises OSError."""
        whose = f"{pod.metadata.name}_{pod.metadata.namespace}_"[:_LONGEST]
        for name in self._names():
            link = self._directory / name
            if name.startswith(whose) and link.is_symlink() and logs in link.readlink().parents:
                link.unlink(missing_ok=True)

    async def sweep(self, cri: Cri) -> None:
        """Remove those that lead nowhere, also such of pods that went while no kubelet was there. Raises OSError."""
        for link in await asyncio.to_thread(self._dead):
            if await _may_go(cri, link.name.removesuffix(_SUFFIX).rpartition("-")[2]):
                await asyncio.to_thread(link.unlink, missing_ok=True)

    def _names(self) -> list[str]:
        if not self._directory.is_dir():
            return []
        return sorted(entry.name for entry in os.scandir(self._directory) if entry.name.endswith(_SUFFIX))

    def _dead(self) -> list[Path]:
        links = [self._directory / name for name in self._names()]
        return [link for link in links if link.is_symlink() and not link.exists()]


async def _may_go(cri: Cri, container_id: str) -> bool:
    if len(container_id) < _SHORTEST_ID:
        return True
    try:
        return (await cri.container_status(container_id)).state is ContainerState.EXITED
    except CriNotFound:
        return True
    except CriError as error:
        log.warning("Could not ask for the container of a dead link", container=container_id, err=str(error))
        return False
