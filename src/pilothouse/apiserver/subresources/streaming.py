"""log, exec, attach, portforward: what a pod's node answers.

Source: pkg/registry/core/pod/rest/{log,subresources}.go; KEP-4006, "Synthetic RBAC CREATE authorization check".
"""

from collections.abc import Mapping
from typing import Any

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.resource import Resource, Subresource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.pipeline.apply import permit_creation
from pilothouse.apiserver.pipeline.pipeline import Admission
from pilothouse.apiserver.registry.served import Served
from pilothouse.apiserver.routes import Part
from pilothouse.apiserver.streaming.location import (
    Kubelet,
    command_target,
    kubelet_of,
    log_target,
    port_forward_target,
    wanted_streams,
)
from pilothouse.apiserver.streaming.messages import in_messages
from pilothouse.apiserver.streaming.proxy import KubeletProxy
from pilothouse.apiserver.subresources.connect import admit_connection
from pilothouse.apiserver.verbs.forms import Form
from pilothouse.net.http import Response


class Streaming:
    """Answers the streaming subresources of pods."""

    def __init__(self, served: Served, proxy: KubeletProxy, admission: Admission) -> None:
        self._served = served
        self._proxy = proxy
        self._admission = admission

    def parts(self) -> Mapping[tuple[str, str], Part]:
        """The routes, for `ApiServer.assemble`."""
        both = {"exec": self.command, "attach": self.command, "portforward": self.port_forward}
        streams = {(f"pods/{name}", verb): part for name, part in both.items() for verb in ("get", "create")}
        return {("pods/log", "get"): self.log, **streams}

    async def log(self, exchange: Exchange, resource: Resource[Any], part: Subresource, form: Form) -> Response:  # noqa: ARG002 - the signature of every part
        """A container's log, in messages for a WebSocket; empty for a pod that has no node yet."""
        pod = await self._pod(exchange, resource)
        target = log_target(pod, exchange.info)
        messages = in_messages(exchange.request)
        if pod["spec"].get("nodeName"):
            answer = await self._proxy.log(self._kubelet(pod), target, exchange.info.name)
        else:
            answer = Response(200, b"", content_type="text/plain")
        return answer if messages is None else messages.response(answer.body)

    async def command(self, exchange: Exchange, resource: Resource[Any], part: Subresource, form: Form) -> Response:  # noqa: ARG002 - the signature of every part
        """A command in a container, or its own streams."""
        options = await self._admit(exchange, resource, part)
        pod = await self._pod(exchange, resource)
        target = command_target(pod, part.name, options)
        return await self._proxy.command(exchange.request, self._kubelet(pod), target, wanted_streams(options))

    async def port_forward(
        self,
        exchange: Exchange,
        resource: Resource[Any],
        part: Subresource,
        form: Form,  # noqa: ARG002 - the signature of every part
    ) -> Response:
        """Connections to a pod's ports."""
        options = await self._admit(exchange, resource, part)
        pod = await self._pod(exchange, resource)
        target = port_forward_target(pod, options)
        return await self._proxy.port_forward(exchange.request, self._kubelet(pod), target)

    async def _admit(self, exchange: Exchange, resource: Resource[Any], part: Subresource) -> JsonObject:
        """What is asked for. WebSockets begin with GET; whoever may only read must not run commands: Forbidden."""
        options = await admit_connection(self._admission, exchange, resource, part)
        if exchange.info.verb != "create":
            permit_creation(exchange)
        return options

    async def _pod(self, exchange: Exchange, resource: Resource[Any]) -> JsonObject:
        info = exchange.info
        await self._served.cache.reach_latest()
        entry = self._served.cache_of(resource).get(info.namespace, info.name)
        if entry is None:
            raise errors.not_found(resource.plural, resource.group, info.name)
        return self._served.decode(resource, entry)

    def _kubelet(self, pod: JsonObject) -> Kubelet:
        name = pod["spec"]["nodeName"]
        entry = self._served.cache.of("", "nodes").get("", name)
        if entry is None:
            raise errors.not_found("nodes", "", name)
        return kubelet_of(entry.decode())
