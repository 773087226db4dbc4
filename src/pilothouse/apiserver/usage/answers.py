"""get and list of metrics.k8s.io: what nodes and pods use, made for the answer.

Nodes and pods are looked up, and selected by their labels, as they are in the watch cache. What a pod uses is known as
long as it is Running. Source: metrics-server, pkg/api (pod.go, node.go).
"""

from collections.abc import Mapping
from typing import Any

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.quantity import Quantity, QuantityFormat, of_units
from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.registry.entry import Entry
from pilothouse.apiserver.registry.selection import selection_of
from pilothouse.apiserver.registry.served import Served
from pilothouse.apiserver.routes import Review
from pilothouse.apiserver.usage.samples import Use
from pilothouse.apiserver.usage.scraper import Scraper
from pilothouse.apiserver.verbs.computed import one_computed, several_computed
from pilothouse.apiserver.verbs.forms import Form
from pilothouse.net.http import Response
from pilothouse.runtime.clock import Clock, format_time
from pilothouse.runtime.durations import go_duration

GROUP = "metrics.k8s.io"


class UsageAnswers:
    """Answers for both kinds, which have the names of those that are measured."""

    def __init__(self, served: Served, scraper: Scraper, clock: Clock) -> None:
        self._served = served
        self._scraper = scraper
        self._clock = clock

    def by_kind(self) -> Mapping[tuple[str, str], Review]:
        """For `ApiServer.assemble`."""
        return {(GROUP, "nodes"): self.answer, (GROUP, "pods"): self.answer}

    async def answer(self, exchange: Exchange, resource: Resource[Any], form: Form) -> Response:
        """One, or those that the selectors want. Raises NotFound."""
        info, schemas = exchange.info, self._served.schemas
        cache = self._served.cache.of("", resource.plural)
        await self._served.cache.reach_latest()
        if info.verb == "list":
            measured = list(selection_of(info, resource).among(cache))
            if measured:
                await self._scraper.wanted()
            found = [each for entry in measured if (each := self._metrics(resource, entry)) is not None]
            return several_computed(exchange, resource, found, form, schemas, self._clock.now())
        entry = cache.get(info.namespace, info.name)
        if entry is None:
            raise errors.not_found(resource.plural, "", info.name)
        await self._scraper.wanted()
        metrics = self._metrics(resource, entry)
        if metrics is None:
            name = f"{info.namespace}/{info.name}" if resource.namespaced else info.name
            raise errors.not_found(resource.name.lower(), GROUP, name)
        return one_computed(exchange, resource, metrics, form, schemas, self._clock.now())

    def _metrics(self, resource: Resource[Any], entry: Entry) -> JsonObject | None:
        """The object; None where the use is not known."""
        if not resource.namespaced:
            use = self._scraper.samples.of_node(entry.name)
            return None if use is None else self._object(resource, entry, use) | {"usage": usage(use)}
        if entry.fields["status.phase"] != "Running":
            return None
        used = self._scraper.samples.of_pod(entry.fields["spec.nodeName"], (entry.namespace, entry.name))
        if not used:
            return None
        containers = [{"name": name, "usage": usage(use)} for name, use in used.items()]
        return self._object(resource, entry, min(used.values(), key=_at)) | {"containers": containers}

    def _object(self, resource: Resource[Any], entry: Entry, use: Use) -> JsonObject:
        metadata: JsonObject = {"name": entry.name}
        if resource.namespaced:
            metadata["namespace"] = entry.namespace
        metadata["creationTimestamp"] = format_time(self._clock.now())
        if entry.labels:
            metadata["labels"] = entry.labels
        return {
            "kind": resource.name,
            "apiVersion": resource.api_version,
            "metadata": metadata,
            "timestamp": format_time(use.at),
            "window": go_duration(round(use.window, 3)),
        }


def usage(use: Use) -> dict[str, str]:
    """What is used, as quantities."""
    return {
        "cpu": str(Quantity(use.nano_cores)),
        "memory": str(of_units(use.memory, QuantityFormat.BINARY)),
        "swap": str(of_units(use.swap, QuantityFormat.BINARY)),
    }


def _at(use: Use) -> float:
    return use.at
