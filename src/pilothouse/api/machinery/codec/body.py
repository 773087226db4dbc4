"""What the body of a write request says: bytes in, an object of the expected kind out, or upstream's refusal.

Follows the order in which upstream looks: is it JSON (or YAML) at all, which kind does it say it is (a body that says
nothing is taken for the expected one), are the types right, and only then, as `fieldValidation` asks, are there fields
nobody knows or fields given twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pilothouse.api.machinery.codec import json, protobuf, yaml
from pilothouse.api.machinery.codec.syntax import MalformedError
from pilothouse.api.machinery.errors import BadRequest, UnsupportedMediaType
from pilothouse.api.machinery.schema import Schemas, check

JSON = "application/json"
YAML = "application/yaml"
_SUMMARY = 30
_HEAD = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
JsonObject = dict[str, Any]


class FieldValidation(Enum):
    """What becomes of unknown and repeated fields; the values of `?fieldValidation=`."""

    IGNORE = "Ignore"
    WARN = "Warn"
    STRICT = "Strict"


@dataclass(frozen=True, slots=True)
class Decoded:
    """A body understood. `warnings` go to the client as Warning headers."""

    object: JsonObject
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expected:
    """The kind that a path takes, and how messages speak of it."""

    group: str
    version: str
    kind: str

    @property
    def api_version(self) -> str:
        """`apps/v1`, or `v1` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def refusal(self, why: str, kind: str = "", version: str = "") -> BadRequest:
        """The error for a body that is of some kind but cannot be used."""
        named, at = kind or self.kind, version or self.version
        return BadRequest(f'{named} in version "{at}" cannot be handled as a {self.kind}: {why}')


def read(body: bytes, media_type: str, expected: Expected, schemas: Schemas, validation: FieldValidation) -> Decoded:
    """The object in `body`. Raises BadRequest or UnsupportedMediaType with upstream's words."""
    if media_type == protobuf.MEDIA_TYPE:
        value, repeated = _parse_protobuf(body, expected), list[str]()
    else:
        value, repeated = _parse(body, media_type, expected, validation)
    _verify_kind(value, body, expected, schemas)
    findings = check(schemas.kind(expected.group, expected.version, expected.kind), value)
    if findings.errors:
        raise expected.refusal(findings.errors[0])
    if validation is FieldValidation.STRICT and (repeated or findings.strict):
        raise expected.refusal(strict_error(findings.strict, repeated))
    warned = validation is FieldValidation.WARN
    found = findings.object
    if not (found.get("kind") and found.get("apiVersion")):
        rest = {key: value for key, value in found.items() if key not in ("kind", "apiVersion")}
        found = {"kind": expected.kind, "apiVersion": expected.api_version, **rest}
    return Decoded(found, (*repeated, *findings.strict) if warned else ())


def strict_error(strict: Sequence[str], repeated: Sequence[str] = ()) -> str:
    """`strict decoding error: unknown field "spec.foo", ...`; `repeated` is what a YAML text says twice."""
    lines = ["yaml: unmarshal errors:" + "".join(f"\n  {line}" for line in repeated)] if repeated else []
    return f"strict decoding error: {', '.join([*lines, *strict])}"


def _parse(
    body: bytes, media_type: str, expected: Expected, validation: FieldValidation
) -> tuple[JsonObject, list[str]]:
    """The body as an object, and the repeated keys of a YAML text."""
    if media_type not in (JSON, YAML):
        raise UnsupportedMediaType(
            f"the body of the request was in an unknown format - accepted media types include: "
            f"{JSON}, {YAML}, {protobuf.MEDIA_TYPE}"
        )
    repeated: list[str] = []
    try:
        if media_type == YAML:
            value, repeated = yaml.decode(body)
        else:
            value = json.decode(body, duplicates=validation is not FieldValidation.IGNORE)
    except MalformedError as error:
        raise _unrecognized(str(error) if media_type == YAML else _no_kind(str(error)), body, expected) from None
    if value is None:
        value = {}
    if not isinstance(value, dict):
        words = {bool: "bool", str: "string", list: "array"}.get(type(value), "number")
        raise _unrecognized(_no_kind(f"json: cannot unmarshal {words} into Go value of type {_HEAD}"), body, expected)
    return value, [] if validation is FieldValidation.IGNORE else repeated


def _parse_protobuf(body: bytes, expected: Expected) -> JsonObject:
    try:
        return protobuf.decode(body, api_version=expected.api_version, kind=expected.kind)
    except MalformedError as error:
        raise _unrecognized(str(error), body, expected) from None


def _verify_kind(value: JsonObject, body: bytes, expected: Expected, schemas: Schemas) -> None:
    """See that the object is what it should be, or does not say."""
    api_version, kind = (_text(value, field, body, expected) for field in ("apiVersion", "kind"))
    if api_version.count("/") > 1:
        raise _unrecognized(f"unexpected GroupVersion string: {api_version}", body, expected)
    group, _, version = api_version.rpartition("/")
    kind = kind or expected.kind
    if not api_version:
        group, version = expected.group, expected.version
    if (group, version, kind) == (expected.group, expected.version, expected.kind):
        return
    if (group, version, kind) not in schemas.names:
        at = api_version or expected.api_version
        why = f'no kind "{kind}" is registered for version "{at}" in scheme "pkg/api/legacyscheme/scheme.go:30"'
        raise expected.refusal(why, kind, version)
    if (group, kind) == (expected.group, expected.kind):
        raise BadRequest(
            f"the API version in the data ({api_version}) does not match the expected API version "
            f"({expected.api_version})"
        )
    internal = expected.group.partition(".")[0] or "core"
    why = f"converting ({version}.{kind}) to ({internal}.{expected.kind}): unknown conversion"
    raise expected.refusal(why, kind, version)


def _text(value: JsonObject, field: str, body: bytes, expected: Expected) -> str:
    """`kind` or `apiVersion`, which must be text."""
    found = value.get(field)
    if found is None or isinstance(found, str):
        return found or ""
    words = {bool: "bool", list: "array", dict: "object"}.get(type(found), "number")
    why = _no_kind(f"json: cannot unmarshal {words} into Go struct field .{field} of type string")
    raise _unrecognized(why, body, expected)


def _no_kind(why: str) -> str:
    return f"couldn't get version/kind; json parse error: {why}"


def _unrecognized(why: str, body: bytes, expected: Expected) -> BadRequest:
    return BadRequest(
        f"the object provided is unrecognized (must be of type {expected.kind}): {why} ({_summary(body)})"
    )


def _summary(body: bytes) -> str:
    """The beginning of a body: as text where it might be JSON, else in hexadecimal."""
    if not body:
        return "<empty>"
    head = body[:_SUMMARY]
    text = head.decode("utf-8", "replace") if body[:1] == b"{" else head.hex()
    return f"{text} ..." if len(body) > _SUMMARY else text
