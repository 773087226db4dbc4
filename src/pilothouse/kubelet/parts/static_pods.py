"""Runs the pods that a file or a URL tells of, and keeps their mirrors in the API."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.events import reference
from pilothouse.kubelet.log_file import Changes
from pilothouse.kubelet.part import NodeContext, Part
from pilothouse.kubelet.static_pods.config import FILE, URL
from pilothouse.kubelet.static_pods.files import ManifestFiles, follow_files
from pilothouse.kubelet.static_pods.manifest import stamped
from pilothouse.kubelet.static_pods.mirror import Mirrors
from pilothouse.kubelet.static_pods.url import ManifestUrl
from pilothouse.linux.inotify import Inotify


class StaticPods(Part):
    """Waits for no API server. Where no static pods are configured, only mirrors from earlier times are taken away."""

    name = "static pods"
    early = True

    def changes(self) -> AbstractContextManager[Changes]:
        """Who tells of changed files."""
        return Inotify()

    async def run(self, node: NodeContext) -> None:
        """Follow the sources."""
        wanted, clock, name = node.config.static_pods, node.services.clock, node.config.node_name
        with self.changes() as changes:
            async with asyncio.TaskGroup() as group:
                if wanted.path is not None:
                    files = ManifestFiles(wanted.path, name)
                    following = follow_files(files, wanted.file_check_frequency, changes, clock, _tell(node, FILE))
                    group.create_task(following, name="manifest files")
                if wanted.url:
                    url = ManifestUrl(wanted, name, clock)
                    group.create_task(url.follow(_tell(node, URL)), name="manifest URL")
                mirrors = Mirrors(node.client, node.sources, name, clock)
                group.create_task(mirrors.run(), name="mirror pods")


def _tell(node: NodeContext, source: str) -> Callable[[Sequence[Pod]], None]:
    def tell(pods: Sequence[Pod]) -> None:
        now = node.services.clock.now()
        for pod in node.sources.set(source, [stamped(pod, now) for pod in pods]):
            meta = pod.metadata
            named = f"{meta.name}_{meta.namespace}({meta.uid})"
            text = f'Error validating pod {named} from {source} due to duplicate pod name "{meta.name}", ignoring'
            node.services.recorder.event(reference(pod), "Warning", "FailedValidation", text)

    return tell
