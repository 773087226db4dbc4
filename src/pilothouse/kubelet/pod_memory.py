"""What is remembered of one pod between two looks at it.

Only a convenience: after a restart of the kubelet everything needed is in the runtime and in the API.
"""

import asyncio
from dataclasses import dataclass, field, replace

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.cri.interface import Container, Sandbox
from pilothouse.kubelet.observed import CrashWait, Failure
from pilothouse.kubelet.status import Verdict
from pilothouse.kubelet.volume import HostVolumes
from pilothouse.runtime.clock import Instant


@dataclass(slots=True)
class PodMemory:
    """One pod's. The worker writes what it hears, `PodSync` and `PodFinish` what they did."""

    pod: Pod
    """As last heard of."""
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the pod is to be looked at."""
    deleted: bool = False
    """It is being deleted: nothing of it stays on the node."""
    removed: bool = False
    """It is no longer in the API: nobody is told of it."""
    gone: bool = False
    """Nothing of it is left on the node."""
    over: bool = field(init=False)
    """None of its containers will run any more."""
    admitted: bool = False
    """The node has taken it."""
    refused: bool = field(init=False)
    """The node has not taken it: there is nothing to tell of its containers."""
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when none of its containers runs any more."""
    grace: float | None = None
    """Seconds that its containers have to end; None: as many as the spec gives."""
    verdict: Verdict | None = None
    """Why it is over, where its containers do not say so. Told when they have ended."""
    failures: dict[str, Failure] = field(default_factory=dict)
    """By container name: why the last start failed."""
    waits: dict[str, CrashWait] = field(default_factory=dict)
    """By container name."""
    ended: dict[str, Container] = field(default_factory=dict)
    """By id: runs that have ended, which do not change."""
    addressed: Sandbox | None = None
    """The sandbox with its addresses, which stay as long as it is ready."""
    volumes: HostVolumes = field(default_factory=dict)
    prepared: bool = False
    """Its directories and its cgroup are there."""
    sandbox_at: float | None = None
    """When the last sandbox was made, by the clock that nobody sets."""
    renew_at: Instant = 0.0
    """When the volumes are to be brought up to date."""

    def __post_init__(self) -> None:
        status = self.pod.status
        self.over = status.phase in ("Succeeded", "Failed")
        if self.over:
            self.stopped.set()
        self.refused = status.phase == "Failed" and not status.containerStatuses

    @property
    def placed(self) -> bool:
        """Whether the pod takes up room on the node. One that was begun by an earlier kubelet has its place.

        One that is no longer in the API has none though it may still run: nobody else counts it any more.
        """
        return (
            not self.stopped.is_set() and not self.removed and (self.admitted or self.pod.status.startTime is not None)
        )

    def hear(self, pod: Pod, now: Instant) -> None:
        """The pod has changed. What could not be started is tried again at once, unless it is we who changed it."""
        if _wanted(pod) != _wanted(self.pod):
            self.failures = {name: replace(failure, retry_at=now) for name, failure in self.failures.items()}
            self.renew_at = now
        self.pod = pod


def _wanted(pod: Pod) -> tuple[object, ...]:
    """What of a pod is not for the node to say."""
    return pod.spec, pod.metadata.raw.get("labels"), pod.metadata.raw.get("annotations")
