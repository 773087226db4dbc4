"""/metrics/cadvisor: what every control group of pods uses, under the names that cAdvisor made common.

Those that dashboards ask for, not all. Label `id` is the group, `name` the container's id in its runtime; a pod's own
group has no `container`. Source: github.com/google/cadvisor/metrics/prometheus.go.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pilothouse.kubelet.cri.interface import CriError
from pilothouse.kubelet.machine import Machine
from pilothouse.kubelet.resources.linux import Limits, container_limits, pod_limits
from pilothouse.kubelet.server.exposition import CONTENT_TYPE, Family, Labels, labels, page
from pilothouse.kubelet.server.page import Page
from pilothouse.kubelet.server.question import Question
from pilothouse.kubelet.stats import GroupUse, NodeUse, PodUse
from pilothouse.linux.interface_usage import InterfaceUsage
from pilothouse.net.http import Response
from pilothouse.runtime.clock import Instant
from pilothouse.runtime.log import Log

log = Log(__name__)


class CadvisorMetrics(Page):
    """In Prometheus' words."""

    paths = ("metrics/cadvisor",)

    async def answer(self, question: Question) -> Response:  # noqa: ARG002 - it says the same to all
        """All of them; when there are none, it says so."""
        stats = self._around.stats
        figures = Figures(stats.oom_kills.of)
        figures.add_machine(self._around.machine)
        error = figures.families["container_scrape_error"]
        try:
            figures.add(await stats.node(), await stats.loads())
            error.add(0)
        except (CriError, OSError) as why:
            log.warning("Couldn't get containers", err=str(why))
            error.add(1)
        return Response(200, page(figures.families.values()), content_type=CONTENT_TYPE)


_COUNTERS = {
    "container_cpu_cfs_periods_total": "Number of elapsed enforcement period intervals.",
    "container_cpu_cfs_throttled_periods_total": "Number of throttled period intervals.",
    "container_cpu_cfs_throttled_seconds_total": "Total time duration the container has been throttled.",
    "container_cpu_usage_seconds_total": "Cumulative cpu time consumed in seconds.",
    "container_memory_failures_total": "Cumulative count of memory allocation failures.",
    "container_network_receive_bytes_total": "Cumulative count of bytes received",
    "container_network_receive_errors_total": "Cumulative count of errors encountered while receiving",
    "container_network_receive_packets_dropped_total": "Cumulative count of packets dropped while receiving",
    "container_network_receive_packets_total": "Cumulative count of packets received",
    "container_network_transmit_bytes_total": "Cumulative count of bytes transmitted",
    "container_network_transmit_errors_total": "Cumulative count of errors encountered while transmitting",
    "container_network_transmit_packets_dropped_total": "Cumulative count of packets dropped while transmitting",
    "container_network_transmit_packets_total": "Cumulative count of packets transmitted",
    "container_oom_events_total": "Count of out of memory events observed for the container",
}
_WAITED = {
    f"container_pressure_{resource}_waiting_seconds_total": (
        f"Total time duration tasks in the container have waited due to {name} congestion."
    )
    for resource, name in (("cpu", "CPU"), ("memory", "memory"), ("io", "IO"))
}
_STALLED = {
    f"container_pressure_{resource}_stalled_seconds_total": (
        f"Total time duration no tasks in the container could make progress due to {name} congestion."
    )
    for resource, name in (("cpu", "CPU"), ("memory", "memory"), ("io", "IO"))
}
_GAUGES = {
    "cadvisor_version_info": (
        "A metric with a constant '1' value labeled by kernel version, OS version, docker version, cadvisor version & "
        "cadvisor revision."
    ),
    "container_last_seen": "Last time a container was seen by the exporter",
    "container_memory_cache": "Number of bytes of page cache memory.",
    "container_memory_rss": "Size of RSS in bytes.",
    "container_memory_swap": "Container swap usage in bytes.",
    "container_memory_usage_bytes": (
        "Current memory usage in bytes, including all memory regardless of when it was accessed"
    ),
    "container_memory_working_set_bytes": "Current working set in bytes.",
    "container_scrape_error": "1 if there was an error while getting container metrics, 0 otherwise",
    "container_spec_cpu_period": "CPU period of the container.",
    "container_spec_cpu_quota": "CPU quota of the container.",
    "container_spec_cpu_shares": "CPU share of the container.",
    "container_spec_memory_limit_bytes": "Memory limit for the container.",
    "container_start_time_seconds": "Start time of the container since unix epoch in seconds.",
    "container_threads": "Number of threads running inside the container",
    "machine_cpu_cores": "Number of logical CPU cores.",
    "machine_memory_bytes": "Amount of memory installed on the machine.",
    "machine_scrape_error": "1 if there was an error while getting machine metrics, 0 otherwise.",
}


