"""Step: count every request, and how long it took, under upstream's names.

A request costs two dictionary look-ups; what Prometheus wants to see is put together when it asks. What lasts (watch,
exec, ...) is counted while it does, not timed. Source: apiserver/pkg/endpoints/metrics/metrics.go.
"""

from bisect import bisect_left
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from pilothouse.api.catalogue import Catalogue
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.handlers.bodies import when_over
from pilothouse.apiserver.handlers.deadline import is_lasting
from pilothouse.apiserver.handlers.framework import Next
from pilothouse.apiserver.request_info import RequestInfo
from pilothouse.net.http import Response
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.metrics import cumulated

_BUCKETS = (0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0,
            20.0, 30.0, 45.0, 60.0)  # fmt: skip
_VERBS = {"create": "POST", "update": "PUT"}
"""The rest is the verb in capitals."""
_READING = frozenset({"GET", "LIST"})
_LABELS = ("verb", "dry_run", "group", "version", "resource", "subresource", "scope", "component")
_UNDRY = tuple(name for name in _LABELS if name != "dry_run")
_SIZES = tuple(1000.0 * 10**power for power in range(7))
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

Labels = tuple[str, ...]


class RequestMetrics(Collector):
    """The counts of one server, and the step that makes them."""

    def __init__(self, clock: Clock, catalogue: Catalogue) -> None:
        self._clock = clock
        self._catalogue = catalogue
        self._counts: dict[tuple[Labels, int], int] = {}
        self._times: dict[Labels, tuple[list[int], list[float]]] = {}
        self._inflight = {"readOnly": 0, "mutating": 0}
        self._lasting: dict[Labels, int] = {}
        self._sizes: dict[Labels, tuple[list[int], list[float]]] = {}
        self.watched: Mapping[tuple[str, str, str], Sequence[int]] = {}
        """Events that watchers were sent, counted by whoever sends them."""

    async def step(self, exchange: Exchange, following: Next) -> Response:
        """The step of the chain; the outermost, so that every answer is seen."""
        labels = labels_of(exchange.info, self._catalogue)
        lasting = is_lasting(exchange.info)
        kind = "readOnly" if labels[0] in _READING else "mutating"
        begin = self._clock.monotonic()
        if lasting:
            response = await self._last(labels, exchange, following)
        else:
            self._inflight[kind] += 1
            try:
                response = await following(exchange)
            finally:
                self._inflight[kind] -= 1
        if exchange.answer_headers is not None:
            response.headers = {**response.headers, **exchange.answer_headers}
        counted = (labels, response.status)
        self._counts[counted] = self._counts.get(counted, 0) + 1
        if not lasting:
            self._time(labels, self._clock.monotonic() - begin)
            if labels[0] in _READING:
                self._weigh(labels, response)
        return response

    async def _last(self, labels: Labels, exchange: Exchange, following: Next) -> Response:
        """Count a request that lasts, for as long as it does."""
        lasting = (labels[0], *labels[2:])
        self._lasting[lasting] = self._lasting.get(lasting, 0) + 1

        def over() -> None:
            self._lasting[lasting] -= 1

        try:
            response = await following(exchange)
        except BaseException:
            over()
            raise
        if not when_over(response, over):
            over()
        return response

    def _weigh(self, labels: Labels, response: Response) -> None:
        body = response.body
        if isinstance(body, bytes):
            size = len(body)
        elif isinstance(body, AsyncIterator):
            return  # compressed as it goes
        else:
            size = sum(map(len, body))
        sized = (labels[0], *labels[2:])
        found = self._sizes.get(sized)
        if found is None:
            found = self._sizes[sized] = ([0] * (len(_SIZES) + 1), [0.0])
        buckets, total = found
        buckets[bisect_left(_SIZES, size)] += 1
        total[0] += size

    def _time(self, labels: Labels, seconds: float) -> None:
        found = self._times.get(labels)
        if found is None:
            found = self._times[labels] = ([0] * (len(_BUCKETS) + 1), [0.0])
        buckets, total = found
        buckets[bisect_left(_BUCKETS, seconds)] += 1
        total[0] += seconds

    def collect(self) -> Iterable[Metric]:
        """What `/metrics` shows."""
        requests = CounterMetricFamily(
            "apiserver_request", "Requests by what they asked for and the status they got.", labels=(*_LABELS, "code")
        )
        for (labels, status), count in self._counts.items():
            requests.add_metric((*labels, str(status)), count)
        yield requests
        durations = HistogramMetricFamily(
            "apiserver_request_duration_seconds", "Seconds until the answer, by what was asked for.", labels=_LABELS
        )
        for labels, (buckets, total) in self._times.items():
            durations.add_metric(labels, cumulated(buckets, _BUCKETS), total[0])
        yield durations
        yield from self._collect_more()

    def _collect_more(self) -> Iterable[Metric]:
        sizes = HistogramMetricFamily("apiserver_response_sizes", "Bytes of answers.", labels=_UNDRY)
        for labels, (buckets, total) in self._sizes.items():
            sizes.add_metric(labels, cumulated(buckets, _SIZES), total[0])
        yield sizes
        lasting = GaugeMetricFamily("apiserver_longrunning_requests", "Requests that last.", labels=_UNDRY)
        for labels, number in self._lasting.items():
            lasting.add_metric(labels, number)
        yield lasting
        events = CounterMetricFamily(
            "apiserver_watch_events", "Events that watchers were sent.", labels=("group", "version", "resource")
        )
        for resource, (count,) in self.watched.items():
            events.add_metric(resource, count)
        yield events
        inflight = GaugeMetricFamily(
            "apiserver_current_inflight_requests", "Requests being served.", labels=("request_kind",)
        )
        for kind, number in self._inflight.items():
            inflight.add_metric((kind,), number)
        yield inflight


def labels_of(info: RequestInfo, catalogue: Catalogue) -> Labels:
    """The labels of a request. Names that anybody may invent are none: their number has no bound."""
    if not info.is_resource or catalogue.find(info.group, info.version, info.resource) is None:
        verb = info.method if info.method in _METHODS else "other"
        root = info.path.strip("/").partition("/")[0]
        return (verb, "", "", "", "", f"/{root}" if root in _ROOTS else "", "", "apiserver")
    scope = "resource" if info.name else "namespace" if info.namespace else "cluster"
    verb = _VERBS.get(info.verb) or info.verb.upper() or "other"
    subresource = info.subresource if info.subresource in _SUBRESOURCES else ""
    dry = "All" if info.value("dryRun") else ""
    return (verb, dry, info.group, info.version, info.resource, subresource, scope, "apiserver")


_SUBRESOURCES = frozenset({"status", "scale", "binding", "eviction", "log", "exec", "attach", "portforward", "proxy",
                           "token", "finalize", "ephemeralcontainers", "resize", "approval"})  # fmt: skip
_ROOTS = frozenset({"api", "apis", "healthz", "livez", "readyz", "metrics", "openapi", "version"})
