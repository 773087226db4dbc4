"""Schemas: the definitions of API level v1.37, read when first asked for, built into nodes kind by kind.

The package kubernetes-validate has rewritten upstream's OpenAPI v2 data so that JSON Schema validators accept what the
API server accepts: every type allows null, quantities and int-or-strings are a choice of two types, and `kind` and
`apiVersion` list the one value they may have. Here that is undone: null means unset for every field alike, and
the two special types are marks on the node.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson

from pilothouse.api.machinery.schema.node import Schema, ZeroClass
from pilothouse.api.machinery.schema.zeros import zeros_of

LEVEL = "v1.37.0-local"
REFERENCE = "#/$defs/"
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
META = "io.k8s.apimachinery.pkg.apis.meta.v1"
_JSON_SCHEMA = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1"
PRESERVED = frozenset({
    f"{META}.FieldsV1", f"{META}.Patch", "io.k8s.apimachinery.pkg.runtime.RawExtension", f"{_JSON_SCHEMA}.JSON",
    f"{_JSON_SCHEMA}.JSONSchemaPropsOrArray", f"{_JSON_SCHEMA}.JSONSchemaPropsOrBool",
    f"{_JSON_SCHEMA}.JSONSchemaPropsOrStringArray",
})  # fmt: skip
"""Definitions whose content is not ours to judge."""
_MARKS = ("x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type",
          "x-kubernetes-patch-strategy", "x-kubernetes-patch-merge-key")  # fmt: skip
JsonObject = dict[str, Any]


def definitions_file() -> Path:
    """Where the installed package keeps the definitions; found without importing it, which would take 90 ms."""
    package = find_spec("kubernetes_validate")
    if package is None or not package.submodule_search_locations:
        raise RuntimeError("the package kubernetes-validate, which carries the API definitions, is not installed")
    return Path(package.submodule_search_locations[0]) / "kubernetes-json-schema" / LEVEL / "_definitions.json"


class Schemas:
    """The schema of every built-in kind, and of those that `added` defines."""

    def __init__(self, added: Mapping[str, JsonObject] = MappingProxyType({})) -> None:
        self._added = added
        self._nodes: dict[str, Schema] = {}
        self._interned: dict[Any, Schema] = {}

    @cached_property
    def raw(self) -> dict[str, JsonObject]:
        """The definitions by full name as the package has them, descriptions and distortions included."""
        found: dict[str, JsonObject] = orjson.loads(definitions_file().read_bytes())["$defs"]
        found.update(self._added)
        return found

    @cached_property
    def names(self) -> MappingProxyType[tuple[str, str, str], str]:
        """The definition's name of every (group, version, kind)."""
        return MappingProxyType({
            kind: name for name, definition in self.raw.items() for kind in _kinds(definition)
        })  # fmt: skip

    def kind(self, group: str, version: str, kind: str) -> Schema:
        """The schema of a kind. Raises LookupError where the API level has no such kind."""
        name = self.names.get((group, version, kind))
        if name is None:
            raise LookupError(f'no kind "{kind}" in version "{f"{group}/" if group else ""}{version}"')
        return self.definition(name)

    def definition(self, name: str) -> Schema:
        """The schema of a definition by its full name. Raises LookupError where there is none."""
        node = self._nodes.get(name)
        if node is not None:
            return node
        definition = self.raw.get(name)
        if definition is None:
            raise LookupError(f"no definition {name}")
        fields: dict[str, Schema] = {}
        zeros: dict[str, ZeroClass] = {}
        own = self._own(definition, name)
        node = replace(own, properties=MappingProxyType(fields), zeros=MappingProxyType(zeros))
        self._nodes[name] = node
        for field, schema in definition.get("properties", {}).items():
            fields[field] = self._field(schema)
        zeros.update(zeros_of(node))
        return node

    def _own(self, definition: JsonObject, name: str) -> Schema:
        """The node of a definition, its fields aside."""
        return Schema(
            name=name,
            type="" if name in PRESERVED else _type(definition),
            format=definition.get("format", ""),
            required=frozenset(definition.get("required", ())),
            quantity=name == QUANTITY,
            int_or_string=name == INT_OR_STRING,
            preserve_unknown=name in PRESERVED,
            kinds=_kinds(definition),
            **_marks(definition),
        )

    def _field(self, schema: JsonObject) -> Schema:
        """The node of a field, an item or a map's value."""
        marks = _marks(schema)
        if "$ref" in schema:
            target = self.definition(schema["$ref"].removeprefix(REFERENCE))
            if not marks:
                return target
            return self._intern((target.name, *marks.items()), replace(target, **marks))
        kind = _type(schema)
        items = self._field(schema["items"]) if kind == "array" else None
        values = schema.get("additionalProperties")
        additional = self._field(values) if isinstance(values, dict) else None
        node = Schema(
            type=kind,
            format=schema.get("format", ""),
            items=items,
            additional=additional,
            preserve_unknown=kind == "object" and additional is None,
            **marks,
        )
        key = (node.type, node.format, id(items), id(additional), *marks.items())
        return self._intern(key, node)

    def _intern(self, key: object, node: Schema) -> Schema:
        return self._interned.setdefault(key, node)


def _type(schema: JsonObject) -> str:
    """The type, without the null that the package adds."""
    found = schema.get("type", "")
    kinds: list[str] = found if isinstance(found, list) else [found]
    return next(kind for kind in kinds if kind != "null")


def _kinds(definition: JsonObject) -> tuple[tuple[str, str, str], ...]:
    return tuple([
        (one["group"], one["version"], one["kind"]) for one in definition.get("x-kubernetes-group-version-kind", ())
    ])  # fmt: skip


def _marks(schema: JsonObject) -> dict[str, Any]:
    """What apply and patches need to know, by the names of the node's fields."""
    marks: dict[str, Any] = {}
    for mark in _MARKS:
        if mark in schema:
            value = schema[mark]
            if mark.endswith("keys"):
                value = tuple(value)
            elif mark.endswith("strategy"):
                value = tuple(value.split(","))
            marks[mark.removeprefix("x-kubernetes-").replace("-", "_")] = value
    return marks
