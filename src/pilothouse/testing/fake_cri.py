"""A container runtime that keeps containers as records: for component tests, and for nodes that are simulated.

It holds to what a real runtime promises (states, times, idempotent stops), gives out addresses, and lets the owner
decide what containers do: run until stopped, or end by themselves after a while. Time is the injected clock's.
"""

# ruff: noqa: ARG002 - a fake takes what the Protocol gives it
import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri.applied import LinuxResources, Mounted
from pilothouse.kubelet.cri.features import CgroupDriver, Features, Handler
from pilothouse.kubelet.cri.interface import (
    Container,
    ContainerState,
    CriError,
    CriNotFound,
    CriUnimplemented,
    ExecResult,
    RuntimeCondition,
    RuntimeStatus,
    Sandbox,
    Version,
)
from pilothouse.kubelet.cri.picture import Picture, picture
from pilothouse.kubelet.cri.signals import signal_name
from pilothouse.kubelet.cri.usage import ContainerUse, InterfaceUse, SandboxUse
from pilothouse.testing.fake_images import FakeImages

_POD_UID = "io.kubernetes.pod.uid"
_KILLED = 137


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a container does once started. `ends_after` None: it runs until it is stopped."""

    ends_after: float | None = None
    exit_code: int = 0
    ignores_signals: bool = False
    """Ends by SIGKILL alone, when the grace period is over."""
    start_error: str = ""
    """What the runtime says instead of starting it."""


Decide = Callable[[JsonObject], Behaviour]
"""From a container's configuration to what it does."""


def _runs(_config: JsonObject) -> Behaviour:
    return Behaviour()


