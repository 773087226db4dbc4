"""/checkpoint/NAMESPACE/POD/CONTAINER: has the runtime write a running container to an archive (KEP-2008).

Runtimes that cannot do it say so. Source: pkg/kubelet/server/server.go and kubelet.go, CheckpointContainer.
"""

import asyncio

import orjson

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.cri.interface import ContainerState, CriError
from pilothouse.kubelet.server.known_pods import container_of, find_pod, full_name
from pilothouse.kubelet.server.page import Page
from pilothouse.kubelet.server.question import Question
from pilothouse.kubelet.server.text import Refused
from pilothouse.net.http import Response
from pilothouse.runtime.clock import format_time


class Checkpoint(Page):
    """Answers when the archive is there."""

    paths = ("checkpoint",)
    below = 3
    methods = ("POST",)

    async def answer(self, question: Question) -> Response:
        """Where the archive is. Raises Refused."""
        _, namespace, name, container = question.parts
        pod = find_pod(self._around.pods, namespace, name)
        if pod is None:
            raise Refused(404, "pod does not exist")
        if container_of(pod, container) is None:
            raise Refused(404, f"container {container} does not exist")
        timeouts = question.query.get("timeout", ("0",))
        if not timeouts[-1].removeprefix("-").isdecimal():
            raise Refused(404, "cannot parse value of timeout parameter")
        try:
            archive = await self._write(pod, container, float(timeouts[-1]))
        except (CriError, OSError, _NotFoundError) as error:
            raise Refused(500, f"checkpointing of {namespace}/{name}/{container} failed ({error})") from error
        return Response(200, orjson.dumps({"items": [archive]}))

    async def _write(self, pod: Pod, container: str, timeout: float) -> str:
        runs = await self._around.cri.containers(pod.metadata.uid)
        running = [one for one in runs if one.name == container and one.state is ContainerState.RUNNING]
        if not running:
            raise _NotFoundError(f"container {container} not found")
        directory = self._around.config.root / "checkpoints"
        await asyncio.to_thread(lambda: directory.mkdir(mode=0o700, exist_ok=True))
        now = format_time(self._around.clock.now())
        archive = str(directory / f"checkpoint-{full_name(pod)}-{container}-{now}.tar")
        await self._around.cri.checkpoint(running[-1].id, archive, timeout)
        return archive


class _NotFoundError(Exception):
    """Nothing runs under that name."""
