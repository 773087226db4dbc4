"""Options of a write, from the query and, for a deletion, from the body too.

Source: CreateOptions, UpdateOptions, PatchOptions and DeleteOptions of the API reference.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.codec import json, protobuf, yaml
from pilothouse.api.machinery.codec.body import JSON, Expected, FieldValidation, read
from pilothouse.api.machinery.codec.syntax import MalformedError
from pilothouse.api.machinery.errors import BadRequest, RequestEntityTooLarge
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.managed_fields import default_manager
from pilothouse.api.machinery.meta import validate_field_manager
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.machinery.whole_numbers import parse_int
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.pipeline.in_time import in_time
from pilothouse.net.http import BodyTooLarge

BODY_LIMIT = 3 * 1024 * 1024
"""Bytes of the largest body, as upstream's."""
APPLY_PATCH = "application/apply-patch+yaml"
_META = "meta.k8s.io"
_POLICIES = ("Orphan", "Background", "Foreground")


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """What a create, update or patch asks for beside the object."""

    dry_run: bool = False
    manager: str = ""
    validation: FieldValidation = FieldValidation.WARN
    force: bool = False


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """What a deletion asks for. Absent values are None or empty."""

    dry_run: bool = False
    grace_period: int | None = None
    propagation: str = ""
    orphan_dependents: bool | None = None
    uid: str | None = None
    resource_version: str | None = None
    raw: JsonObject = field(default_factory=dict)


def write_options(exchange: Exchange, kind: str) -> WriteOptions:
    """Read the query; `kind` names the options in errors. Raises Invalid."""
    query, wrong = exchange.info.query, FieldErrors()
    dry_run = _dry_run(list(query.get("dryRun", ())), wrong)
    manager = exchange.info.value("fieldManager")
    if kind == "PatchOptions":
        _validate_patch_options(exchange, manager, wrong)
    validate_field_manager(manager, wrong, "fieldManager")
    text = exchange.info.value("fieldValidation")
    try:
        validation = FieldValidation(text) if text else FieldValidation.WARN
    except ValueError:
        wrong.not_supported("fieldValidation", text, ("", "Ignore", "Strict", "Warn"))
        validation = FieldValidation.WARN
    if wrong:
        raise errors.invalid(kind, _META, "", wrong)
    manager = manager or default_manager(exchange.header("user-agent"))
    return WriteOptions(dry_run, manager, validation, exchange.info.flag("force"))


def _validate_patch_options(exchange: Exchange, manager: str, wrong: FieldErrors) -> None:
    """Who applies says who it is, and only who applies may insist."""
    if media_type_of(exchange) == APPLY_PATCH:
        if not manager:
            wrong.required("fieldManager", "is required for apply patch")
    elif "force" in exchange.info.query:
        wrong.forbidden("force", "may not be specified for non-apply patch")


async def delete_options(exchange: Exchange, schemas: Schemas) -> DeleteOptions:
    """Read the body, or the query where there is none. Raises BadRequest or Invalid."""
    body = await read_body(exchange)
    if body:
        media_type = media_type_of(exchange)
        expected = Expected("", "v1", "DeleteOptions")
        schemas.kind(expected.group, expected.version, expected.kind)  # made here, not half made in a thread
        raw = await in_time(exchange, body, media_type, partial(_decode, body, media_type, expected, schemas))
        if exchange.audit is not None:
            exchange.audit.posted(raw)
    else:
        raw = _from_query(exchange)
    wrong = FieldErrors()
    dry_run = _dry_run(raw.get("dryRun") or [], wrong)
    policy = raw.get("propagationPolicy") or ""
    if policy and raw.get("orphanDependents") is not None:
        wrong.invalid("propagationPolicy", policy, "orphanDependents and deletionPropagation cannot be both set")
    if policy and policy not in _POLICIES:
        wrong.not_supported("propagationPolicy", policy, ("Background", "Foreground", "Orphan", "nil"))
    if wrong:
        raise errors.invalid("DeleteOptions", _META, "", wrong)
    conditions = raw.get("preconditions") or {}
    return DeleteOptions(
        dry_run, raw.get("gracePeriodSeconds"), policy, raw.get("orphanDependents"),
        conditions.get("uid"), conditions.get("resourceVersion"), raw,
    )  # fmt: skip


def media_type_of(exchange: Exchange) -> str:
    """The body's media type without parameters; JSON when the client does not say."""
    return exchange.header("content-type").partition(";")[0].strip().lower() or "application/json"


async def read_body(exchange: Exchange) -> bytes:
    """Read the whole body. Raises RequestEntityTooLarge."""
    try:
        return await exchange.request.read(BODY_LIMIT)
    except BodyTooLarge:
        raise RequestEntityTooLarge(f"Request entity too large: limit is {BODY_LIMIT}") from None


def _decode(body: bytes, media_type: str, expected: Expected, schemas: Schemas) -> JsonObject:
    try:
        return read(body, media_type, expected, schemas, FieldValidation.IGNORE).object
    except BadRequest:
        # clients also send them as of meta.k8s.io or of the object's own group
        bare = _anonymous(body, media_type)
        return read(bare, JSON, expected, schemas, FieldValidation.IGNORE).object


def _anonymous(body: bytes, media_type: str) -> bytes:
    """The same options as JSON, without saying which group they are of. Raises BadRequest."""
    value: Any
    try:
        match media_type:
            case "application/yaml":
                value = yaml.decode(body)[0]
            case protobuf.MEDIA_TYPE:
                value = protobuf.decode(body)
            case _:
                value = json.decode(body)
    except MalformedError as error:
        raise BadRequest(f"the object provided is unrecognized (must be of type DeleteOptions): {error}") from None
    if isinstance(value, dict) and value.get("kind") == "DeleteOptions":
        value = {name: item for name, item in value.items() if name not in ("kind", "apiVersion")}
    return json.encode(value)


def _from_query(exchange: Exchange) -> JsonObject:
    info = exchange.info
    raw: JsonObject = {}
    if grace := info.value("gracePeriodSeconds"):
        try:
            raw["gracePeriodSeconds"] = parse_int(grace)
        except ValueError as error:
            raise BadRequest(str(error)) from None
    if policy := info.value("propagationPolicy"):
        raw["propagationPolicy"] = policy
    if "orphanDependents" in info.query:
        raw["orphanDependents"] = info.flag("orphanDependents")
    if dry_run := info.query.get("dryRun"):
        raw["dryRun"] = list(dry_run)
    return raw


def _dry_run(values: list[str], wrong: FieldErrors) -> bool:
    if any(value != "All" for value in values):
        wrong.not_supported("dryRun", values, ("All",))
    return bool(values)
