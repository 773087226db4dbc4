"""create, update, patch, delete, deletecollection: from the request to the pipeline and back."""

from collections.abc import Iterator
from typing import Any

import orjson

from pilothouse.api.machinery.codec.body import Expected
from pilothouse.api.machinery.errors import AlreadyExists, NotFound
from pilothouse.api.machinery.resource import Resource, Subresource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.answers import success_status
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.pipeline.apply import (
    Configuration,
    applied_to,
    decode_configuration,
    permit_creation,
    placed,
)
from pilothouse.apiserver.pipeline.decode import Change, decode_object, decode_patch, place
from pilothouse.apiserver.pipeline.deletion import Deletion
from pilothouse.apiserver.pipeline.options import (
    APPLY_PATCH,
    DeleteOptions,
    WriteOptions,
    delete_options,
    media_type_of,
    write_options,
)
from pilothouse.apiserver.pipeline.pipeline import Pipeline
from pilothouse.apiserver.pipeline.write import Operation, Write
from pilothouse.apiserver.registry.selection import selection_of
from pilothouse.apiserver.registry.served import Served
from pilothouse.apiserver.verbs.forms import Form
from pilothouse.apiserver.verbs.shape import Shaper, respond
from pilothouse.net.http import Response


class Changing:
    """Answers the verbs that write."""

    def __init__(self, served: Served, shaper: Shaper, pipeline: Pipeline, deletion: Deletion) -> None:
        self._served = served
        self._shape = shaper
        self._pipeline = pipeline
        self._deletion = deletion

    async def create(self, exchange: Exchange, resource: Resource[Any], form: Form) -> Response:
        """POST to a collection."""
        options = write_options(exchange, "CreateOptions")
        posted = await decode_object(exchange, expected_of(resource), self._served.schemas, options.validation)
        place(posted, resource, exchange.info.namespace)
        write = write_of(exchange, resource, Operation.CREATE, options, new=posted)
        written = await self._pipeline.create(write, options.manager)
        return self._shape.one(exchange, resource, written.entry, form, 201)

    async def update(
        self, exchange: Exchange, resource: Resource[Any], form: Form, subresource: Subresource | None = None
    ) -> Response:
        """PUT. A kind with create_on_update comes into being where it is not there."""
        options = write_options(exchange, "UpdateOptions")
        posted = await decode_object(exchange, expected_of(resource), self._served.schemas, options.validation)
        place(posted, resource, exchange.info.namespace, exchange.info.name)
        may_create = resource.create_on_update and subresource is None and not posted["metadata"].get("resourceVersion")
        forms = _copies(posted)
        write = write_of(exchange, resource, Operation.UPDATE, options, subresource=subresource)
        try:
            written = await self._pipeline.replace(write, forms, options.manager)
        except NotFound:
            if not may_create:
                raise
            permit_creation(exchange)
            write = write_of(exchange, resource, Operation.CREATE, options, new=next(forms))
            written = await self._pipeline.create(write, options.manager)
            return self._shape.one(exchange, resource, written.entry, form, 201)
        return self._shape.one(exchange, resource, written.entry, form)

    async def patch(
        self, exchange: Exchange, resource: Resource[Any], form: Form, subresource: Subresource | None = None
    ) -> Response:
        """PATCH in one of four forms, of which apply may create."""
        options = write_options(exchange, "PatchOptions")
        if media_type_of(exchange) == APPLY_PATCH:
            return await self._apply(exchange, resource, form, subresource, options)
        change = await decode_patch(exchange, expected_of(resource), self._served.schemas, options.validation)

        def patched(current: JsonObject) -> JsonObject:
            result = change(current)
            place(result, resource, exchange.info.namespace, exchange.info.name)
            return result

        write = write_of(exchange, resource, Operation.UPDATE, options, subresource=subresource)
        written = await self._pipeline.update(write, patched, options.manager)
        return self._shape.one(exchange, resource, written.entry, form)

    async def _apply(
        self,
        exchange: Exchange,
        resource: Resource[Any],
        form: Form,
        subresource: Subresource | None,
        options: WriteOptions,
    ) -> Response:
        sent = await decode_configuration(exchange, expected_of(resource), options.validation)
        while True:
            write = write_of(exchange, resource, Operation.UPDATE, options, subresource=subresource)
            try:
                written = await self._pipeline.update(write, self._applying(write, sent, options), options.manager)
            except NotFound:
                if subresource is not None:
                    raise
            else:
                return self._shape.one(exchange, resource, written.entry, form)
            write = write_of(exchange, resource, Operation.CREATE, options)
            write.new = placed(applied_to({}, sent, write, self._served, options), write, is_new=True)
            permit_creation(exchange)
            try:
                written = await self._pipeline.create(write, options.manager)
            except AlreadyExists:
                continue
            return self._shape.one(exchange, resource, written.entry, form, 201)

    def _applying(self, write: Write, sent: Configuration, options: WriteOptions) -> Change:
        return lambda live: placed(applied_to(live, sent, write, self._served, options), write, is_new=False)

    async def delete(self, exchange: Exchange, resource: Resource[Any], form: Form) -> Response:
        """DELETE one object: the object, or a Status where nothing of it is left to see."""
        options = await delete_options(exchange, self._served.schemas)
        _warn_of_orphans(exchange, resource, options)
        write = _deletion_of(exchange, resource, options, exchange.info.namespace, exchange.info.name)
        written, gone = await self._deletion.delete(write, options)
        entry = written.entry
        if gone and not resource.answers_deleted_object:
            uid = entry.decode()["metadata"]["uid"]
            answer = success_status(name=entry.name, group=resource.group, plural=resource.plural, uid=uid)
            return respond(exchange, orjson.dumps(answer), form)
        status = 202 if not gone and options.orphan_dependents is False else 200
        return self._shape.one(exchange, resource, entry, form, status)

    async def delete_collection(self, exchange: Exchange, resource: Resource[Any], form: Form) -> Response:
        """DELETE what a list with the same selectors would show; the answer is that list."""
        options = await delete_options(exchange, self._served.schemas)
        _warn_of_orphans(exchange, resource, options)
        selection = selection_of(exchange.info, resource)
        await self._served.cache.reach_latest()
        deleted = []
        for entry in list(selection.among(self._served.cache_of(resource))):
            write = _deletion_of(exchange, resource, options, entry.namespace, entry.name)
            try:
                written, _ = await self._deletion.delete(write, options)
            except NotFound:
                continue
            deleted.append(written.entry)
        metadata = {"resourceVersion": str(self._served.cache.revision)}
        return self._shape.list(exchange, resource, deleted, metadata, form)


