"""/containerLogs: what a container wrote, as it was asked for, and with `follow` what it writes until it ends.

The answer begins as soon as it is known which run is meant; what fails after that is told in the text, as upstream
does. Source: pkg/kubelet/server/server.go, GetKubeletContainerLogs of pkg/kubelet/kubelet_pods.go.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

from pilothouse.kubelet.cri.interface import ContainerState, Cri, CriError, CriNotFound
from pilothouse.kubelet.log_file import Changes, read_log
from pilothouse.kubelet.server.known_pods import Pods, container_of, find_pod
from pilothouse.kubelet.server.log_request import LogRequest, choose_run, parse_log_request
from pilothouse.kubelet.server.question import Question
from pilothouse.kubelet.server.text import PLAIN, Refused
from pilothouse.net.http import Response
from pilothouse.runtime.clock import Clock


class ContainerLogs:
    """Logs of all runs that the runtime still knows."""

    def __init__(self, pods: Pods, cri: Cri, changes: Changes, clock: Clock) -> None:
        self._pods = pods
        self._cri = cri
        self._changes = changes
        self._clock = clock

    async def answer(self, question: Question, namespace: str, name: str, container: str) -> Response:
        """The log. Raises Refused."""
        wanted = parse_log_request(question.query, self._clock.now())
        run = self._run(namespace, name, container, wanted)
        return Response(200, self._body(run, wanted), content_type=PLAIN)

    def _run(self, namespace: str, name: str, container: str, wanted: LogRequest) -> str:
        pod = find_pod(self._pods, namespace, name)
        if pod is None:
            raise Refused(404, f'pod "{name}" does not exist')
        if container_of(pod, container) is None:
            raise Refused(404, f'container "{container}" not found in pod "{name}"')
        return choose_run(pod, container, previous=wanted.previous)

    async def _body(self, run: str, wanted: LogRequest) -> AsyncIterator[bytes]:
        try:
            path = Path((await self._cri.container_status(run)).log_path)
        except CriError:
            yield f"unable to retrieve container logs for containerd://{run}".encode()
            return

        async def running() -> bool:
            try:
                return (await self._cri.container_status(run)).state is ContainerState.RUNNING
            except CriNotFound:
                return False

        pieces = read_log(
            path, wanted.selection, tail=wanted.tail, follow=running if wanted.follow else None, changes=self._changes,
            clock=self._clock,
        )  # fmt: skip
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    yield piece
        except CriError as error:
            yield str(error).encode()
        except FileNotFoundError:
            yield f'failed to try resolving symlinks in path "{path}": lstat {path}: no such file or directory'.encode()
        except OSError as error:
            yield f'failed to read log file "{path}": {error.strerror or error}'.encode()
