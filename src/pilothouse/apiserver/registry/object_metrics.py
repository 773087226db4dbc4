"""How many objects of each resource there are, for `/metrics`. Source: apiserver/pkg/storage/etcd3/metrics.

How often the server's own state could not take in a change of one is a number of ours.
"""

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from pilothouse.api.catalogue import Catalogue
from pilothouse.apiserver.registry.watch_cache import WatchCache


class ObjectMetrics(Collector):
    """The numbers of one watch cache."""

    def __init__(self, cache: WatchCache, catalogue: Catalogue) -> None:
        self._cache = cache
        self._catalogue = catalogue

    def collect(self) -> Iterable[Metric]:
        """What `/metrics` shows."""
        family = GaugeMetricFamily(
            "apiserver_resource_objects", "Objects that are stored.", labels=("group", "resource")
        )
        crashes = CounterMetricFamily(
            "apiserver_watch_cache_observer_crashes",
            "Changes that the server's own state could not take in.",
            labels=("group", "resource"),
        )
        for resource in self._catalogue:
            # What cannot be watched is a question, or made for its answer.
            if resource.stored_as is None and "watch" in resource.verbs:
                cache = self._cache.of(resource.group, resource.plural)
                family.add_metric((resource.group, resource.plural), len(cache.entries))
                if cache.crashes:
                    crashes.add_metric((resource.group, resource.plural), cache.crashes)
        yield family
        yield crashes
