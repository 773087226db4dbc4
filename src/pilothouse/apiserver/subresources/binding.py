"""binding: a scheduler says on which node a pod shall run, once.

Source: pkg/registry/core/pod/storage/storage.go (BindingREST, assignPod, setPodNodeAndMetadata).
"""

from typing import Any

import orjson

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.codec.body import Expected
from pilothouse.api.machinery.errors import BadRequest, Conflict
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.resource import Resource, Subresource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.pipeline.decode import decode_object, place
from pilothouse.apiserver.pipeline.options import write_options
from pilothouse.apiserver.pipeline.pipeline import Pipeline
from pilothouse.apiserver.pipeline.write import Operation, Write
from pilothouse.apiserver.registry.served import Served
from pilothouse.apiserver.verbs.forms import Form
from pilothouse.apiserver.verbs.shape import respond
from pilothouse.net.http import Response
from pilothouse.runtime.clock import Clock, format_time

_BINDING = Expected("", "v1", "Binding")


class Binding:
    """Answers POST to pods/NAME/binding and to bindings."""

    def __init__(self, served: Served, pipeline: Pipeline, clock: Clock) -> None:
        self._served = served
        self._pipeline = pipeline
        self._clock = clock

    async def create(self, exchange: Exchange, resource: Resource[Any], part: Subresource, form: Form) -> Response:
        """Bind the pod."""
        options = write_options(exchange, "CreateOptions")
        binding = await decode_object(exchange, _BINDING, self._served.schemas, options.validation)
        info = exchange.info
        place(binding, resource, info.namespace, info.name)
        if not binding["metadata"].get("name"):
            raise BadRequest("name must be provided")
        self._validate(binding)
        write = Write(
            exchange, resource, Operation.UPDATE, info.namespace, binding["metadata"]["name"],
            subresource=part, dry_run=options.dry_run,
        )  # fmt: skip

        def bound(pod: JsonObject) -> JsonObject:
            _bind(pod, binding, format_time(self._clock.now()))
            return pod

        await self._pipeline.update(write, bound, options.manager)
        success = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
        return respond(exchange, orjson.dumps(success), form, 201)

    async def create_by_body(self, exchange: Exchange, _resource: Resource[Any], form: Form) -> Response:
        """Bind the pod that the body names: the older path, without the pod's name in it."""
        pods = self._served.catalogue.find("", "v1", "pods")
        part = pods.subresource("binding") if pods is not None else None
        if pods is None or part is None:
            raise errors.not_found("bindings", "", "")
        return await self.create(exchange, pods, part, form)

    def _validate(self, binding: JsonObject) -> None:
        kind = self._served.catalogue.by_kind("", "v1", "Binding")
        wrong = FieldErrors()
        if kind is not None:
            kind.validate(binding, wrong)
        if wrong:
            raise errors.invalid("Binding", "", binding["metadata"].get("name") or "", wrong)


def _bind(pod: JsonObject, binding: JsonObject, now: str) -> None:
    """Write node, annotations and the condition into a pod that may be bound. Raises Conflict."""
    metadata, spec, name = pod["metadata"], pod["spec"], pod["metadata"]["name"]
    wanted = binding["metadata"]
    for field in ("uid", "resourceVersion"):
        if wanted.get(field) and wanted[field] != metadata[field]:
            called = {"uid": "UID", "resourceVersion": "ResourceVersion"}[field]
            raise _refusal(name, f"Precondition failed: {called} in precondition: {wanted[field]}, "
                                 f"{called} in object meta: {metadata[field]}")  # fmt: skip
    if metadata.get("deletionTimestamp"):
        raise _refusal(name, f"pod {name} is being deleted, cannot be assigned to a host")
    if spec.get("nodeName"):
        raise _refusal(name, f'pod {name} is already assigned to node "{spec["nodeName"]}"')
    if spec.get("schedulingGates"):
        raise _refusal(name, f"pod {name} has non-empty .spec.schedulingGates")
    spec["nodeName"] = binding["target"]["name"]
    if annotations := wanted.get("annotations"):
        metadata["annotations"] = {**(metadata.get("annotations") or {}), **annotations}
    if labels := wanted.get("labels"):
        metadata["labels"] = {**(metadata.get("labels") or {}), **labels}
    status = pod.setdefault("status", {})
    status.pop("nominatedNodeName", None)  # KEP-5278: what was hoped for is over
    conditions = [one for one in status.get("conditions") or () if one.get("type") != "PodScheduled"]
    scheduled: JsonObject = {
        "type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": now,
    }  # fmt: skip
    if generation := metadata.get("generation"):
        scheduled["observedGeneration"] = generation
    status["conditions"] = [*conditions, scheduled]


def _refusal(name: str, why: str) -> Conflict:
    return errors.conflict("pods/binding", "", name, why)
