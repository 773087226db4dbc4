"""`Cri`: what the kubelet asks of a runtime, and the plain records it gets back.

Configurations go in as literals shaped like CRI's own messages (`{"metadata": {...}, "image": {...}}`), so that they
are built by pure functions and compared in tests; answers come out as frozen dataclasses, times as float seconds.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri.applied import LinuxResources, Mounted
from pilothouse.kubelet.cri.features import CgroupDriver, Features, Handler
from pilothouse.kubelet.cri.picture import Picture
from pilothouse.kubelet.cri.usage import ContainerUse, ImageFilesystems, SandboxUse
from pilothouse.runtime.clock import Instant


class CriError(Exception):
    """The runtime refused or failed. `code` is gRPC's word, such as `INVALID_ARGUMENT`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"rpc error: code = {_GO_CODES.get(self.code, self.code)} desc = {self.message}"


class CriNotFound(CriError):
    """No such sandbox, container or image."""


class CriUnavailable(CriError):
    """The runtime cannot be reached."""


class CriUnimplemented(CriError):
    """This runtime does not offer the call."""


class CriNonsense(CriError):
    """The runtime's answer cannot be read, or lacks what it must hold."""

    def __init__(self, message: str) -> None:
        super().__init__("INTERNAL", message)

    def __str__(self) -> str:
        return self.message


_GO_CODES = {
    "UNKNOWN": "Unknown", "INVALID_ARGUMENT": "InvalidArgument", "DEADLINE_EXCEEDED": "DeadlineExceeded",
    "NOT_FOUND": "NotFound", "ALREADY_EXISTS": "AlreadyExists", "PERMISSION_DENIED": "PermissionDenied",
    "RESOURCE_EXHAUSTED": "ResourceExhausted", "FAILED_PRECONDITION": "FailedPrecondition", "ABORTED": "Aborted",
    "OUT_OF_RANGE": "OutOfRange", "UNIMPLEMENTED": "Unimplemented", "INTERNAL": "Internal",
    "UNAVAILABLE": "Unavailable", "DATA_LOSS": "DataLoss", "UNAUTHENTICATED": "Unauthenticated",
    "CANCELLED": "Canceled",
}  # fmt: skip
"""Messages of pods and events carry gRPC's codes as Go spells them."""


class ContainerState(Enum):
    """Where a container stands."""

    CREATED = 0
    RUNNING = 1
    EXITED = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Version:
    """Who the runtime is."""

    name: str
    """Such as `containerd`: what the ids of containers begin with in pods' statuses."""
    version: str
    api_version: str


@dataclass(frozen=True, slots=True)
class RuntimeCondition:
    """`RuntimeReady` and `NetworkReady`, above all."""

    type: str
    status: bool
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class RuntimeStatus:
    """The runtime's own view of its health, and what it can do: old runtimes say nothing of that."""

    conditions: tuple[RuntimeCondition, ...]
    handlers: tuple[Handler, ...] = ()
    features: Features | None = None

    @property
    def strict_groups(self) -> bool:
        """Whether it can leave out the groups that an image gives its user."""
        return self.features is not None and self.features.supplemental_groups_policy

    def handler(self, name: str) -> Handler:
        """The one of that name: one that can do nothing, where the runtime does not tell."""
        return next((handler for handler in self.handlers if handler.name == name), Handler(name))


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A pod's sandbox: its namespaces, held by the pause process."""

    id: str
    name: str
    namespace: str
    uid: str
    attempt: int
    ready: bool
    created_at: Instant
    ips: tuple[str, ...] = ()
    """Known from `sandbox_status` only; empty for host network."""
    host_network: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    handler: str = ""


@dataclass(frozen=True, slots=True)
class LinuxUser:
    """As whom a container's first process runs."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Container:
    """A container as the runtime reports it. A listing leaves out what `container_status` alone knows."""

    id: str
    sandbox_id: str
    name: str
    attempt: int
    state: ContainerState
    created_at: Instant
    image: str = ""
    """As the runtime names it, which is more complete than what the pod asked for."""
    image_ref: str = ""
    """What it resolved to: `name@sha256:...`, or the image's id."""
    image_id: str = ""
    """The image's id; old runtimes do not tell."""
    started_at: Instant = 0.0
    finished_at: Instant = 0.0
    exit_code: int = 0
    reason: str = ""
    message: str = ""
    log_path: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    user: LinuxUser | None = None
    """Where the runtime tells; so the rest."""
    resources: LinuxResources | None = None
    mounts: tuple[Mounted, ...] = ()
    stop_signal: str = ""
    """As the API writes it, such as `SIGRTMIN+1`."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image on the node."""

    id: str
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    size: int = 0
    uid: int | None = None
    username: str = ""
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class ExecResult:
    """What a command in a container gave."""

    exit_code: int
    stdout: bytes = b""
    stderr: bytes = b""


