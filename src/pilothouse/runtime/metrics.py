"""Metrics: counters, gauges and histograms of one process, in a registry that is passed in, never global.

Names and label names are upstream's, so that dashboards fit. Exposition is the Prometheus text format, and as
upstream's it does not tell when each sample was made.
"""

import re
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no types for it
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Buckets for durations, where upstream prescribes none."""


class Metrics:
    """The metrics of one process or, in a test cluster, of one component."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._exact: list[str] = []

    def counter(self, name: str, text: str, labels: Sequence[str] = ()) -> Counter:
        """A count that only grows. `name` ends in `_total` on the page, whether given so or not."""
        return Counter(name, text, labels, registry=self.registry)

    def tally(self, name: str, text: str, labels: Sequence[str] = ()) -> Counter:
        """A counter that stands on the page under its name as it is: some of upstream's do not end in `_total`."""
        self._exact.append(name)
        return self.counter(name, text, labels)

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
        page = generate_latest(self.registry)
        if not self._exact:
            return page
        # The library gives every counter's name the ending.
        names = "|".join(map(re.escape, self._exact))
        return re.sub(rf"^((?:# (?:HELP|TYPE) )?(?:{names}))_total(?=[ {{])".encode(), rb"\1", page, flags=re.MULTILINE)


def cumulated(counts: Sequence[int], limits: Sequence[float], at_once: int = 0) -> list[tuple[str, float]]:
    """The buckets of a histogram as Prometheus has them: each with all that is less, `at_once` is in every one."""
    found, total = [], at_once
    for limit, count in zip((*map(str, limits), "+Inf"), counts, strict=True):
        total += count
        found.append((limit, float(total)))
    return found
