"""Ends containers in order: preStop hook, stop signal, the rest of the grace period, SIGKILL.

API page: "Pod Lifecycle", on termination. Sidecars end after the main containers, the last one first.
"""

import asyncio
from collections.abc import Sequence

from pilothouse.api.types.core_v1 import Container, Pod
from pilothouse.kubelet.api import Recorder
from pilothouse.kubelet.containers import field_path, find, is_sidecar
from pilothouse.kubelet.cri import interface as cri
from pilothouse.kubelet.events import reference
from pilothouse.kubelet.hooks import HookError, Hooks
from pilothouse.runtime.clock import Clock

_SHORTEST = 2.0
"""Seconds that even a container out of grace gets to see its signal."""


class Ender:
    """Ends runs of containers."""

    def __init__(self, runtime: cri.Cri, recorder: Recorder, hooks: Hooks, clock: Clock) -> None:
        self._cri = runtime
        self._recorder = recorder
        self._hooks = hooks
        self._clock = clock

    async def end_all(self, pod: Pod, runs: Sequence[cri.Container], grace: float, pod_ip: str) -> None:
        """End all of a pod: main containers together, then sidecars one by one, within `grace` seconds in all."""
        deadline = self._clock.monotonic() + grace
        sidecars = [one.name for one in pod.spec.initContainers if is_sidecar(one)]
        first = [run for run in runs if run.name not in sidecars]
        async with asyncio.TaskGroup() as group:
            for run in first:
                group.create_task(self._end_quietly(pod, run, grace, pod_ip))
        for name in reversed(sidecars):
            for run in (run for run in runs if run.name == name):
                left = max(deadline - self._clock.monotonic(), 0.0) if first else grace
                await self._end_quietly(pod, run, left, pod_ip)

    async def _end_quietly(self, pod: Pod, run: cri.Container, grace: float, pod_ip: str) -> None:
        await self.end(pod, run, grace, f"Stopping container {run.name}", pod_ip)

    async def end(self, pod: Pod, run: cri.Container, grace: float, message: str, pod_ip: str) -> None:
        """End one run; `message` is the event's. Returns when it has ended."""
        about = reference(pod, field_path(pod, run.name))
        self._recorder.event(about, "Normal", "Killing", message)
        container = find(pod, run.name)
        if container is not None and container.lifecycle.preStop and grace > 0:
            grace -= await self._pre_stop(pod, container, run, grace, pod_ip)
        await self._cri.stop_container(run.id, max(grace, _SHORTEST))

    async def _pre_stop(self, pod: Pod, container: Container, run: cri.Container, grace: float, pod_ip: str) -> float:
        """Run the hook; the seconds it took."""
        began = self._clock.monotonic()
        try:
            async with self._clock.timeout(grace):
                await self._hooks.run(container, container.lifecycle.preStop, run.id, pod_ip)
        except TimeoutError:
            pass
        except HookError as error:
            about = reference(pod, field_path(pod, run.name))
            self._recorder.event(about, "Warning", "FailedPreStopHook", f"PreStopHook failed: {error}")
        return self._clock.monotonic() - began
