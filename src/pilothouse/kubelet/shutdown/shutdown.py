"""Holds up the machine's shutdown until the node's pods have ended, those of the lowest priority first.

A turn is over when nothing of its pods runs and their volumes are gone, because what unmounts them may run in a later
one, or when its time is up. Source: pkg/kubelet/nodeshutdown/nodeshutdown_manager{,_linux}.go.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from prometheus_client import Gauge

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.api import Recorder
from pilothouse.kubelet.containers import describe
from pilothouse.kubelet.shutdown.groups import grace, grouped
from pilothouse.kubelet.shutdown.policy import Period, ShutdownPolicy
from pilothouse.kubelet.shutdown.record import ShutdownRecord
from pilothouse.kubelet.status import Verdict
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.durations import go_duration
from pilothouse.runtime.log import Log

log = Log(__name__)
MESSAGE = "Pod was terminated in response to imminent node shutdown."
TERMINATED = Verdict("Failed", "Terminated", MESSAGE, {"DisruptionTarget": ("True", "TerminationByKubelet", MESSAGE)})
_WAITS = (0.1, 0.2, 0.4, 0.8)
"""Seconds between two looks at a configuration that was asked for."""
_LOOK = 0.1
"""The same at volumes that did not go at once."""


class DelayError(Exception):
    """The machine will not wait as long as pods are to have."""


class Lock(Protocol):
    """Holds up a shutdown."""

    def release(self) -> None:
        """Let it go on."""
        ...


class Login(Protocol):
    """Who shuts the machine down."""

    async def delay(self) -> float:
        """Seconds that it waits at most."""
        ...

    async def ask_for_delay(self, seconds: float) -> None:
        """Have it wait so long at most, soon."""
        ...

    async def lock(self) -> Lock:
        """Hold up whatever shutdown comes."""
        ...

    async def listen(self) -> None:
        """Hear of shutdowns from now on."""
        ...

    async def shutdown(self) -> bool:
        """Wait for the next: True when one is about to begin, False when it was called off."""
        ...


class Node(Protocol):
    """The pods of the node."""

    def placed(self) -> list[Pod]:
        """Those that may run."""
        ...

    def end(self, uid: str, verdict: Verdict, grace: float | None = None) -> None:
        """The node ends this pod."""
        ...

    async def cleared(self, uid: str) -> None:
        """Wait until nothing of it runs, and its volumes are gone or do not go at once."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a shutdown works with."""

    node: Node
    has_volumes: Callable[[str], Awaitable[bool]]
    """Whether a pod that has ended still has any."""
    recorder: Recorder
    clock: Clock
    name: str
    """Of the node."""
    tell: Callable[[bool], None]
    """Has the node tell that it is shutting down, or is no longer, and take no pods meanwhile."""
    save: Callable[[ShutdownRecord], Awaitable[None]]
    began: Gauge
    ended: Gauge


class GracefulShutdown:
    """One for the node. Of `Login`, what it raises is raised."""

    def __init__(self, policy: ShutdownPolicy, around: Surroundings) -> None:
        self._policy = policy
        self._around = around

    async def prepare(self, login: Login) -> None:
        """Have the machine wait as long as pods are to have. Raises DelayError."""
        wanted = self._policy.requested
        if await login.delay() >= wanted:
            return
        await login.ask_for_delay(wanted)
        for wait in (0.0, *_WAITS):
            await self._around.clock.sleep(wait)
            if (found := await login.delay()) >= wanted:
                return
        raise DelayError(
            f"node shutdown manager was timed out after {len(_WAITS) + 1} attempts waiting for logind "
            f"InhibitDelayMaxSec to update to {go_duration(wanted)} (ShutdownGracePeriod), current value is "
            f"{go_duration(found)}"
        )

    async def watch(self, login: Login) -> None:
        """Hold up each shutdown until the pods have ended, for as long as there is word of any."""
        await login.listen()
        lock = await login.lock()
        # Nobody is given one while the machine goes down: what was begun before a break was called off in it.
        self._around.tell(False)
        try:
            while True:
                if await self._heard(login):
                    await self.end_pods()
                    lock.release()
                else:
                    lock, old = await login.lock(), lock
                    old.release()
        finally:
            lock.release()

    async def _heard(self, login: Login) -> bool:
        around, begins = self._around, await login.shutdown()
        what = "event" if begins else "cancellation"
        log.info("Shutdown manager detected new shutdown event", event="shutdown" if begins else "cancelled")
        about = {"kind": "Node", "name": around.name, "uid": around.name}
        around.recorder.event(about, "Normal", "NodeShutdown", f"Shutdown manager detected shutdown {what}")
        around.tell(begins)
        return begins

    async def end_pods(self) -> None:
        """One turn after the other."""
        around, began = self._around, self._around.clock.now()
        around.began.set(int(began))
        around.ended.set(0)
        await around.save(ShutdownRecord(began))
        for period, pods in grouped(self._policy.periods, around.node.placed()):
            await self._turn(period, pods)
        around.ended.set(int(around.clock.now()))
        await around.save(ShutdownRecord(began, around.clock.now()))
        log.info("Shutdown manager completed processing shutdown event, node will shutdown shortly")

    async def _turn(self, period: Period, pods: Sequence[Pod]) -> None:
        around = self._around
        for pod in pods:
            seconds = grace(pod, period)
            log.info("Shutdown manager killing pod with gracePeriod", pod=describe(pod), gracePeriod=seconds)
            around.node.end(pod.metadata.uid, TERMINATED, seconds)
        try:
            async with around.clock.timeout(period.seconds):
                for pod in pods:
                    await self._gone(pod.metadata.uid)
        except TimeoutError:
            log.warning("Shutdown manager pod killing time out", gracePeriod=period.seconds, priority=period.priority)

    async def _gone(self, uid: str) -> None:
        await self._around.node.cleared(uid)
        while await self._around.has_volumes(uid):
            await self._around.clock.sleep(_LOOK)
