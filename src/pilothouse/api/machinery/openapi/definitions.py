"""Definitions in the two dialects, from what the package kubernetes-validate has, without its distortions.

The v2 dialect allows descriptions beside a reference; v3 wraps the reference in `allOf`. Quantities and int-or-strings
are texts in v2 and a choice of types in v3.
"""

from collections.abc import Iterable
from typing import Any

from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.machinery.schema.load import INT_OR_STRING, QUANTITY, REFERENCE

JsonObject = dict[str, Any]
V2_REFERENCE = "#/definitions/"
V3_REFERENCE = "#/components/schemas/"


def reachable(names: Iterable[str], schemas: Schemas) -> list[str]:
    """The definitions that those of `names` need, themselves included, by name."""
    found: set[str] = set()
    ahead = [name for name in names if name]
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            _references(schemas.raw[name], ahead)
    return sorted(found)


def _references(schema: JsonObject, found: list[str]) -> None:
    if "$ref" in schema:
        found.append(schema["$ref"].removeprefix(REFERENCE))
    for inner in schema.get("properties", {}).values():
        _references(inner, found)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            _references(schema[key], found)


def definition(name: str, schemas: Schemas, *, v3: bool) -> JsonObject:
    """One definition by its full name."""
    raw = schemas.raw[name]
    about = {"description": raw["description"]} if "description" in raw else {}
    if name == QUANTITY:
        return {**about, **({"oneOf": [{"type": "string"}, {"type": "number"}]} if v3 else {"type": "string"})}
    if name == INT_OR_STRING:
        choice = {"oneOf": [{"type": "integer"}, {"type": "string"}]} if v3 else {"type": "string"}
        return {**about, "format": "int-or-string", **choice}
    return _clean(raw, v3=v3)


def _clean(schema: JsonObject, *, v3: bool) -> JsonObject:
    clean: JsonObject = {}
    for key, value in schema.items():
        if key == "type" and isinstance(value, list):
            clean[key] = next(kind for kind in value if kind != "null")
        elif key == "properties":
            clean[key] = {name: _clean(inner, v3=v3) for name, inner in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            clean[key] = _clean(value, v3=v3)
        elif key == "$ref":
            target = (V3_REFERENCE if v3 else V2_REFERENCE) + value.removeprefix(REFERENCE)
            if v3 and len(schema) > 1:
                clean["allOf"] = [{"$ref": target}]
            else:
                clean[key] = target
        elif key != "enum":
            clean[key] = value
    return clean
