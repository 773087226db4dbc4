"""Stage: apply. The body becomes a change of the stored object, or of an empty one where none is stored.

Source: apiserver/pkg/endpoints/handlers/patch.go (applyPatcher) for what is looked at in which order.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.codec import json, yaml
from pilothouse.api.machinery.codec.body import Expected, FieldValidation
from pilothouse.api.machinery.codec.pairs import Pairs
from pilothouse.api.machinery.codec.syntax import MalformedError
from pilothouse.api.machinery.errors import BadRequest, StatusError
from pilothouse.api.machinery.managed_fields import Application, apply, apply_for_kubectl
from pilothouse.api.machinery.schema import check
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.authorization.framework import Attributes
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.pipeline.decode import place
from pilothouse.apiserver.pipeline.in_time import in_time
from pilothouse.apiserver.pipeline.managed import Translations, left_alone
from pilothouse.apiserver.pipeline.options import APPLY_PATCH, WriteOptions, read_body
from pilothouse.apiserver.pipeline.write import Write
from pilothouse.apiserver.registry.served import Served
from pilothouse.runtime.clock import format_time

KUBECTL = "kubectl"
"""The manager whose client-side applies of old are taken over."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What was sent, as the text that a fresh copy is made of, and what repeats in it."""

    text: bytes
    repeated: tuple[str, ...] = ()

    def read(self) -> JsonObject:
        """A copy, the caller's to change."""
        found: JsonObject = orjson.loads(self.text)
        return found


async def decode_configuration(exchange: Exchange, expected: Expected, validation: FieldValidation) -> Configuration:
    """The body, YAML or JSON, of the kind that the path takes. Raises BadRequest."""
    body = await read_body(exchange)
    if exchange.audit is not None:
        await in_time(exchange, body, APPLY_PATCH, partial(exchange.audit.patched, body))
    try:
        value, repeated = await in_time(exchange, body, APPLY_PATCH, partial(_decode, body))
    except MalformedError as error:
        raise BadRequest(f"error decoding YAML: error converting YAML to JSON: {error}") from None
    if value is None:
        value = {}
    if not isinstance(value, dict):
        kind = {bool: "bool", str: "string", list: "array"}.get(type(value), "number")
        why = f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
        raise BadRequest(f"error decoding YAML: error unmarshaling JSON: while decoding JSON: {why}")
    group, version, kind = _kind_of(value)
    if (group, version, kind) != (expected.group, expected.version, expected.kind):
        raise BadRequest(f"invalid object type: {group}/{version}, Kind={kind}")
    if validation is FieldValidation.IGNORE:
        repeated = []
    return Configuration(orjson.dumps(value), tuple(repeated))


def applied_to(
    live: JsonObject, sent: Configuration, write: Write, served: Served, options: WriteOptions
) -> JsonObject:
    """The object with the configuration applied, checked; its entries are left in `write`."""
    resource, configuration = write.resource, sent.read()
    asked = Application(
        schema=served.schemas.kind(resource.group, resource.version, resource.name),
        kind=resource.name,
        api_version=resource.api_version,
        manager=options.manager,
        now=format_time(write.exchange.received),
        subresource=write.part,
        force=options.force,
        ignored=left_alone(resource, write.part),
        versions=Translations(served, resource).find,
    )
    return checked(live, configuration, asked, sent, write, options)


def checked(
    live: JsonObject,
    configuration: JsonObject,
    asked: Application,
    sent: Configuration,
    write: Write,
    options: WriteOptions,
) -> JsonObject:
    """Apply, and see that what comes of it is an object of the kind."""
    found = (apply_for_kubectl if asked.manager == KUBECTL else apply)(live, configuration, asked)
    if sent.repeated:
        if options.validation is FieldValidation.STRICT:
            why = "".join(f"\n  {line}" for line in sent.repeated)
            raise BadRequest(f"error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:{why}")
        write.exchange.warnings[:] = dict.fromkeys((*write.exchange.warnings, *sent.repeated))
    findings = check(asked.schema, found.object)
    if findings.errors:
        raise StatusError(
            f"failed to convert new object ({asked.describe(found.object)}) to proper version "
            f"({asked.api_version}): {findings.errors[0]}"
        )
    write.entries = found.entries
    return findings.object


def placed(obj: JsonObject, write: Write, *, is_new: bool) -> JsonObject:
    """The object where the path says. Raises BadRequest, and Conflict for a uid of an object that is not there."""
    name = write.name
    metadata = obj.setdefault("metadata", {})
    if is_new and metadata.get("uid"):
        why = f"uid mismatch: the provided object specified uid {metadata['uid']}, and no existing object was found"
        raise errors.conflict(write.resource.plural, write.resource.group, name, why)
    if not metadata.get("name"):
        why = "name must be provided"
        raise BadRequest(f"the name of the object ({name} based on URL) was undeterminable: {why}")
    place(obj, write.resource, write.namespace, name)
    if is_new:
        metadata.pop("resourceVersion", None)
    return obj


def permit_creation(exchange: Exchange) -> None:
    """Who may patch or update may not create by it without being allowed that, too. Raises Forbidden."""
    exchange.demand(Attributes.of(exchange.user, exchange.info, verb="create"))


def _decode(body: bytes) -> tuple[Any, list[str]]:
    """Most clients send JSON, which is read as such; what repeats in it is looked for as in YAML, for the words."""
    if body.lstrip()[:1] == b"{":
        try:
            value = json.decode(body, duplicates=True)
        except MalformedError:
            return yaml.decode(body)
        return (yaml.decode(body)) if isinstance(value, Pairs) else (value, [])
    return yaml.decode(body)


def _kind_of(value: JsonObject) -> tuple[str, str, str]:
    api_version, kind = value.get("apiVersion"), value.get("kind")
    if not isinstance(api_version, str) or api_version.count("/") > 1:
        return "", "", ""
    group, _, version = api_version.rpartition("/")
    return group, version, kind if isinstance(kind, str) else ""
