"""/metrics/resource: CPU and memory, which metrics-server reads for `kubectl top` and for autoscaling.

Names, texts and labels are a contract. Source: pkg/kubelet/metrics/collectors/resource_metrics.go.
"""

from collections.abc import Iterable

from pilothouse.kubelet.cri.interface import CriError
from pilothouse.kubelet.server.exposition import CONTENT_TYPE, Family, Labels, labels, page
from pilothouse.kubelet.server.page import Page
from pilothouse.kubelet.server.question import Question
from pilothouse.kubelet.stats import GroupUse, NodeUse, PodUse
from pilothouse.net.http import Response
from pilothouse.runtime.log import Log

log = Log(__name__)


class ResourceMetrics(Page):
    """In Prometheus' words."""

    paths = ("metrics/resource",)

    async def answer(self, question: Question) -> Response:  # noqa: ARG002 - it says the same to all
        """All of them; when there are none, it says so."""
        stats = self._around.stats
        error = Family("resource_scrape_error", "gauge", _ERROR)
        try:
            found = resource_families(*await stats.latest())
            error.add(0)
        except (CriError, OSError) as why:
            log.error("Error getting summary for resourceMetric prometheus endpoint", error=why)
            found = []
            error.add(1)
        return Response(200, page([*found, error]), content_type=CONTENT_TYPE)


_ERROR = "[STABLE] 1 if there was an error while getting container metrics, 0 otherwise"
_TEXTS = {
    "cpu_usage_seconds_total": "[STABLE] Cumulative cpu time consumed by the {} in core-seconds",
    "memory_working_set_bytes": "[STABLE] Current working set of the {} in bytes",
}
_SWAP_TEXTS = {
    "node": "[ALPHA] Current swap usage of the node in bytes. Reported only on non-windows systems",
    "pod": "[ALPHA] Current amount of the pod swap usage in bytes. Reported only on non-windows systems",
    "container": "[ALPHA] Current amount of the container swap usage in bytes. Reported only on non-windows systems",
}


class _Loads:
    """The three metrics of nodes, pods or containers."""

    def __init__(self, of: str) -> None:
        cpu, memory = (text.format(of) for text in _TEXTS.values())
        self.cpu = Family(f"{of}_cpu_usage_seconds_total", "counter", cpu)
        self.memory = Family(f"{of}_memory_working_set_bytes", "gauge", memory)
        self.swap = Family(f"{of}_swap_usage_bytes", "gauge", _SWAP_TEXTS[of])

    def add(self, group: GroupUse, of: Labels = ()) -> None:
        use, at = group.usage, group.at
        self.cpu.add(use.cpu_nanos / 1e9, of, at)
        self.memory.add(use.working_set, of, at)
        self.swap.add(use.swap, of, at)

    def families(self) -> tuple[Family, ...]:
        return self.cpu, self.memory, self.swap


def resource_families(node: NodeUse, pods: Iterable[PodUse]) -> list[Family]:
    """The metrics of these figures: pure."""
    started = Family(
        "container_start_time_seconds", "gauge", "[STABLE] Start time of the container since unix epoch in seconds"
    )
    nodes, whole, each = _Loads("node"), _Loads("pod"), _Loads("container")
    if node.whole is not None:
        nodes.add(node.whole)
    for pod in pods:
        about = {"pod": pod.name, "namespace": pod.namespace}
        for name, group in pod.groups.items():
            of = labels(about, ("container", name))
            started.add(pod.runs[name].created_at, of)
            each.add(group, of)
        if pod.whole is not None:
            whole.add(pod.whole, labels(about))
    return [started, *nodes.families(), *whole.families(), *each.families()]
