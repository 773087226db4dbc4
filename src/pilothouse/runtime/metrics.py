"""Metrics: counters, gauges and histograms of one process, in a registry that is passed in, never global.

Names and label names are upstream's, so that dashboards fit. Exposition is the Prometheus text format.
"""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Buckets for durations, where upstream prescribes none."""


class Metrics:
    """The metrics of one process or, in a test cluster, of one component."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)

    def counter(self, name: str, text: str, labels: Sequence[str] = ()) -> Counter:
        """A count that only grows. `name` ends in `_total` on the page, whether given so or not."""
        return Counter(name, text, labels, registry=self.registry)

    def gauge(self, name: str, text: str, labels: Sequence[str] = ()) -> Gauge:
        """A number that comes and goes."""
        return Gauge(name, text, labels, registry=self.registry)

    def histogram(
        self, name: str, text: str, labels: Sequence[str] = (), *, buckets: Sequence[float] = SECONDS
    ) -> Histogram:
        """A distribution, counted in `buckets`."""
        return Histogram(name, text, labels, buckets=tuple(buckets), registry=self.registry)

    def page(self) -> bytes:
        """What `/metrics` answers."""
        return generate_latest(self.registry)


def cumulated(counts: Sequence[int], limits: Sequence[float], at_once: int = 0) -> list[tuple[str, float]]:
    """The buckets of a histogram as Prometheus has them: each with all that is less, `at_once` is in every one."""
    found, total = [], at_once
    for limit, count in zip((*map(str, limits), "+Inf"), counts, strict=True):
        total += count
        found.append((limit, float(total)))
    return found
