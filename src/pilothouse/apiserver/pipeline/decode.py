"""Stage: decode strictly. The body becomes an object of the expected kind that belongs where the path says.

Source: apiserver/pkg/endpoints/handlers/{create,update,patch}.go for the checks that tie body and path together.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.codec import json
from pilothouse.api.machinery.codec.body import JSON, Expected, FieldValidation, read, strict_error
from pilothouse.api.machinery.codec.syntax import TOO_DEEP, MalformedError
from pilothouse.api.machinery.errors import BadRequest, StatusError, UnsupportedMediaType
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.patch.json import apply_json_patch, unknown_members
from pilothouse.api.machinery.patch.merge import apply_merge_patch
from pilothouse.api.machinery.patch.strategic import apply_strategic_patch
from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.schema import Findings, Schema, Schemas, check
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.pipeline.in_time import in_time
from pilothouse.apiserver.pipeline.options import APPLY_PATCH, media_type_of, read_body

Change = Callable[[JsonObject], JsonObject]
"""From the object as it is (a copy, ours to change) to the object as it shall be."""

JSON_PATCH, MERGE_PATCH = "application/json-patch+json", "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"


async def decode_object(
    exchange: Exchange, expected: Expected, schemas: Schemas, validation: FieldValidation
) -> JsonObject:
    """The posted object; findings that are no errors become warnings of the answer."""
    body, form = await read_body(exchange), media_type_of(exchange)
    schemas.kind(expected.group, expected.version, expected.kind)  # made here: what is half made is not for threads
    decoded = await in_time(exchange, body, form, partial(read, body, form, expected, schemas, validation))
    exchange.warnings.extend(decoded.warnings)
    decoded.object.setdefault("metadata", {})
    if decoded.object["metadata"] is None:
        decoded.object["metadata"] = {}
    if exchange.audit is not None:
        exchange.audit.posted(decoded.object)
    return decoded.object


def place(obj: JsonObject, resource: Resource[Any], namespace: str, name: str = "") -> None:
    """Hold the object's namespace and name against those of the path, which fill in for absent ones."""
    metadata = obj.setdefault("metadata", {})
    found = metadata.get("namespace") or ""
    if resource.namespaced and found not in ("", namespace):
        raise BadRequest("the namespace of the provided object does not match the namespace sent on the request")
    if resource.namespaced:
        metadata["namespace"] = namespace
    if name:
        given = metadata.get("name") or ""
        if given not in ("", name):
            raise BadRequest(f"the name of the object ({given}) does not match the name on the URL ({name})")
        metadata["name"] = name


async def decode_patch(exchange: Exchange, expected: Expected, schemas: Schemas, validation: FieldValidation) -> Change:
    """The change that the posted patch asks for. Raises UnsupportedMediaType for a form that is not served."""
    body, form = await read_body(exchange), media_type_of(exchange)
    schema = schemas.kind(expected.group, expected.version, expected.kind)
    apply: Callable[[JsonObject, Any], JsonObject]
    if form == JSON_PATCH:
        apply = apply_json_patch
    elif form == MERGE_PATCH:
        apply = apply_merge_patch
    elif form == STRATEGIC_PATCH:

        def apply(doc: JsonObject, patch: Any) -> JsonObject:
            return apply_strategic_patch(doc, patch, schema)
    else:
        served = f"{JSON_PATCH}, {MERGE_PATCH}, {STRATEGIC_PATCH}, {APPLY_PATCH}"
        raise UnsupportedMediaType(
            f"the body of the request was in an unknown format - accepted media types include: {served}"
        )
    patch = await in_time(exchange, body, JSON, partial(_patch_body, body))
    if exchange.audit is not None:
        await in_time(exchange, body, JSON, partial(exchange.audit.patched, body))
    named, patches = _fields_of(patch, form), _copies(patch, body)
    strict = tuple(unknown_members(patch)) if form == JSON_PATCH and isinstance(patch, list) else ()

    def change(current: JsonObject) -> JsonObject:
        patched = apply(current, next(patches))  # its parts may become the object's, and be changed there
        if form == JSON_PATCH and json.too_deep(patched):
            raise BadRequest(TOO_DEEP)  # each operation may go as deep as a body, and begin where the last ended
        findings = _check(schema, patched, named)
        if findings.errors:
            raise _refusal(body, findings.errors[0])
        unknown = (*strict, *findings.strict)
        if unknown and validation is FieldValidation.STRICT:
            raise _refusal(body, strict_error(unknown))
        if validation is FieldValidation.WARN:
            exchange.warnings[:] = dict.fromkeys((*exchange.warnings, *unknown))
        return findings.object

    return change


def _copies(patch: Any, body: bytes) -> Iterator[Any]:
    """The patch that was read from the body, then copies of how it was."""
    yield patch
    while True:
        yield _patch_body(body)


def _fields_of(patch: Any, form: str) -> frozenset[str]:
    """The fields of the object that a patch changes; nothing where that may be any of them."""
    if form == JSON_PATCH or not isinstance(patch, dict) or any(name.startswith("$") for name in patch):
        return frozenset()
    return frozenset(patch)


def _check(schema: Schema, obj: JsonObject, names: frozenset[str]) -> Findings:
    """Hold the fields of these names against the schema: all others are as they are stored, and right."""
    if not names:
        return check(schema, obj)
    found = check(schema, {name: value for name, value in obj.items() if name in names})
    part = found.object
    whole = {name: part.get(name, value) for name, value in obj.items() if name in part or name not in names}
    return replace(found, object=whole)


def _refusal(body: bytes, why: str) -> StatusError:
    """A patch whose result is no object of the kind, as upstream refuses it: an Invalid that names no kind."""
    wrong = FieldErrors()
    wrong.invalid("patch", body.decode("utf-8", "replace"), why)
    return errors.invalid("", "", "", wrong)


def _patch_body(body: bytes) -> Any:
    try:
        return json.decode(body)
    except MalformedError as error:
        raise BadRequest(f"error decoding patch: {error}") from None
