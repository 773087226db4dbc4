"""`Cri` over gRPC on a Unix socket: containerd, or any runtime that serves runtime.v1."""

from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Any, Self

import grpc
import grpc.aio

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri import table
from pilothouse.kubelet.cri.interface import (
    Container,
    ContainerState,
    CriError,
    CriNotFound,
    CriUnavailable,
    CriUnimplemented,
    ExecResult,
    Image,
    LinuxUser,
    RuntimeCondition,
    RuntimeStatus,
    Sandbox,
    Version,
)
from pilothouse.kubelet.cri.messages import Messages, enum_value

_LARGE = 16 << 20
"""Upstream's limit of one message: a listing of a full node exceeds gRPC's default of 4 MB."""
_ERRORS = {"NOT_FOUND": CriNotFound, "UNAVAILABLE": CriUnavailable, "UNIMPLEMENTED": CriUnimplemented}
_NODE = enum_value("NamespaceMode", "NODE")
_READY = enum_value("PodSandboxState", "SANDBOX_READY")
_POD_UID = "io.kubernetes.pod.uid"
_QUICK = 120.0
"""Deadline of ordinary calls: upstream's runtimeRequestTimeout."""
_LONG = 900.0
"""Deadline of a pull, which the network decides."""


class ContainerdCri:
    """A runtime behind `socket`. Use as an async context manager."""

    def __init__(self, socket: str) -> None:
        self._socket = socket
        self._messages = Messages()
        self._calls: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        options = [("grpc.max_receive_message_length", _LARGE), ("grpc.max_send_message_length", _LARGE),
                   ("grpc.max_reconnect_backoff_ms", 1000), ("grpc.enable_http_proxy", 0)]  # fmt: skip
        self._channel = grpc.aio.insecure_channel(f"unix://{self._socket}", options)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._channel.close()

    def _method(self, name: str, answer: str, *, stream: bool = False) -> Any:
        if name not in self._calls:
            service = "ImageService" if name in table.IMAGE_CALLS else "RuntimeService"
            make = self._channel.unary_stream if stream else self._channel.unary_unary
            self._calls[name] = make(
                f"/{table.PACKAGE}.{service}/{name}",
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=self._messages[answer].FromString,
            )
        return self._calls[name]

    async def _call(self, name: str, *, deadline: float = _QUICK, request: str = "", **fields: Any) -> Any:
        """One call: `name` gives the request and answer messages, `fields` the request's content."""
        stem = request or name
        message = self._messages[f"{stem}Request"](**fields)
        try:
            return await self._method(name, f"{stem}Response")(message, timeout=deadline)
        except grpc.aio.AioRpcError as error:
            raise _error(error) from None

    async def version(self) -> Version:
        """Name and version of the runtime."""
        answer = await self._call("Version", version="v1")
        return Version(answer.runtime_name, answer.runtime_version, answer.runtime_api_version)

    async def status(self) -> RuntimeStatus:
        """Whether runtime and network are ready."""
        answer = await self._call("Status")
        return RuntimeStatus(
            tuple(RuntimeCondition(c.type, c.status, c.reason, c.message) for c in answer.status.conditions),
            tuple(handler.name for handler in answer.runtime_handlers),
            answer.features.supplemental_groups_policy,
        )

    async def run_sandbox(self, config: JsonObject, handler: str = "") -> str:
        """Make and start a sandbox with its network."""
        # Upstream allows twice the ordinary time: the network plug-ins run inside this call.
        answer = await self._call("RunPodSandbox", deadline=2 * _QUICK, config=config, runtime_handler=handler)
        return str(answer.pod_sandbox_id)

    async def stop_sandbox(self, sandbox_id: str) -> None:
        """Stop it and all in it."""
        await self._forgiving("StopPodSandbox", pod_sandbox_id=sandbox_id)

    async def remove_sandbox(self, sandbox_id: str) -> None:
        """Forget it and its containers."""
        await self._forgiving("RemovePodSandbox", pod_sandbox_id=sandbox_id)

    async def _forgiving(self, name: str, *, deadline: float = _QUICK, **fields: Any) -> None:
        """A call that is done when its object is gone."""
        try:
            await self._call(name, deadline=deadline, **fields)
        except CriNotFound:
            return

    async def sandbox_status(self, sandbox_id: str) -> Sandbox:
        """One sandbox with its addresses."""
        status = (await self._call("PodSandboxStatus", pod_sandbox_id=sandbox_id)).status
        ips = (status.network.ip, *(extra.ip for extra in status.network.additional_ips))
        host_network = status.linux.namespaces.options.network == _NODE
        return _sandbox(status, tuple(ip for ip in ips if ip), host_network=host_network)

    async def sandboxes(self, uid: str = "") -> list[Sandbox]:
        """Those of one pod, or all."""
        wanted = {"label_selector": {_POD_UID: uid}} if uid else {}
        answer = await self._call("ListPodSandbox", filter=wanted)
        return [_sandbox(item, ()) for item in answer.items]

    async def create_container(self, sandbox_id: str, config: JsonObject, sandbox_config: JsonObject) -> str:
        """Make a container."""
        answer = await self._call(
            "CreateContainer", pod_sandbox_id=sandbox_id, config=config, sandbox_config=sandbox_config
        )
        return str(answer.container_id)

    async def start_container(self, container_id: str) -> None:
        """Start what was made."""
        await self._call("StartContainer", container_id=container_id)

    async def stop_container(self, container_id: str, timeout: float) -> None:
        """Signal it to end, and kill it after `timeout` seconds."""
        deadline = _QUICK + timeout
        await self._forgiving("StopContainer", deadline=deadline, container_id=container_id, timeout=int(timeout))

    async def remove_container(self, container_id: str) -> None:
        """Forget it."""
        await self._forgiving("RemoveContainer", container_id=container_id)

    async def containers(self, uid: str = "") -> list[Container]:
        """Those of one pod, or all."""
        wanted = {"label_selector": {_POD_UID: uid}} if uid else {}
        answer = await self._call("ListContainers", filter=wanted)
        return [_container(item, sandbox_id=item.pod_sandbox_id) for item in answer.containers]

    async def container_status(self, container_id: str) -> Container:
        """One container in full."""
        status = (await self._call("ContainerStatus", container_id=container_id)).status
        return _container(
            status, started_at=status.started_at / 1e9, finished_at=status.finished_at / 1e9,
            exit_code=status.exit_code, reason=status.reason, message=status.message, log_path=status.log_path,
            user=_user(status),
        )  # fmt: skip

    async def exec_sync(self, container_id: str, command: Sequence[str], timeout: float) -> ExecResult:
        """Run a command to its end."""
        # The deadline is ours as well: some runtimes forget theirs while the command's children hold its output.
        answer = await self._call(
            "ExecSync", deadline=timeout + 5 if timeout else _LONG, container_id=container_id, cmd=list(command),
            timeout=max(1, round(timeout)) if timeout else 0,
        )  # fmt: skip
        return ExecResult(answer.exit_code, answer.stdout, answer.stderr)

    async def exec_url(
        self, container_id: str, command: Sequence[str], *, stdin: bool, stdout: bool, stderr: bool, tty: bool
    ) -> str:
        """Where to open a stream to a new command."""
        answer = await self._call(
            "Exec", container_id=container_id, cmd=list(command), stdin=stdin, stdout=stdout, stderr=stderr, tty=tty
        )
        return str(answer.url)

    async def attach_url(self, container_id: str, *, stdin: bool, stdout: bool, stderr: bool, tty: bool) -> str:
        """Where to open a stream to the container's own process."""
        answer = await self._call(
            "Attach", container_id=container_id, stdin=stdin, stdout=stdout, stderr=stderr, tty=tty
        )
        return str(answer.url)

    async def port_forward_url(self, sandbox_id: str, ports: Sequence[int]) -> str:
        """Where to open streams to ports in the sandbox."""
        return str((await self._call("PortForward", pod_sandbox_id=sandbox_id, port=list(ports))).url)

    async def reopen_log(self, container_id: str) -> None:
        """Write on to a fresh file."""
        await self._call("ReopenContainerLog", container_id=container_id)

    async def images(self) -> list[Image]:
        """All images on the node."""
        return [_image(item) for item in (await self._call("ListImages")).images]

    async def image_status(self, image: str) -> Image | None:
        """One image, None when it is not here."""
        answer = await self._call("ImageStatus", image={"image": image})
        return _image(answer.image) if answer.HasField("image") and answer.image.id else None

    async def pull_image(self, image: str, auth: JsonObject | None, sandbox_config: JsonObject) -> str:
        """Fetch an image."""
        answer = await self._call(
            "PullImage", deadline=_LONG, image={"image": image}, auth=auth, sandbox_config=sandbox_config
        )
        return str(answer.image_ref)

    async def remove_image(self, image: str) -> None:
        """Delete it under all its names."""
        await self._forgiving("RemoveImage", image={"image": image})

    async def image_filesystem(self) -> str:
        """Where the images lie."""
        for usage in (await self._call("ImageFsInfo")).image_filesystems:
            return str(usage.fs_id.mountpoint)
        return ""

    async def events(self) -> AsyncIterator[str]:
        """Uids of pods whose containers changed."""
        call = self._method("GetContainerEvents", "ContainerEventResponse", stream=True)
        try:
            async for event in call(self._messages["GetEventsRequest"]()):
                yield str(event.pod_sandbox_status.metadata.uid)
        except grpc.aio.AioRpcError as error:
            raise _error(error) from None


