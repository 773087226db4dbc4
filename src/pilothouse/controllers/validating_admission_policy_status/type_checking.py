"""What is wrong with a policy's expressions, given the kinds that it matches. It is told, and changes nothing.

Only what a rule names outright can be looked up: with a wildcard among groups or versions its kinds are left alone, and
no more than ten kinds are looked at. Pure. Source:
apiserver/pkg/admission/plugin/policy/validating/typechecking.go, pkg/cel/common/schemas.go for types of schemas.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from pilothouse.api.admissionregistration.expressions import Expressions
from pilothouse.api.catalogue import AnyResource, Catalogue
from pilothouse.api.machinery.cel.errors import CompileError
from pilothouse.api.machinery.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    CelType,
    list_of,
    map_of,
    object_of,
)
from pilothouse.api.machinery.field import at, index
from pilothouse.api.machinery.schema import Schema, Schemas
from pilothouse.api.machinery.view import JsonObject

_MOST = 10
_TEXTS = {"byte": BYTES, "date-time": TIMESTAMP, "date": TIMESTAMP, "duration": DURATION}
_PLAIN = {"boolean": BOOL, "integer": INT, "number": DOUBLE}
_VALIDATIONS = "spec.validations"


class _Kind(NamedTuple):
    """In the order in which they are told."""

    group: str
    version: str
    kind: str

    def __str__(self) -> str:
        return f"{self.group}/{self.version}, Kind={self.kind}"


def check_types(policy: JsonObject, catalogue: Catalogue, schemas: Schemas) -> list[JsonObject]:
    """The `expressionWarnings` of a ValidatingAdmissionPolicy."""
    spec = policy.get("spec") or {}
    kinds = _kinds(spec, catalogue)
    params = _kind_of_parameters(spec, catalogue)
    warnings: list[JsonObject] = []
    for position, validation in enumerate(spec.get("validations") or ()):
        for name in ("expression", "messageExpression"):
            text = validation.get(name) or ""
            told = _problems(text, spec, kinds, params, schemas) if text else []
            if told:
                warnings.append({"fieldRef": at(index(_VALIDATIONS, position), name), "warning": "\n".join(told)})
    return warnings


def _problems(text: str, spec: JsonObject, kinds: Sequence[_Kind], params: _Kind | None, schemas: Schemas) -> list[str]:
    """What is wrong with one expression, for each kind that it is wrong for."""
    found = []
    for kind in kinds:
        own = type_of_schema(schemas.kind(*kind))
        types = {"object": own, "oldObject": own}
        if params is not None:
            types["params"] = type_of_schema(schemas.kind(*params))
        expressions = Expressions(params=params is not None, types=types)
        for variable in spec.get("variables") or ():
            try:
                expressions.variable(variable.get("name") or "", variable.get("expression") or "")
            except CompileError:
                continue  # it is of any type then
        try:
            expressions.anything(text)
        except CompileError as error:
            found.append(f"{kind}: {error.text}\n")
    return found


def _kinds(spec: JsonObject, catalogue: Catalogue) -> Sequence[_Kind]:
    found: set[_Kind] = set()
    for rule in (spec.get("matchConstraints") or {}).get("resourceRules") or ():
        for count, resource in enumerate(_named(rule, catalogue), 1):
            found.add(_Kind(resource.group, resource.version, resource.name))
            if count == _MOST:
                return sorted(found)
    return sorted(found)


def _named(rule: JsonObject, catalogue: Catalogue) -> Iterator[AnyResource]:
    groups, versions = sorted(rule.get("apiGroups") or ()), sorted(rule.get("apiVersions") or ())
    if any("*" in word for word in (*groups, *versions)):
        return
    plurals = sorted(word for word in rule.get("resources") or () if "*" not in word and "/" not in word)
    for group in groups:
        for version in versions:
            for plural in plurals:
                if (resource := catalogue.find(group, version, plural)) is not None:
                    yield resource


def _kind_of_parameters(spec: JsonObject, catalogue: Catalogue) -> _Kind | None:
    kind = spec.get("paramKind")
    if kind is None:
        return None
    group, _, version = (kind.get("apiVersion") or "").rpartition("/")
    found = catalogue.by_kind(group, version, kind.get("kind") or "")
    return None if found is None else _Kind(group, version, found.name)


@lru_cache(maxsize=1024)
def type_of_schema(schema: Schema) -> CelType:
    """The type of what a schema describes. A definition may contain itself, so fields are looked at when asked for."""
    if schema.int_or_string or schema.preserve_unknown:
        return DYN
    if schema.quantity:
        return STRING
    if schema.items is not None:
        return list_of(type_of_schema(schema.items))
    if schema.additional is not None:
        return map_of(STRING, type_of_schema(schema.additional))
    if schema.type == "string":
        return _TEXTS.get(schema.format, STRING)
    if schema.type != "object":
        return _PLAIN.get(schema.type, DYN)
    properties = schema.properties

    def field(name: str) -> CelType | None:
        return type_of_schema(properties[name]) if name in properties else None

    return object_of(schema.name or "object", field)
