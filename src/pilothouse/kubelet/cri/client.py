"""`Cri` over gRPC on a Unix socket: containerd, or any runtime that serves runtime.v1."""

from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Any, Self

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.counts.runtime_calls import Observe
from pilothouse.kubelet.cri import answers, counted
from pilothouse.kubelet.cri.connection import Connection
from pilothouse.kubelet.cri.deadlines import REQUEST
from pilothouse.kubelet.cri.features import CgroupDriver
from pilothouse.kubelet.cri.interface import (
    Container,
    CriNotFound,
    CriUnimplemented,
    ExecResult,
    Image,
    RuntimeStatus,
    Sandbox,
    Version,
)
from pilothouse.kubelet.cri.picture import Picture, picture
from pilothouse.kubelet.cri.usage import ContainerUse, ImageFilesystems, SandboxUse
from pilothouse.runtime.clock import Clock

_POD_UID = "io.kubernetes.pod.uid"
_NO_URL = "URL is not set"
_LONGEST = (1 << 63) - 1
"""Seconds, as many as can be said: pods may have any number of them to end."""


class CriClient:
    """A runtime behind `socket`, its images behind another where one is named. Use as an async context manager."""

    def __init__(self, socket: str, clock: Clock, request_timeout: float = REQUEST, images: str = "") -> None:
        self._connection = Connection(socket, clock, request_timeout, images)
        self._call = self._connection.call

    async def __aenter__(self) -> Self:
        await self._connection.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connection.__aexit__(kind, error, trace)

    def count_by(self, observe: Observe) -> None:
        """Have this told of every call from now on."""
        self._connection.observe = observe

    async def version(self) -> Version:
        """Name and version of the runtime."""
        return answers.version(await self._call("Version", version="v1"))

    async def status(self) -> RuntimeStatus:
        """Whether runtime and network are ready."""
        return answers.runtime_status(await self._call("Status"))

    async def run_sandbox(self, config: JsonObject, handler: str = "") -> str:
        """Make and start a sandbox with its network."""
        answer = await self._call("RunPodSandbox", config=config, runtime_handler=handler)
        return answers.given(answer.pod_sandbox_id, f'PodSandboxId is not set for sandbox "{config["metadata"]}"')

    async def stop_sandbox(self, sandbox_id: str) -> None:
        """Stop it and all in it."""
        await self._forgiving("StopPodSandbox", pod_sandbox_id=sandbox_id)

    async def remove_sandbox(self, sandbox_id: str) -> None:
        """Forget it and its containers."""
        await self._forgiving("RemovePodSandbox", pod_sandbox_id=sandbox_id)

    async def _forgiving(self, name: str, *, within: float = 0.0, **fields: Any) -> None:
        """A call that is done when its object is gone."""
        try:
            await self._call(name, within=within, **fields)
        except CriNotFound:
            return

    async def sandbox_status(self, sandbox_id: str) -> Sandbox:
        """One sandbox with its addresses."""
        return answers.sandbox_status((await self._call("PodSandboxStatus", pod_sandbox_id=sandbox_id)).status)

    async def sandboxes(self, uid: str = "") -> list[Sandbox]:
        """Those of one pod, or all."""
        wanted = {"label_selector": {_POD_UID: uid}} if uid else {}
        answer = await self._call("ListPodSandbox", filter=wanted)
        items = answers.listed(answer.items, "ListPodSandbox", of_one=bool(uid))
        return [answers.sandbox(item) for item in items if not uid or item.metadata.uid == uid]

    async def create_container(self, sandbox_id: str, config: JsonObject, sandbox_config: JsonObject) -> str:
        """Make a container."""
        answer = await self._call(
            "CreateContainer", pod_sandbox_id=sandbox_id, config=config, sandbox_config=sandbox_config
        )
        return answers.given(answer.container_id, f'ContainerId is not set for container "{config["metadata"]}"')

    async def start_container(self, container_id: str) -> None:
        """Start what was made."""
        await self._call("StartContainer", container_id=container_id)

    async def stop_container(self, container_id: str, timeout: float) -> None:
        """Signal it to end, and kill it after `timeout` seconds."""
        within = min(timeout, _LONGEST)
        await self._forgiving("StopContainer", within=within, container_id=container_id, timeout=int(within))

    async def remove_container(self, container_id: str) -> None:
        """Forget it."""
        await self._forgiving("RemoveContainer", container_id=container_id)

    async def containers(self, uid: str = "") -> list[Container]:
        """Those of one pod, or all."""
        wanted = {"label_selector": {_POD_UID: uid}} if uid else {}
        answer = await self._call("ListContainers", filter=wanted)
        items = answers.listed(answer.containers, "ListContainers", of_one=bool(uid))
        return [
            answers.container(item, sandbox_id=item.pod_sandbox_id)
            for item in items
            if not uid or item.labels.get(_POD_UID) == uid
        ]

    async def picture(self) -> Picture:
        """The states of all sandboxes and containers."""
        boxes, runs = (await self._call("ListPodSandbox")).items, (await self._call("ListContainers")).containers
        return picture(
            ((box.metadata.uid, box.id, answers.is_ready(box)) for box in boxes),
            ((run.pod_sandbox_id, run.id, answers.state(run)) for run in runs),
        )

    async def container_status(self, container_id: str) -> Container:
        """One container in full."""
        return answers.container_status((await self._call("ContainerStatus", container_id=container_id)).status)

    async def update_resources(self, container_id: str, linux: JsonObject) -> None:
        """Give a container other limits."""
        await self._call("UpdateContainerResources", container_id=container_id, linux=linux)

    async def update_sandbox_resources(self, sandbox_id: str, overhead: JsonObject, resources: JsonObject) -> None:
        """Tell what a sandbox has now."""
        await self._call("UpdatePodSandboxResources", pod_sandbox_id=sandbox_id, overhead=overhead, resources=resources)

    async def checkpoint(self, container_id: str, location: str, timeout: float) -> None:
        """Write a container's memory and files to an archive."""
        # As upstream: a runtime is given no less time than any other call has.
        seconds = int(max(timeout, self._connection.request_timeout))
        await self._call(
            "CheckpointContainer", within=timeout, container_id=container_id, location=location, timeout=seconds
        )

    async def exec_sync(self, container_id: str, command: Sequence[str], timeout: float) -> ExecResult:
        """Run a command to its end."""
        seconds = max(1, round(timeout)) if timeout else 0
        answer = await self._call(
            "ExecSync", within=timeout, container_id=container_id, cmd=list(command), timeout=seconds
        )
        return ExecResult(answer.exit_code, answer.stdout, answer.stderr)

    async def exec_url(
        self, container_id: str, command: Sequence[str], *, stdin: bool, stdout: bool, stderr: bool, tty: bool
    ) -> str:
        """Where to open a stream to a new command."""
        answer = await self._call(
            "Exec", container_id=container_id, cmd=list(command), stdin=stdin, stdout=stdout, stderr=stderr, tty=tty
        )
        return answers.given(answer.url, _NO_URL)

    async def attach_url(self, container_id: str, *, stdin: bool, stdout: bool, stderr: bool, tty: bool) -> str:
        """Where to open a stream to the container's own process."""
        answer = await self._call(
            "Attach", container_id=container_id, stdin=stdin, stdout=stdout, stderr=stderr, tty=tty
        )
        return answers.given(answer.url, _NO_URL)

    async def port_forward_url(self, sandbox_id: str, ports: Sequence[int]) -> str:
        """Where to open streams to ports in the sandbox."""
        answer = await self._call("PortForward", pod_sandbox_id=sandbox_id, port=list(ports))
        return answers.given(answer.url, _NO_URL)

    async def reopen_log(self, container_id: str) -> None:
        """Write on to a fresh file."""
        await self._call("ReopenContainerLog", container_id=container_id)

    async def images(self) -> list[Image]:
        """All images on the node."""
        return [answers.image(item) for item in (await self._call("ListImages")).images]

    async def image_status(self, image: str) -> Image | None:
        """One image, None when it is not here."""
        return answers.image_status(await self._call("ImageStatus", image={"image": image}), image)

    async def pull_image(self, image: str, auth: JsonObject | None, sandbox_config: JsonObject) -> str:
        """Fetch an image."""
        answer = await self._call("PullImage", image={"image": image}, auth=auth, sandbox_config=sandbox_config)
        return answers.given(answer.image_ref, f'imageRef of image "{image}" is not set')

    async def remove_image(self, image: str) -> None:
        """Delete it under all its names."""
        await self._forgiving("RemoveImage", image={"image": image})

    async def image_filesystems(self) -> ImageFilesystems:
        """Where images lie and what they take."""
        return counted.image_filesystems(await self._call("ImageFsInfo"))

    async def container_stats(self, uid: str = "") -> list[ContainerUse]:
        """What the running containers of one pod, or of all, use."""
        wanted = {"label_selector": {_POD_UID: uid}} if uid else {}
        return [counted.container_use(one) for one in (await self._call("ListContainerStats", filter=wanted)).stats]

    async def sandbox_stats(self, sandbox_id: str) -> SandboxUse:
        """What one sandbox uses."""
        return counted.sandbox_use(await self._call("PodSandboxStats", pod_sandbox_id=sandbox_id))

    async def runtime_config(self) -> CgroupDriver | None:
        """Who makes its control groups."""
        try:
            return answers.cgroup_driver(await self._call("RuntimeConfig"))
        except CriUnimplemented:
            return None

    async def events(self) -> AsyncIterator[str]:
        """Uids of pods whose containers changed."""
        async for event in self._connection.events():
            yield str(event.pod_sandbox_status.metadata.uid)