def _copies(obj: JsonObject) -> Iterator[JsonObject]:
    """The object itself, which may be changed, then copies of how it was."""
    text = orjson.dumps(obj)
    yield obj
    while True:
        yield orjson.loads(text)


def expected_of(resource: Resource[Any]) -> Expected:
    """The kind a resource's path takes."""
    return Expected(resource.group, resource.version, resource.name)


def write_of(
    exchange: Exchange,
    resource: Resource[Any],
    operation: Operation,
    options: WriteOptions,
    *,
    new: JsonObject | None = None,
    subresource: Subresource | None = None,
) -> Write:
    """The write that a request asks for."""
    namespace = exchange.info.namespace if resource.namespaced else ""
    return Write(
        exchange, resource, operation, namespace, exchange.info.name, new=new, subresource=subresource,
        dry_run=options.dry_run,
    )  # fmt: skip


def _warn_of_orphans(exchange: Exchange, resource: Resource[Any], options: DeleteOptions) -> None:
    if resource.orphaning_warning and not options.propagation and options.orphan_dependents is None:
        exchange.warnings.append(resource.orphaning_warning)


def _deletion_of(
    exchange: Exchange, resource: Resource[Any], options: DeleteOptions, namespace: str, name: str
) -> Write:
    namespace = namespace if resource.namespaced else ""
    return Write(
        exchange, resource, Operation.DELETE, namespace, name, options=options.raw, dry_run=options.dry_run
    )  # fmt: skip
