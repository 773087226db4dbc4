"""What `lifecycle` decides and `pod_sync` carries out: the next steps for a pod."""

from dataclasses import dataclass, field

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.observed import CrashWait, Failure
from pilothouse.runtime.clock import Instant


@dataclass(frozen=True, slots=True)
class Kill:
    """End one run of a container; `message` is the event's."""

    container_id: str
    name: str
    message: str
    at_once: bool = False
    """Without its preStop hook and without time to end."""


@dataclass(frozen=True, slots=True)
class Start:
    """Begin run number `attempt` of a container."""

    name: str
    attempt: int
    wait: CrashWait | None = None
    """To be remembered: the wait should this run end."""
    target_id: str = ""
    """Of an ephemeral container: the container whose processes it sees."""


@dataclass(frozen=True, slots=True)
class Resize:
    """Give a running container other limits."""

    container_id: str
    name: str
    linux: JsonObject
    """Those that change, in the shape of CRI's LinuxContainerResources."""


@dataclass(frozen=True, slots=True)
class PodPlan:
    """Steps, done in the order of the fields. No steps: wait for news, or until `wake_at`."""

    stop_sandboxes: tuple[str, ...] = ()
    sandbox_changed: bool = False
    """A sandbox that was in use is replaced: worth an event."""
    restarting: tuple[str, ...] = ()
    """Ids of those of `kill` whose containers start anew with other resources: remembered before."""
    kill: tuple[Kill, ...] = ()
    create_sandbox: int | None = None
    """Number of the sandbox to make."""
    fit: bool = False
    """Have the pod's own group fit what it is granted: before `resize` where it grows, after it where it shrinks."""
    resize: tuple[Resize, ...] = ()
    start: tuple[Start, ...] = ()
    remove: tuple[str, ...] = ()
    """Old runs that nobody can ask for any more."""
    failures: dict[str, Failure] = field(default_factory=dict)
    """Containers that wait, with the reason to show."""
    told_first: bool = False
    """The status must be written before: the steps take away what it tells of."""
    wake_at: Instant | None = None
    settled: bool = False
    """All that runs has what it is granted: the change of resources is over."""
    finished: bool = False
    """Nothing of this pod will run again."""

    @property
    def steps(self) -> bool:
        """Whether there is anything to do."""
        made = self.create_sandbox is not None
        sized = self.fit or self.resize
        return bool(self.stop_sandboxes or self.kill or made or sized or self.start or self.remove)
