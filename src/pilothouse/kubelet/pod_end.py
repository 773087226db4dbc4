"""Ends containers in order: preStop hook, stop signal, the rest of the grace period, SIGKILL.

All hooks begin at once. Sidecars get their signal when the main containers and the sidecars after them have ended, or
when the grace period is over, whichever comes first. What a runtime that hangs does not end then ends with its sandbox,
or when it is tried again: nobody but the runtime kills. API pages: "Pod Lifecycle", "Sidecar Containers".
"""

import asyncio
from collections.abc import Sequence
from typing import Self

import orjson

from pilothouse.api.types.core_v1 import Container, Pod
from pilothouse.kubelet.api import Recorder
from pilothouse.kubelet.containers import describe, field_path, find, is_sidecar
from pilothouse.kubelet.cri import interface as cri
from pilothouse.kubelet.events import reference
from pilothouse.kubelet.hooks import HookError, Hooks
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log

log = Log(__name__)
OVERTIME = (
    "Warning", "ExceededGracePeriod", "Container runtime did not kill the pod within specified grace period.",
)  # fmt: skip
"""The event of a pod for whose end somebody waits in vain."""
_SHORTEST = 2.0
"""Seconds that even a container out of grace gets to see its signal."""


class KillError(Exception):
    """Something of a pod could not be ended; the text says what, in the words of upstream's PodSyncResult."""

    @classmethod
    def of(cls, action: str, target: str, error: cri.CriError) -> Self:
        """One thing that a runtime did not do."""
        return cls(f'failed to "{action}" for "{target}" with {action}Error: {orjson.dumps(str(error)).decode()}')


class Ender:
    """Ends runs of containers."""

    def __init__(self, runtime: cri.Cri, recorder: Recorder, hooks: Hooks, clock: Clock) -> None:
        self._cri = runtime
        self._recorder = recorder
        self._hooks = hooks
        self._clock = clock

    async def end_all(
        self, pod: Pod, runs: Sequence[cri.Container], grace: float, pod_ip: str, sandboxes: Sequence[str] = ()
    ) -> None:
        """End all of a pod within `grace` seconds, then its sandboxes with whatever is left in them.

        Raises KillError with all that could not be ended; the rest is.
        """
        errors = await self._end_runs(pod, runs, grace, pod_ip)
        for sandbox in sandboxes:
            try:
                await self._cri.stop_sandbox(sandbox)
            except cri.CriError as error:
                errors.append(KillError.of("KillPodSandbox", pod.metadata.uid, error))
        if errors:
            raise errors[0] if len(errors) == 1 else KillError(f"[{', '.join(map(str, errors))}]")

    async def _end_runs(
        self, pod: Pod, runs: Sequence[cri.Container], grace: float, pod_ip: str
    ) -> list[KillError]:  # fmt: skip
        sidecars = [one.name for one in pod.spec.initContainers if is_sidecar(one)]
        ended = {run.id: asyncio.Event() for run in runs}

        def before(run: cri.Container) -> list[asyncio.Event]:
            """The ends that a sidecar waits for."""
            if run.name not in sidecars:
                return []
            later = sidecars[sidecars.index(run.name) + 1 :]
            return [ended[one.id] for one in runs if one.name not in sidecars or one.name in later]

        errors: list[KillError] = []

        async def end(run: cri.Container) -> None:
            try:
                await self.end(pod, run, grace, f"Stopping container {run.name}", pod_ip, before(run))
            except KillError as error:
                errors.append(error)
            ended[run.id].set()

        async with asyncio.TaskGroup() as group:
            for run in runs:
                group.create_task(end(run))
        return errors

    async def end(
        self, pod: Pod, run: cri.Container, grace: float, message: str, pod_ip: str,
        after: Sequence[asyncio.Event] = (),
    ) -> None:  # fmt: skip
        """End one run, not before others; `message` is the event's. Returns when it has ended. Raises KillError."""
        about = reference(pod, field_path(pod, run.name))
        self._recorder.event(about, "Normal", "Killing", message)
        container, deadline = find(pod, run.name), self._clock.monotonic() + grace
        if container is not None and container.lifecycle.preStop and grace > 0:
            await self._pre_stop(pod, container, run, grace, pod_ip)
        await self._turn(after, deadline)
        try:
            await self._cri.stop_container(run.id, max(deadline - self._clock.monotonic(), _SHORTEST))
        except cri.CriError as error:
            raise KillError.of("KillContainer", run.name, error) from error

    async def _turn(self, after: Sequence[asyncio.Event], deadline: float) -> None:
        try:
            async with self._clock.timeout(max(deadline - self._clock.monotonic(), 0.0)):
                for event in after:
                    await event.wait()
        except TimeoutError:
            return

    async def _pre_stop(self, pod: Pod, container: Container, run: cri.Container, grace: float, pod_ip: str) -> None:
        """Run the hook, for as long as the pod has."""
        try:
            async with self._clock.timeout(grace):
                await self._hooks.run(container, container.lifecycle.preStop, run.id, pod_ip)
        except TimeoutError:
            return
        except HookError as error:
            # What a server answered may be secret: the log has it, the event has not.
            log.info("PreStop hook failed", pod=describe(pod), container=run.name, err=str(error))
            about = reference(pod, field_path(pod, run.name))
            self._recorder.event(about, "Warning", "FailedPreStopHook", "PreStopHook failed")
