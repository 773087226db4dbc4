"""proxy: requests to pods, services and nodes, by way of the API server.

Source: pkg/registry/core/{pod,service,node}/rest, storage and strategy.
"""

from collections.abc import Mapping
from typing import Any

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.resource import Resource, Subresource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.pipeline.pipeline import Admission
from pilothouse.apiserver.registry.served import Served
from pilothouse.apiserver.routes import Part
from pilothouse.apiserver.streaming.backends import (
    Location,
    Named,
    named,
    node_location,
    pod_location,
    service_location,
)
from pilothouse.apiserver.streaming.reverse_proxy import ReverseProxy
from pilothouse.apiserver.subresources.connect import admit_connection
from pilothouse.apiserver.verbs.forms import Form
from pilothouse.net.http import Response
from pilothouse.runtime.chance import Chance

_VERBS = ("get", "create", "update", "patch", "delete", "")
"""The last is what OPTIONS is to authorization: no verb."""
_SERVICE = "kubernetes.io/service-name"


class Proxying:
    """Answers the proxy subresource of whatever has one."""

    def __init__(self, served: Served, proxy: ReverseProxy, admission: Admission, chance: Chance) -> None:
        self._served = served
        self._proxy = proxy
        self._admission = admission
        self._chance = chance

    def parts(self) -> Mapping[tuple[str, str], Part]:
        """The routes, for `ApiServer.assemble`."""
        return {("proxy", verb): self.connect for verb in _VERBS}

    async def connect(self, exchange: Exchange, resource: Resource[Any], part: Subresource, form: Form) -> Response:  # noqa: ARG002 - the signature of every part
        """Pass the request on."""
        info = exchange.info
        await admit_connection(self._admission, exchange, resource, part)
        await self._served.cache.reach_latest()
        wanted = named(resource.singular, info.name)
        match resource.plural:
            case "pods":
                pod = self._object(resource.plural, info.namespace, wanted.name)
                location = pod_location(pod, wanted, self._proxy.allowed)
            case "services":
                location = self._service(info.namespace, wanted)
            case _:
                location = node_location(self._object(resource.plural, "", wanted.name), wanted)
        return await self._proxy.pass_on(exchange.request, info, location)

    def _service(self, namespace: str, wanted: Named) -> Location:
        service = self._object("services", namespace, wanted.name)
        slices = [
            entry.decode()
            for entry in self._served.cache.of("discovery.k8s.io", "endpointslices").select(namespace)
            if entry.labels.get(_SERVICE) == wanted.name
        ]
        pods = self._served.cache.of("", "pods")

        def pod_of(name: str) -> JsonObject | None:
            entry = pods.get(namespace, name)
            return None if entry is None else entry.decode()

        return service_location(service, slices, pod_of, wanted, self._proxy.allowed, self._chance)

    def _object(self, plural: str, namespace: str, name: str) -> JsonObject:
        entry = self._served.cache.of("", plural).get(namespace, name)
        if entry is None:
            raise errors.not_found(plural, "", name)
        return entry.decode()
