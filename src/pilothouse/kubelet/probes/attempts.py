"""Makes one probe: picks the handler, asks again where it could not ask, tells of what went wrong, counts."""

from collections.abc import Sequence

from prometheus_client import Counter, Histogram

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.api import Recorder
from pilothouse.kubelet.containers import describe, field_path
from pilothouse.kubelet.events import reference
from pilothouse.kubelet.probes.handler import Answer, Handler, Outcome, ProbeError, Target
from pilothouse.kubelet.probes.tally import Kind
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log
from pilothouse.runtime.metrics import Metrics

log = Log(__name__)
_ASKED = 3
"""How often a question is tried that cannot be put."""
_RESULTS = {True: "successful", False: "failed"}


class Attempts:
    """Makes probes of any kind by any handler."""

    def __init__(self, handlers: Sequence[Handler], recorder: Recorder, clock: Clock, metrics: Metrics) -> None:
        self._handlers = handlers
        self._recorder = recorder
        self._clock = clock
        self._total = metrics.counter(
            "prober_probe_total",
            "[BETA] Cumulative number of a liveness, readiness or startup probe for a container by result.",
            ("probe_type", "result", "container", "pod", "namespace", "pod_uid"),
        )
        self._duration = metrics.histogram(
            "prober_probe_duration_seconds",
            "[ALPHA] Duration in seconds for a probe response.",
            ("probe_type", "container", "pod", "namespace"),
        )
        self._used: dict[str, dict[tuple[Counter | Histogram, tuple[str, ...]], None]] = {}
        """By the pod's uid, what is counted for it."""

    async def make(self, kind: Kind, pod: Pod, target: Target) -> bool | None:
        """Whether the container answered well. None: it could not be asked, which counts for nothing."""
        began = self._clock.monotonic()
        try:
            answer = await self._ask(pod, target)
        except ProbeError as error:
            message = f"{kind.value} probe errored and resulted in unknown state: {error}"
            self._tell(pod, target, "Unhealthy", message)
            return None
        except Exception as error:  # noqa: BLE001 - one probe must not take the node down
            log.crash("Probe crashed", error=error, pod=describe(pod), container=target.container.name)
            return None
        if answer.outcome is Outcome.FAILURE:
            self._tell(pod, target, "Unhealthy", f"{kind.value} probe failed: {answer.output}")
        elif answer.outcome is Outcome.WARNING:
            self._tell(pod, target, "ProbeWarning", f"{kind.value} probe warning: {answer.output}")
        success = answer.outcome is not Outcome.FAILURE
        self._count(kind, pod, target, success, self._clock.monotonic() - began)
        return success

    async def _ask(self, pod: Pod, target: Target) -> Answer:
        handler = next((one for one in self._handlers if getattr(target.probe, one.field)), None)
        if handler is None:
            raise ProbeError(f"missing probe handler for {describe(pod)}:{target.container.name}")
        for _ in range(_ASKED - 1):
            try:
                return await handler.ask(target)
            except ProbeError:
                continue
        return await handler.ask(target)

    def _tell(self, pod: Pod, target: Target, reason: str, message: str) -> None:
        about = reference(pod, field_path(pod, target.container.name))
        self._recorder.event(about, "Warning", reason, message)

    def _count(self, kind: Kind, pod: Pod, target: Target, success: bool, seconds: float) -> None:
        meta = pod.metadata
        labels = (target.container.name, meta.name, meta.namespace)
        counted, timed = (kind.value, _RESULTS[success], *labels, meta.uid), (kind.value, *labels)
        self._total.labels(*counted).inc()
        used = self._used.setdefault(meta.uid, {})
        used[self._total, counted] = None
        if success:
            self._duration.labels(*timed).observe(seconds)
            used[self._duration, timed] = None

    def forget(self, uid: str) -> None:
        """Count no longer what is gone."""
        for metric, labels in self._used.pop(uid, {}):
            metric.remove(*labels)