class Cri(Protocol):
    """A container runtime. Every call may raise CriError."""

    async def version(self) -> Version:
        """Name and version of the runtime."""
        ...

    async def status(self) -> RuntimeStatus:
        """Whether runtime and network are ready."""
        ...

    async def run_sandbox(self, config: JsonObject, handler: str = "") -> str:
        """Make and start a sandbox with its network; its id."""
        ...

    async def stop_sandbox(self, sandbox_id: str) -> None:
        """Stop it and all in it, and give its addresses back. Stopping again does no harm."""
        ...

    async def remove_sandbox(self, sandbox_id: str) -> None:
        """Forget it and its containers."""
        ...

    async def sandbox_status(self, sandbox_id: str) -> Sandbox:
        """One sandbox with its addresses. Raises CriNotFound."""
        ...

    async def sandboxes(self, uid: str = "") -> list[Sandbox]:
        """Those of one pod, or all."""
        ...

    async def create_container(self, sandbox_id: str, config: JsonObject, sandbox_config: JsonObject) -> str:
        """Make a container; its id."""
        ...

    async def start_container(self, container_id: str) -> None:
        """Start what was made."""
        ...

    async def stop_container(self, container_id: str, timeout: float) -> None:
        """Signal it to end, and kill it after `timeout` seconds; returns when it has ended."""
        ...

    async def remove_container(self, container_id: str) -> None:
        """Forget it; its log stays."""
        ...

    async def containers(self, uid: str = "") -> list[Container]:
        """Those of one pod, or all, without exit code and times."""
        ...

    async def picture(self) -> Picture:
        """The states of all sandboxes and containers."""
        ...

    async def container_status(self, container_id: str) -> Container:
        """One container in full. Raises CriNotFound."""
        ...

    async def update_resources(self, container_id: str, linux: JsonObject) -> None:
        """Give a container other limits: those named, a message of LinuxContainerResources. All of them or none."""
        ...

    async def update_sandbox_resources(self, sandbox_id: str, overhead: JsonObject, resources: JsonObject) -> None:
        """Tell what a sandbox has now: its handler's own share, and the sum of its containers. After the cgroups."""
        ...

    async def checkpoint(self, container_id: str, location: str, timeout: float) -> None:
        """Write a container's memory and files to an archive; 0: within the time of any other call."""
        ...

    async def exec_sync(self, container_id: str, command: Sequence[str], timeout: float) -> ExecResult:
        """Run a command to its end. Raises CriError with DEADLINE_EXCEEDED when it takes longer."""
        ...

    async def exec_url(
        self, container_id: str, command: Sequence[str], *, stdin: bool, stdout: bool, stderr: bool, tty: bool
    ) -> str:
        """Where to open a stream to a new command."""
        ...

    async def attach_url(self, container_id: str, *, stdin: bool, stdout: bool, stderr: bool, tty: bool) -> str:
        """Where to open a stream to the container's own process."""
        ...

    async def port_forward_url(self, sandbox_id: str, ports: Sequence[int]) -> str:
        """Where to open streams to ports in the sandbox."""
        ...

    async def reopen_log(self, container_id: str) -> None:
        """Write on to a fresh file after the log was moved away."""
        ...

    async def images(self) -> list[Image]:
        """All images on the node."""
        ...

    async def image_status(self, image: str) -> Image | None:
        """One image, None when it is not here."""
        ...

    async def pull_image(self, image: str, auth: JsonObject | None, sandbox_config: JsonObject) -> str:
        """Fetch an image; what it resolved to."""
        ...

    async def remove_image(self, image: str) -> None:
        """Delete it under all its names."""
        ...

    async def image_filesystems(self) -> ImageFilesystems:
        """Where images lie and what they take."""
        ...

    async def container_stats(self, uid: str = "") -> list[ContainerUse]:
        """What the running containers of one pod, or of all, use."""
        ...

    async def sandbox_stats(self, sandbox_id: str) -> SandboxUse:
        """What one sandbox uses. For all at once there is a call too, which fails in old runtimes when one is gone."""
        ...

    async def runtime_config(self) -> CgroupDriver | None:
        """Who makes its control groups; None: it does not tell."""
        ...

    def events(self) -> AsyncIterator[str]:
        """Uids of pods whose containers changed, for as long as it is read. Raises CriUnimplemented."""
        ...