@dataclass(slots=True)
class FakeCri(FakeImages):
    """`Cri` without containers."""

    behaviour: Decide = _runs
    prefix: str = "10.88.0."
    """The first three numbers of the addresses given out."""
    sandbox_seconds: float = 0.0
    start_seconds: float = 0.0
    strict_groups: bool = False
    handlers: tuple[Handler, ...] = ()
    cgroup_driver: CgroupDriver | None = CgroupDriver.CGROUPFS
    refused_updates: dict[str, str] = field(default_factory=dict)
    """Why a container, by its name, cannot be given other limits."""
    uses: dict[str, ContainerUse] = field(default_factory=dict)
    """What containers use, by their names."""
    interfaces: tuple[InterfaceUse, ...] = ()
    """Those that every sandbox has."""
    exec_results: dict[tuple[str, ...], ExecResult] = field(default_factory=dict)
    _sandboxes: dict[str, Sandbox] = field(default_factory=dict)
    _containers: dict[str, Container] = field(default_factory=dict)
    _configs: dict[str, JsonObject] = field(default_factory=dict)
    _timers: dict[str, asyncio.TimerHandle] = field(default_factory=dict)
    _ended: dict[str, asyncio.Event] = field(default_factory=dict)
    _count: int = 0

    async def version(self) -> Version:
        """Name and version of the runtime."""
        return Version("fake", "1.0.0", "v1")

    async def status(self) -> RuntimeStatus:
        """Always ready."""
        ready = (RuntimeCondition("RuntimeReady", True), RuntimeCondition("NetworkReady", True))
        return RuntimeStatus(ready, self.handlers, Features(supplemental_groups_policy=self.strict_groups))

    async def runtime_config(self) -> CgroupDriver | None:
        """Whatever `cgroup_driver` says."""
        return self.cgroup_driver

    def _id(self, what: str) -> str:
        self._count += 1
        return f"{what}-{self._count:04d}"

    async def run_sandbox(self, config: JsonObject, handler: str = "") -> str:
        """Record a ready sandbox with an address."""
        self.calls.append(f"run_sandbox {handler}".strip())
        if self.sandbox_seconds:
            await self.clock.sleep(self.sandbox_seconds)
        meta = config["metadata"]
        host = config["linux"]["security_context"]["namespace_options"]["network"] == 2
        made = self._id("sandbox")
        ips = () if host else (f"{self.prefix}{len(self._sandboxes) % 250 + 2}",)
        self._sandboxes[made] = Sandbox(
            made, meta["name"], meta["namespace"], meta["uid"], meta["attempt"], True, self.clock.now(), ips, host,
            dict(config["labels"]), dict(config["annotations"]), handler,
        )  # fmt: skip
        return made

    async def stop_sandbox(self, sandbox_id: str) -> None:
        """End all in it."""
        sandbox = self._sandboxes.get(sandbox_id)
        if sandbox is None:
            return
        self.calls.append("stop_sandbox")
        for container in list(self._containers.values()):
            if container.sandbox_id == sandbox_id:
                self._end(container.id, _KILLED)
        self._sandboxes[sandbox_id] = replace(sandbox, ready=False)

    async def remove_sandbox(self, sandbox_id: str) -> None:
        """Forget it and its containers."""
        self.calls.append("remove_sandbox")
        await self.stop_sandbox(sandbox_id)
        for container in list(self._containers.values()):
            if container.sandbox_id == sandbox_id:
                del self._containers[container.id]
        self._sandboxes.pop(sandbox_id, None)

    async def sandbox_status(self, sandbox_id: str) -> Sandbox:
        """One sandbox with its addresses."""
        if sandbox_id not in self._sandboxes:
            raise CriNotFound("NOT_FOUND", f'an error occurred when try to find sandbox "{sandbox_id}"')
        return self._sandboxes[sandbox_id]

    async def sandboxes(self, uid: str = "") -> list[Sandbox]:
        """Those of one pod, or all; as with a real runtime, without addresses."""
        found = [sandbox for sandbox in self._sandboxes.values() if not uid or sandbox.uid == uid]
        return [replace(sandbox, ips=()) for sandbox in found]

    async def create_container(self, sandbox_id: str, config: JsonObject, sandbox_config: JsonObject) -> str:
        """Record a container."""
        self.calls.append(f"create_container {config['metadata']['name']}")
        made, meta = self._id("container"), config["metadata"]
        log_path = Path(sandbox_config["log_directory"]) / config["log_path"]
        self._configs[made] = config
        self._containers[made] = Container(
            id=made, sandbox_id=sandbox_id, name=meta["name"], attempt=meta["attempt"], state=ContainerState.CREATED,
            created_at=self.clock.now() + self._count * 1e-6, image=config["image"].get("user_specified_image", ""),
            image_ref=config["image"]["image"], log_path=str(log_path), labels=dict(config["labels"]),
            annotations=dict(config["annotations"]), image_id=config["image"]["image"],
            resources=_limited(LinuxResources(), config.get("linux", {}).get("resources", {})),
            mounts=tuple(_mounted(mount) for mount in config.get("mounts", ())),
            stop_signal=signal_name(config.get("stop_signal", 0)),
        )  # fmt: skip
        return made

    async def update_resources(self, container_id: str, linux: JsonObject) -> None:
        """Note its new limits."""
        container = self._find(container_id)
        self.calls.append(f"update_resources {container.name}")
        if why := self.refused_updates.get(container.name):
            raise CriError("UNKNOWN", why)
        self._containers[container_id] = replace(
            container, resources=_limited(container.resources or LinuxResources(), linux)
        )

    async def update_sandbox_resources(self, sandbox_id: str, overhead: JsonObject, resources: JsonObject) -> None:
        """Of interest to virtual machines alone."""
        await self.sandbox_status(sandbox_id)
        self.calls.append("update_sandbox_resources")

    async def checkpoint(self, container_id: str, location: str, timeout: float) -> None:
        """Not offered."""
        raise CriUnimplemented("UNIMPLEMENTED", "method CheckpointContainer not implemented")

    async def container_stats(self, uid: str = "") -> list[ContainerUse]:
        """Whatever `uses` says of those that run."""
        return [
            replace(
                self.uses.get(one.name, ContainerUse("", "")), id=one.id, name=one.name, attempt=one.attempt,
                labels=one.labels,
            )
            for one in self._containers.values()
            if one.state is ContainerState.RUNNING and uid in ("", one.labels.get(_POD_UID))
        ]  # fmt: skip

    async def sandbox_stats(self, sandbox_id: str) -> SandboxUse:
        """Its containers and its interfaces; one process each."""
        box = await self.sandbox_status(sandbox_id)
        within = [one for one in await self.container_stats() if self._containers[one.id].sandbox_id == sandbox_id]
        return SandboxUse(
            box.id, box.name, box.namespace, box.uid, network_at=self.clock.now(), interfaces=self.interfaces,
            processes=len(within), containers=tuple(within),
        )  # fmt: skip

    async def start_container(self, container_id: str) -> None:
        """Let it run."""
        container = self._find(container_id)
        self.calls.append(f"start_container {container.name}")
        if self.start_seconds:
            await self.clock.sleep(self.start_seconds)
        does = self.behaviour(self._configs[container_id])
        now = self.clock.now()
        if does.start_error:
            self._containers[container_id] = replace(
                container, state=ContainerState.EXITED, exit_code=128, reason="StartError", message=does.start_error,
                finished_at=now,
            )  # fmt: skip
            raise CriError("UNKNOWN", does.start_error)
        self._containers[container_id] = replace(container, state=ContainerState.RUNNING, started_at=now)
        self._ended[container_id] = asyncio.Event()
        if does.ends_after is not None:
            self._timers[container_id] = self.clock.call_later(
                does.ends_after, lambda: self._end(container_id, does.exit_code)
            )

    def _find(self, container_id: str) -> Container:
        if container_id not in self._containers:
            raise CriNotFound("NOT_FOUND", f'an error occurred when try to find container "{container_id}": not found')
        return self._containers[container_id]

    def _end(self, container_id: str, exit_code: int, reason: str = "") -> None:
        container = self._containers.get(container_id)
        if container is None or container.state is not ContainerState.RUNNING:
            return
        self._containers[container_id] = replace(
            container, state=ContainerState.EXITED, exit_code=exit_code, finished_at=self.clock.now(),
            reason=reason or ("Completed" if exit_code == 0 else "Error"),
        )  # fmt: skip
        if timer := self._timers.pop(container_id, None):
            timer.cancel()
        self._ended[container_id].set()

    def end(self, name: str, exit_code: int = 0, reason: str = "") -> None:
        """Have the running container called `name` end by itself."""
        for container in list(self._containers.values()):
            if container.name == name:
                self._end(container.id, exit_code, reason)

    def config_of(self, container_id: str) -> JsonObject:
        """What a container was made from."""
        return self._configs[container_id]

    def lose_sandboxes(self) -> None:
        """As after a restart of the machine: nothing runs, the records stay."""
        for sandbox in list(self._sandboxes.values()):
            for container in list(self._containers.values()):
                self._end(container.id, 255, "Unknown")
            self._sandboxes[sandbox.id] = replace(sandbox, ready=False)

    async def stop_container(self, container_id: str, timeout: float) -> None:
        """End it at once, or after `timeout` where it ignores signals."""
        container = self._containers.get(container_id)
        if container is None or container.state is not ContainerState.RUNNING:
            return
        self.calls.append(f"stop_container {container.name} {timeout:g}")
        if self.behaviour(self._configs[container_id]).ignores_signals:
            try:
                async with self.clock.timeout(timeout):
                    await self._ended[container_id].wait()
            except TimeoutError:
                self._end(container_id, _KILLED)
        else:
            self._end(container_id, 0)

    async def remove_container(self, container_id: str) -> None:
        """Forget it."""
        self.calls.append("remove_container")
        self._end(container_id, _KILLED)
        self._containers.pop(container_id, None)

    async def containers(self, uid: str = "") -> list[Container]:
        """Those of one pod, or all, without what a status alone knows."""
        return [
            replace(container, started_at=0.0, finished_at=0.0, exit_code=0, reason="", message="")
            for container in self._containers.values()
            if not uid or container.labels.get(_POD_UID) == uid
        ]

    async def picture(self) -> Picture:
        """The states of all sandboxes and containers."""
        boxes, runs = await self.sandboxes(), await self.containers()
        return picture(
            ((box.uid, box.id, box.ready) for box in boxes), ((run.sandbox_id, run.id, run.state) for run in runs)
        )

    async def container_status(self, container_id: str) -> Container:
        """One container in full."""
        return self._find(container_id)

    async def exec_sync(self, container_id: str, command: Sequence[str], timeout: float) -> ExecResult:
        """Whatever `exec_results` says; success without output else."""
        if self._find(container_id).state is not ContainerState.RUNNING:
            raise CriError("UNKNOWN", "container is not running")
        return self.exec_results.get(tuple(command), ExecResult(0))

    async def exec_url(
        self, container_id: str, command: Sequence[str], *, stdin: bool, stdout: bool, stderr: bool, tty: bool
    ) -> str:
        """Not offered."""
        raise CriUnimplemented("UNIMPLEMENTED", "there is no process to attach to")

    async def attach_url(self, container_id: str, *, stdin: bool, stdout: bool, stderr: bool, tty: bool) -> str:
        """Not offered."""
        raise CriUnimplemented("UNIMPLEMENTED", "there is no process to attach to")

    async def port_forward_url(self, sandbox_id: str, ports: Sequence[int]) -> str:
        """Not offered."""
        raise CriUnimplemented("UNIMPLEMENTED", "there is no network to forward to")

    async def reopen_log(self, container_id: str) -> None:
        """There are no logs."""

    async def events(self) -> AsyncIterator[str]:
        """Not offered: listings are compared."""
        raise CriUnimplemented("UNIMPLEMENTED", "method GetContainerEvents not implemented")
        yield ""


def _limited(old: LinuxResources, asked: JsonObject) -> LinuxResources:
    """The limits after those that are named have changed."""
    changed = {name: value for name, value in asked.items() if value and name != "hugepage_limits"}
    pages = {limit["page_size"]: limit.get("limit", 0) for limit in asked.get("hugepage_limits", ())}
    return replace(old, **changed, hugepages={**old.hugepages, **pages})


def _mounted(mount: JsonObject) -> Mounted:
    return Mounted(
        mount["container_path"], mount.get("host_path", ""), mount.get("readonly", False),
        mount.get("recursive_read_only", False), mount.get("image", {}).get("image", ""),
    )  # fmt: skip