def _error(error: grpc.aio.AioRpcError) -> CriError:
    code = error.code().name
    return _ERRORS.get(code, CriError)(code, error.details() or "")


def _sandbox(item: Any, ips: tuple[str, ...], *, host_network: bool = False) -> Sandbox:
    meta = item.metadata
    return Sandbox(
        item.id, meta.name, meta.namespace, meta.uid, meta.attempt, item.state == _READY, item.created_at / 1e9, ips,
        host_network, dict(item.labels), dict(item.annotations),
    )  # fmt: skip


def _container(item: Any, sandbox_id: str = "", **more: Any) -> Container:
    return Container(
        id=item.id, sandbox_id=sandbox_id, name=item.metadata.name, attempt=item.metadata.attempt,
        state=ContainerState(item.state), created_at=item.created_at / 1e9, image=item.image.image,
        image_ref=item.image_ref, labels=dict(item.labels), annotations=dict(item.annotations), **more,
    )  # fmt: skip


def _user(status: Any) -> LinuxUser | None:
    if not status.HasField("user") or not status.user.HasField("linux"):
        return None
    user = status.user.linux
    return LinuxUser(user.uid, user.gid, tuple(user.supplemental_groups))


def _image(item: Any) -> Image:
    return Image(
        item.id, tuple(item.repo_tags), tuple(item.repo_digests), item.size,
        item.uid.value if item.HasField("uid") else None, item.username, item.pinned,
    )  # fmt: skip
