"""The numbers of priority and fairness, under upstream's names, put together when Prometheus asks.

Source: apiserver/pkg/util/flowcontrol/metrics/metrics.go.
"""

from collections.abc import Callable, Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from pilothouse.apiserver.flowcontrol.control import WAIT_BUCKETS, FlowControl, Level, Tally
from pilothouse.runtime.metrics import cumulated

_PREFIX = "apiserver_flowcontrol"
_FLOW = ("priority_level", "flow_schema")
_LEVELS: dict[str, tuple[str, Callable[[Level], float]]] = {
    "nominal_limit_seats": ("Seats that a level has by its shares.", lambda level: level.bounds.nominal),
    "lower_limit_seats": ("The fewest seats a level is left.", lambda level: level.bounds.least),
    "upper_limit_seats": ("The most seats a level may have.", lambda level: level.bounds.most),
    "current_limit_seats": ("Seats that a level has now.", lambda level: level.queues.limit or 0),
    "demand_seats_high_watermark": ("The most seats asked for at once.", lambda level: level.queues.demand.high),
    "demand_seats_average": ("Seats asked for, on average.", lambda level: level.queues.demand.average),
    "demand_seats_stdev": ("Spread of the seats asked for.", lambda level: level.queues.demand.deviation),
    "demand_seats_smoothed": ("Seats asked for, smoothed.", lambda level: level.queues.demand.smoothed),
    "target_seats": ("Seats a level would have.", lambda level: level.target),
}
_FLOWS: dict[str, tuple[str, Callable[[Tally], int]]] = {
    "current_inqueue_requests": ("Requests that wait.", lambda tally: tally.waiting),
    "current_executing_requests": ("Requests that run.", lambda tally: tally.executing),
    "current_executing_seats": ("Seats of requests that run.", lambda tally: tally.seats),
}


class FlowMetrics(Collector):
    """What `/metrics` shows of one server's levels."""

    def __init__(self, control: FlowControl) -> None:
        self._control = control

    def collect(self) -> Iterable[Metric]:
        """Every family."""
        tallies = self._control.tallies.items()
        dispatched = CounterMetricFamily(f"{_PREFIX}_dispatched_requests", "Requests that ran.", labels=_FLOW)
        rejected = CounterMetricFamily(
            f"{_PREFIX}_rejected_requests", "Requests turned away.", labels=(*_FLOW, "reason")
        )
        for flow, tally in tallies:
            dispatched.add_metric(flow, tally.dispatched)
            for reason, count in tally.rejected.items():
                rejected.add_metric((*flow, reason), count)
        yield dispatched
        yield rejected
        for name, (text, number) in _FLOWS.items():
            family = GaugeMetricFamily(f"{_PREFIX}_{name}", text, labels=_FLOW)
            for flow, tally in tallies:
                family.add_metric(flow, number(tally))
            yield family
        for name, (text, measure) in _LEVELS.items():
            family = GaugeMetricFamily(f"{_PREFIX}_{name}", text, labels=("priority_level",))
            for level in self._control.levels.values():
                family.add_metric((level.name,), measure(level))
            yield family
        fraction = self._control.fair_fraction
        yield GaugeMetricFamily(f"{_PREFIX}_seat_fair_frac", "Seats given for each seat of a target.", value=fraction)
        yield self._waits()

    def _waits(self) -> Metric:
        family = HistogramMetricFamily(
            f"{_PREFIX}_request_wait_duration_seconds", "How long requests waited.", labels=(*_FLOW, "execute")
        )
        for flow, tally in self._control.tallies.items():
            if self._limits(flow[0]):
                unqueued = tally.dispatched - sum(tally.waits[True].counts)
                family.add_metric(
                    (*flow, "true"),
                    cumulated(tally.waits[True].counts, WAIT_BUCKETS, unqueued),
                    tally.waits[True].total,
                )
                if any(tally.waits[False].counts):
                    family.add_metric(
                        (*flow, "false"), cumulated(tally.waits[False].counts, WAIT_BUCKETS), tally.waits[False].total
                    )
        return family

    def _limits(self, name: str) -> bool:
        level = self._control.levels.get(name)
        return level is not None and not level.exempt
