"""scale: how many replicas a workload shall have, in the same form for every kind.

A Scale is made from the workload on every read; a write changes `spec.replicas` alone. Source: autoscaling/v1 Scale,
pkg/registry/apps/deployment/storage (ScaleREST).
"""

from typing import Any

import orjson

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.codec.body import Expected
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.managed_fields import Application, to_parent, to_scale
from pilothouse.api.machinery.resource import Resource, ScalePaths, Subresource
from pilothouse.api.machinery.selectors import from_label_selector, from_labels
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.pipeline.apply import checked, decode_configuration, placed
from pilothouse.apiserver.pipeline.decode import Change, decode_object, decode_patch, place
from pilothouse.apiserver.pipeline.options import APPLY_PATCH, WriteOptions, media_type_of, write_options
from pilothouse.apiserver.pipeline.pipeline import Pipeline
from pilothouse.apiserver.pipeline.write import Operation, Write
from pilothouse.apiserver.registry.served import Served
from pilothouse.apiserver.verbs.forms import Form
from pilothouse.apiserver.verbs.shape import respond
from pilothouse.net.http import Response
from pilothouse.runtime.clock import format_time

_SCALE = Expected("autoscaling", "v1", "Scale")


class Scaling:
    """Answers requests for the scale subresource."""

    def __init__(self, served: Served, pipeline: Pipeline) -> None:
        self._served = served
        self._pipeline = pipeline

    async def get(self, exchange: Exchange, resource: Resource[Any], part: Subresource, form: Form) -> Response:
        """The Scale as it is."""
        await self._served.cache.reach_latest()
        info = exchange.info
        entry = self._served.cache_of(resource).get(info.namespace, info.name)
        if entry is None:
            raise errors.not_found(resource.plural, resource.group, info.name)
        scale = scale_of(self._served.decode(resource, entry), part.scale or ScalePaths())
        return respond(exchange, orjson.dumps(scale), form)

    async def update(self, exchange: Exchange, resource: Resource[Any], part: Subresource, form: Form) -> Response:
        """PUT a Scale."""
        options = write_options(exchange, "UpdateOptions")
        posted = await decode_object(exchange, _SCALE, self._served.schemas, options.validation)
        place(posted, resource, exchange.info.namespace, exchange.info.name)
        return await self._write(exchange, resource, part, form, options, lambda _scale: posted)

    async def patch(self, exchange: Exchange, resource: Resource[Any], part: Subresource, form: Form) -> Response:
        """PATCH the Scale."""
        options = write_options(exchange, "PatchOptions")
        if media_type_of(exchange) == APPLY_PATCH:
            return await self._apply(exchange, resource, part, form, options)
        change = await decode_patch(exchange, _SCALE, self._served.schemas, options.validation)
        return await self._write(exchange, resource, part, form, options, change)

    async def _apply(
        self, exchange: Exchange, resource: Resource[Any], part: Subresource, form: Form, options: WriteOptions
    ) -> Response:
        """Apply a Scale. Who has the replicas is told by the entries of the workload."""
        sent = await decode_configuration(exchange, _SCALE, options.validation)
        path = (part.scale or ScalePaths()).replicas
        asked = Application(
            schema=self._served.schemas.kind(_SCALE.group, _SCALE.version, _SCALE.kind), kind=_SCALE.kind,
            api_version=_SCALE.api_version, manager=options.manager, now=format_time(exchange.received),
            subresource=part.name, force=options.force,
        )  # fmt: skip
        write = self._writing(exchange, resource, part, options)

        def applied(scale: JsonObject) -> JsonObject:
            listed = scale["metadata"].pop("managedFields", None) or []
            scale["metadata"]["managedFields"] = to_scale(listed, path)
            found = checked(scale, sent.read(), asked, sent, write, options)
            write.entries = to_parent(listed, write.entries or [], path, resource.api_version)
            return placed(found, write, is_new=False)

        return await self._put(write, part, form, options, applied, with_entries=True)

    async def _write(
        self,
        exchange: Exchange,
        resource: Resource[Any],
        part: Subresource,
        form: Form,
        options: WriteOptions,
        change: Change,
    ) -> Response:
        return await self._put(self._writing(exchange, resource, part, options), part, form, options, change)

    def _writing(self, exchange: Exchange, resource: Resource[Any], part: Subresource, options: WriteOptions) -> Write:
        info = exchange.info
        return Write(
            exchange, resource, Operation.UPDATE, info.namespace, info.name, subresource=part, dry_run=options.dry_run
        )

    async def _put(
        self,
        write: Write,
        part: Subresource,
        form: Form,
        options: WriteOptions,
        change: Change,
        *,
        with_entries: bool = False,
    ) -> Response:
        paths = part.scale or ScalePaths()

        def scaled(current: JsonObject) -> JsonObject:
            shown = scale_of(current, paths)
            if with_entries:
                shown["metadata"]["managedFields"] = current["metadata"].get("managedFields")
            scale = change(shown)
            _validate(scale, write.name)
            for name in ("resourceVersion", "uid"):
                current["metadata"][name] = (scale.get("metadata") or {}).get(name) or current["metadata"][name]
            put_replicas(current, paths, scale)
            return current

        written = await self._pipeline.update(write, scaled, options.manager)
        scale = scale_of(self._served.decode(write.resource, written.entry), paths)
        return respond(write.exchange, orjson.dumps(scale), form)


def scale_of(obj: JsonObject, paths: ScalePaths) -> JsonObject:
    """The Scale of a workload."""
    metadata = obj["metadata"]
    names = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    selector = _dig(obj, paths.selector)
    if isinstance(selector, dict) and not ({"matchLabels", "matchExpressions"} & selector.keys()):
        text = str(from_labels(selector))
    else:
        text = str(from_label_selector(selector))
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: metadata[name] for name in names if name in metadata},
        "spec": {"replicas": _dig(obj, paths.replicas) or 0},
        "status": {"replicas": _dig(obj, paths.status_replicas) or 0, "selector": text},
    }


def put_replicas(obj: JsonObject, paths: ScalePaths, scale: JsonObject) -> None:
    """Give a workload the replicas of a Scale."""
    _put(obj, paths.replicas, (scale.get("spec") or {}).get("replicas") or 0)


def _validate(scale: JsonObject, name: str) -> None:
    replicas = (scale.get("spec") or {}).get("replicas") or 0
    if replicas < 0:
        wrong = FieldErrors()
        wrong.invalid("spec.replicas", replicas, "must be greater than or equal to 0")
        raise errors.invalid("Scale", "autoscaling", name, wrong)


def _dig(obj: JsonObject, path: tuple[str, ...]) -> Any:
    found: Any = obj
    for name in path:
        found = (found or {}).get(name)
    return found


def _put(obj: JsonObject, path: tuple[str, ...], value: Any) -> None:
    *parents, last = path
    for name in parents:
        obj = obj.setdefault(name, {})
    obj[last] = value
