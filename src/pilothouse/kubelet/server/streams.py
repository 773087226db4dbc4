"""/exec, /attach, /portForward and /run: what callers do inside of containers.

The runtime is asked for a session of its own streaming server, and the caller's connection is joined to it.
Source: pkg/kubelet/server/server.go; GetExec, GetAttach, GetPortForward, RunInContainer of pkg/kubelet/kubelet_pods.go.
"""

from collections.abc import Awaitable
from dataclasses import replace
from typing import TypeVar

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.cri.interface import Container, ContainerState, Cri, CriError, CriNotFound
from pilothouse.kubelet.server.joining import Joining
from pilothouse.kubelet.server.known_pods import Pods, container_of, find_pod, full_name
from pilothouse.kubelet.server.question import Question
from pilothouse.kubelet.server.stream_request import wanted_ports, wanted_streams
from pilothouse.kubelet.server.text import Refused
from pilothouse.net.http import Response

T = TypeVar("T")
_RUN_SECONDS = 0.0
"""/run sets no limit to what it runs."""


class Streams:
    """Sessions with what runs. Every method may raise Refused."""

    def __init__(self, pods: Pods, cri: Cri, joining: Joining) -> None:
        self._pods = pods
        self._cri = cri
        self._joining = joining

    async def exec(self, question: Question, namespace: str, name: str, uid: str, container: str) -> Response:
        """A session with a new command."""
        wanted = wanted_streams(question.query)
        run = await self._alive(self._pod(namespace, name), uid, container)
        if run is None:
            raise Refused(500, f'container not found ("{container}")')
        command = list(question.query.get("command", ()))
        url = await _asked(
            self._cri.exec_url(
                run.id, command, stdin=wanted.stdin, stdout=wanted.stdout, stderr=wanted.stderr, tty=wanted.tty
            )
        )
        return await self._joining.command(question.request, url, wanted)

    async def attach(self, question: Question, namespace: str, name: str, uid: str, container: str) -> Response:
        """A session with the container's own process; whether that has a terminal, the spec says."""
        wanted = wanted_streams(question.query)
        pod = self._pod(namespace, name)
        spec, run = container_of(pod, container), await self._alive(pod, uid, container)
        if run is None or spec is None:
            raise Refused(500, f"container {container} not found in pod {full_name(pod)}")
        wanted = replace(wanted, tty=bool(spec.tty))
        url = await _asked(
            self._cri.attach_url(run.id, stdin=wanted.stdin, stdout=wanted.stdout, stderr=wanted.stderr, tty=wanted.tty)
        )
        return await self._joining.command(question.request, url, wanted)

    async def port_forward(self, question: Question, namespace: str, name: str, uid: str) -> Response:
        """Connections to ports in the pod."""
        ports = wanted_ports(question.request.headers, question.query)
        pod = self._pod(namespace, name)
        if uid and uid != pod.metadata.uid:
            raise Refused(404, "pod not found")
        sandboxes = [one for one in await _asked(self._cri.sandboxes(pod.metadata.uid)) if one.ready]
        if not sandboxes:
            raise Refused(500, f'pod not found ("{full_name(pod)}")')
        newest = max(sandboxes, key=lambda one: (one.attempt, one.created_at))
        url = await _asked(self._cri.port_forward_url(newest.id, ports))
        return await self._joining.port_forward(question.request, url)

    async def run(self, question: Question, namespace: str, name: str, uid: str, container: str) -> Response:
        """Run a command to its end; what it wrote."""
        run = await self._alive(self._pod(namespace, name), uid, container)
        if run is None:
            raise Refused(500, f'container not found ("{container}")')
        command = question.value("cmd").split(" ")
        result = await _asked(self._cri.exec_sync(run.id, command, _RUN_SECONDS))
        if result.exit_code:
            told = result.stderr.decode(errors="replace")
            raise Refused(500, f"command '{' '.join(command)}' exited with {result.exit_code}: {told}")
        return Response(200, result.stdout + result.stderr)

    def _pod(self, namespace: str, name: str) -> Pod:
        pod = find_pod(self._pods, namespace, name)
        if pod is None:
            raise Refused(404, "pod does not exist")
        return pod

    async def _alive(self, pod: Pod, uid: str, container: str) -> Container | None:
        """The container's run that has a process."""
        if uid and uid != pod.metadata.uid:
            return None
        listed = await _asked(self._cri.containers(pod.metadata.uid))
        runs = [one for one in listed if one.name == container and one.state is ContainerState.RUNNING]
        return max(runs, key=lambda run: (run.attempt, run.created_at), default=None)


async def _asked(answer: Awaitable[T]) -> T:
    """The runtime's answer, or its refusal."""
    try:
        return await answer
    except CriNotFound as error:
        raise Refused(404, str(error)) from error
    except CriError as error:
        raise Refused(429 if error.code == "RESOURCE_EXHAUSTED" else 500, str(error)) from error