class Figures:
    """The page as it grows."""

    def __init__(self, oom_kills: Callable[[str], int] = lambda _: 0) -> None:
        """`oom_kills`: how many processes the kernel ended, by group."""
        self._oom_kills = oom_kills
        counters = {name: Family(name, "counter", text) for name, text in (_COUNTERS | _WAITED | _STALLED).items()}
        self.families = counters | {name: Family(name, "gauge", text) for name, text in _GAUGES.items()}

    def _put(self, name: str, value: float, of: Labels = (), at: Instant | None = None) -> None:
        self.families[name].add(value, of, at)

    def add_machine(self, machine: Machine) -> None:
        """What does not change."""
        who = {"boot_id": machine.boot_id, "machine_id": machine.machine_id, "system_uuid": machine.system_uuid}
        versions = {
            "cadvisorRevision": "", "cadvisorVersion": "", "dockerVersion": "", "kernelVersion": machine.kernel,
            "osVersion": machine.os_image,
        }  # fmt: skip
        self._put("cadvisor_version_info", 1, labels(versions))
        self._put("machine_cpu_cores", machine.cpus, labels(who))
        self._put("machine_memory_bytes", machine.memory, labels(who))
        self._put("machine_scrape_error", 0)

    def add(self, node: NodeUse, pods: Iterable[PodUse]) -> None:
        """What is used."""
        told = [_Told(_known(group.path), group) for group in node.groups.values()]
        if node.whole is not None:
            told.append(_Told(_known("/"), node.whole, interfaces=node.interfaces))
        for pod in pods:
            told += _of_pod(pod)
        for one in sorted(told, key=lambda one: labels(one.known)):
            of = labels(one.known)
            if one.group is not None:
                self._add_group(one.group, one.known, of)
            if one.limits is not None:
                self._add_spec(one.limits, of, one.started)
            self._add_network(one)

    def _add_group(self, group: GroupUse, known: Mapping[str, str], of: Labels) -> None:
        use, at = group.usage, group.at
        self._put("container_cpu_usage_seconds_total", use.cpu_nanos / 1e9, labels(known, ("cpu", "total")), at)
        faults = {"pgfault": use.page_faults, "pgmajfault": use.major_page_faults}
        for kind, count in faults.items():
            more = labels(known, ("failure_type", kind), ("scope", "hierarchy"))
            self._put("container_memory_failures_total", count, more, at)
        if (waited := group.throttling) is not None:
            self._put("container_cpu_cfs_periods_total", waited.periods, of, at)
            self._put("container_cpu_cfs_throttled_periods_total", waited.throttled_periods, of, at)
            self._put("container_cpu_cfs_throttled_seconds_total", waited.throttled_nanos / 1e9, of, at)
        for resource, pressure in group.pressures.items():
            self._put(f"container_pressure_{resource}_waiting_seconds_total", pressure.some.total / 1e6, of, at)
            self._put(f"container_pressure_{resource}_stalled_seconds_total", pressure.full.total / 1e6, of, at)
        self._put("container_memory_cache", use.cache, of, at)
        self._put("container_memory_rss", use.rss, of, at)
        self._put("container_memory_swap", use.swap, of, at)
        self._put("container_memory_usage_bytes", use.memory, of, at)
        self._put("container_memory_working_set_bytes", use.working_set, of, at)
        self._put("container_threads", use.pids, of, at)
        self._put("container_last_seen", int(at), of, at)
        self._put("container_oom_events_total", self._oom_kills(group.path), of, at)

    def _add_spec(self, limits: Limits, of: Labels, started: Instant) -> None:
        self._put("container_spec_cpu_period", limits.cpu_period, of)
        if limits.cpu_quota:
            self._put("container_spec_cpu_quota", limits.cpu_quota, of)
        self._put("container_spec_cpu_shares", limits.cpu_shares, of)
        self._put("container_spec_memory_limit_bytes", limits.memory, of)
        self._put("container_start_time_seconds", int(started), of)

    def _add_network(self, told: "_Told") -> None:
        for one in told.interfaces:
            figures = {
                "receive_bytes": one.rx_bytes, "receive_errors": one.rx_errors, "receive_packets": one.rx_packets,
                "receive_packets_dropped": one.rx_dropped, "transmit_bytes": one.tx_bytes,
                "transmit_errors": one.tx_errors, "transmit_packets": one.tx_packets,
                "transmit_packets_dropped": one.tx_dropped,
            }  # fmt: skip
            of = labels(told.known, ("interface", one.name))
            at = told.at if told.group is None else told.group.at
            for name, value in figures.items():
                self._put(f"container_network_{name}_total", value, of, at)


@dataclass(frozen=True, slots=True)
class _Told:
    """What there is to say of one group."""

    known: Mapping[str, str]
    group: GroupUse | None = None
    limits: Limits | None = None
    started: Instant = 0.0
    interfaces: Sequence[InterfaceUsage] = ()
    at: Instant = 0.0


def _of_pod(pod: PodUse) -> Iterator[_Told]:
    about = {"namespace": pod.namespace, "pod": pod.name}
    spec = pod.pod.spec if pod.pod is not None else None
    asked = {one.name: one for one in (*spec.containers, *spec.initContainers)} if spec is not None else {}
    if pod.whole is not None:
        whole = pod_limits(pod.pod) if pod.pod is not None else Limits()
        yield _Told(_known(pod.whole.path, **about), pod.whole, whole, pod.started)
        sandbox = _known(f"{pod.whole.path}/{pod.sandbox}", name=pod.sandbox, **about)
        yield _Told(sandbox, interfaces=pod.interfaces, at=pod.whole.at)
    for name, group in pod.groups.items():
        run, wish = pod.runs[name], asked.get(name)
        # Runtimes list containers with the ids of their images.
        image, limits = (wish.image, container_limits(wish)) if wish is not None else (run.image, Limits())
        known = _known(group.path, name=run.id, image=image, container=name, **about)
        yield _Told(known, group, limits, run.created_at)


def _known(group: str, **known: str) -> dict[str, str]:
    """All have the same labels; what is not known is empty."""
    empty = dict.fromkeys(("container", "image", "name", "namespace", "pod"), "")
    return {**empty, "id": group, **known}
