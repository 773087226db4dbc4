"""The probes of one run of a container: a task for each kind it has, and what they have found.

A task ticks every period, counted from when the container started; those of a container that ran before the kubelet
did begin at a random moment, so that a node full of them is not probed at once. A container that is not ready is
also asked whenever its pod is looked at: it shall not wait for the tick.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from pilothouse.api.types.core_v1 import Container, ContainerStatus, Pod
from pilothouse.kubelet.cri import interface as cri
from pilothouse.kubelet.observed import Health
from pilothouse.kubelet.probes.attempts import Attempts
from pilothouse.kubelet.probes.handler import Target
from pilothouse.kubelet.probes.tally import Kind, Tally, after, following, initial, is_due, remembered
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, Instant
from pilothouse.runtime.tasks import Tasks

BEFORE = 10.0
"""A container that began this long before the kubelet is one that an earlier kubelet has reported on."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What surrounds a container, as last seen."""

    pod: Pod
    container: Container
    address: str
    changed: Callable[[], None]


class RunProbes:
    """Probes one run until it is told to stop. `born`: when the kubelet began."""

    def __init__(
        self, run: cri.Container, scene: Scene, attempts: Attempts, clock: Clock, chance: Chance, tasks: Tasks,
        born: Instant,
    ) -> None:  # fmt: skip
        self._run = run
        self._scene = scene
        self._attempts = attempts
        self._clock = clock
        self._trigger = asyncio.Event()
        self._tallies = self._first_tallies(born)
        self._tasks = {
            kind: tasks.spawn(
                self._watch(kind, self._first_tick(kind, chance, born)), name=f"{kind.value} probe of {run.id}"
            )
            for kind, tally in self._tallies.items()
            if not tally.final
        }

    def _first_tallies(self, born: Instant) -> dict[Kind, Tally]:
        kinds = [kind for kind in Kind if kind.of(self._scene.container)]
        if self._run.started_at >= born - BEFORE:
            return {kind: initial(kind) for kind in kinds}
        before = _reported(self._scene.pod, self._run)
        ready = any(one.type == "Ready" and one.status == "True" for one in self._scene.pod.status.conditions)
        return {
            kind: remembered(kind, started=bool(before.started), ready=bool(before.ready) and ready) for kind in kinds
        }

    def _first_tick(self, kind: Kind, chance: Chance, born: Instant) -> float:
        """On the monotonic clock."""
        period = self._period(kind)
        if self._run.started_at < born:
            return self._clock.monotonic() + chance.uniform(0.0, period)
        return self._clock.monotonic() + self._run.started_at - self._clock.now() + period

    def _period(self, kind: Kind) -> float:
        return float(kind.of(self._scene.container).periodSeconds or 10)

    @property
    def _started(self) -> bool:
        tally = self._tallies.get(Kind.STARTUP)
        return tally is None or tally.verdict is True

    @property
    def health(self) -> Health:
        """What is known now."""
        verdicts = {kind: tally.verdict for kind, tally in self._tallies.items()}
        return Health(
            started=verdicts.get(Kind.STARTUP), ready=verdicts.get(Kind.READINESS), live=verdicts.get(Kind.LIVENESS),
            startup_failed=verdicts.get(Kind.STARTUP) is False,
        )  # fmt: skip

    def look(self, scene: Scene) -> None:
        """The pod is being looked at."""
        self._scene = scene
        readiness = self._tallies.get(Kind.READINESS)
        if readiness is not None and not readiness.verdict:
            self._trigger.set()

    def retire(self, changed: Callable[[], None]) -> None:
        """The container is being ended: whether it is ready is still asked, the rest is of no interest any more."""
        self._scene = Scene(self._scene.pod, self._scene.container, self._scene.address, changed)
        for kind in (Kind.STARTUP, Kind.LIVENESS):
            if task := self._tasks.pop(kind, None):
                task.cancel()

    def stop(self) -> None:
        """Probe no more."""
        for task in self._tasks.values():
            task.cancel()

    async def _watch(self, kind: Kind, tick: float) -> None:
        """Probe at every tick, and at the trigger, which starts the ticks anew."""
        never = asyncio.Event()
        trigger = self._trigger if kind is Kind.READINESS else never
        while not self._tallies[kind].final:
            try:
                async with self._clock.timeout(max(tick - self._clock.monotonic(), 0.0)):
                    await trigger.wait()
                trigger.clear()
                tick = self._clock.monotonic() + self._period(kind)
            except TimeoutError:
                tick = following(tick, self._clock.monotonic(), self._period(kind))
            await self._once(kind)

    async def _once(self, kind: Kind) -> None:
        scene, probe = self._scene, kind.of(self._scene.container)
        if not is_due(kind, probe, self._clock.now() - self._run.started_at, started=self._started):
            return
        target = Target(scene.container, self._run.id, scene.address, probe)
        success = await self._attempts.make(kind, scene.pod, target)
        if success is None:
            return
        before = self._tallies[kind]
        self._tallies[kind] = after(before, probe, success)
        if self._tallies[kind].verdict is not before.verdict:
            self._scene.changed()


def _reported(pod: Pod, run: cri.Container) -> ContainerStatus:
    """What the pod's status says of this very run."""
    every = (*pod.status.containerStatuses, *pod.status.initContainerStatuses)
    return next((one for one in every if one.containerID.endswith(f"//{run.id}")), ContainerStatus())
