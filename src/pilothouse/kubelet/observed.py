"""What is known of a pod beside its spec: what the runtime reports and what the kubelet remembers of its attempts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pilothouse.kubelet.cri.interface import Container, ContainerState, Cri, CriNotFound, Sandbox
from pilothouse.runtime.clock import Instant


@dataclass(frozen=True, slots=True)
class CrashWait:
    """How long a container that ended waits before it runs again."""

    seconds: float
    since: Instant
    """When this wait was decided, which is when the container was last started."""
    shape: str = ""
    """Of the container then: with another image it starts without a past."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a container could not be started, as its status will say."""

    reason: str
    message: str
    retry_at: Instant = 0.0


@dataclass(frozen=True, slots=True)
class Health:
    """What the probes say of one run of a container. None: no verdict yet."""

    started: bool | None = None
    ready: bool | None = None
    live: bool | None = None
    startup_failed: bool = False


@dataclass(frozen=True, slots=True)
class ResizeNote:
    """What a condition says of a change of a pod's resources."""

    reason: str = ""
    message: str = ""
    generation: int = 0
    """Of the spec that asks for it."""


@dataclass(frozen=True, slots=True)
class ResizeState:
    """How far a change of a pod's resources has come."""

    pending: ResizeNote | None = None
    """What the spec asks for is not granted, for this reason."""
    in_progress: ResizeNote | None = None
    """What is granted is not in force yet; reason and message are empty while all goes well."""
    fitted: bool = False
    """The runtime and the pod's control group have been told of what is granted."""
    retry_at: Instant = 0.0
    """They are not told again before."""
    restarting: frozenset[str] = frozenset()
    """Ids of runs that are ended only so that their containers start anew with other resources."""


@dataclass(frozen=True, slots=True)
class ObservedPod:
    """One pod as of now. Sandboxes and containers are ordered newest first."""

    sandboxes: tuple[Sandbox, ...] = ()
    containers: tuple[Container, ...] = ()
    waits: Mapping[str, CrashWait] = field(default_factory=dict)
    """By container name."""
    failures: Mapping[str, Failure] = field(default_factory=dict)
    """By container name."""
    health: Mapping[str, Health] = field(default_factory=dict)
    """By container id."""
    resize: ResizeState = field(default_factory=ResizeState)
    unthrottled: frozenset[str] = frozenset()
    """Names of the containers that have all the time of their processors, whatever their limits say."""
    runtime: str = "containerd"
    """What the runtime calls itself."""

    @property
    def sandbox(self) -> Sandbox | None:
        """The newest sandbox, whatever its state."""
        return self.sandboxes[0] if self.sandboxes else None

    def named(self, run: Container) -> str:
        """A container's id as the API knows it."""
        return f"{self.runtime}://{run.id}"

    def runs(self, name: str) -> tuple[Container, ...]:
        """All runs of one container that the runtime still knows, newest first."""
        return tuple(container for container in self.containers if container.name == name)

    def latest(self, name: str) -> Container | None:
        """The newest run of one container."""
        return next((container for container in self.containers if container.name == name), None)

    def active(self, name: str) -> Container | None:
        """The newest run if it belongs to the newest sandbox."""
        found = self.latest(name)
        return found if found and self.sandbox and found.sandbox_id == self.sandbox.id else None

    def restarting(self, run: Container | None) -> bool:
        """Whether a run ended only so that its container starts anew, whatever the policies say of its end."""
        return run is not None and run.state is ContainerState.EXITED and run.id in self.resize.restarting

    def running(self) -> tuple[Container, ...]:
        """Containers with a live process."""
        return tuple(container for container in self.containers if container.state is ContainerState.RUNNING)


async def observe(
    cri: Cri, uid: str, known: Mapping[str, Container], addressed: Sandbox | None = None
) -> ObservedPod:  # fmt: skip
    """Ask the runtime. What does not change is not asked for again: `known` holds runs that had ended before,
    `addressed` is the sandbox when its addresses were last told."""
    sandboxes = sorted(await cri.sandboxes(uid), key=lambda box: (box.attempt, box.created_at), reverse=True)
    if sandboxes and sandboxes[0].ready:
        try:
            same = addressed if addressed is not None and addressed.id == sandboxes[0].id else None
            sandboxes[0] = same or await cri.sandbox_status(sandboxes[0].id)
        except CriNotFound:
            del sandboxes[0]
    containers = []
    for listed in await cri.containers(uid):
        if (ended := known.get(listed.id)) is not None:
            containers.append(ended)
            continue
        try:
            full = await cri.container_status(listed.id)
        except CriNotFound:
            continue
        containers.append(replace(full, sandbox_id=listed.sandbox_id))
    containers.sort(key=lambda one: (one.attempt, one.created_at), reverse=True)  # clocks may have been put back
    return ObservedPod(tuple(sandboxes), tuple(containers))
