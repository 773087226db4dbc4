"""OpenAPI 3.0 documents, one a group and version. Follows the OpenAPI Specification 3.0 and KEP-2896."""

from collections.abc import Iterable
from typing import Any

from pilothouse.api.machinery.openapi.definitions import V3_REFERENCE, definition, reachable
from pilothouse.api.machinery.openapi.operations import PATCH_BODY, Operation, Parameter
from pilothouse.api.machinery.schema import Schemas

JsonObject = dict[str, Any]
MEDIA_TYPES = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
PATCH_TYPES = ("application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json",
               "application/strategic-merge-patch+json")  # fmt: skip


def document(operations: Iterable[Operation], schemas: Schemas) -> JsonObject:
    """The document of the operations given, with the definitions they need."""
    paths: dict[str, JsonObject] = {}
    needed: set[str] = set()
    for operation in operations:
        needed |= {operation.body, operation.returns}
        path = paths.setdefault(operation.path, {})
        path[operation.method] = _operation(operation)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "unversioned"},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {name: definition(name, schemas, v3=True) for name in reachable(needed, schemas)},
            "securitySchemes": {"BearerToken": {
                "description": "Bearer Token authentication", "in": "header", "name": "authorization", "type": "apiKey",
            }},
        },
    }  # fmt: skip


def _operation(operation: Operation) -> JsonObject:
    written: JsonObject = {
        "description": operation.description,
        "operationId": operation.id,
        "tags": [operation.tag],
        "responses": _responses(operation),
    }
    if operation.parameters:
        written["parameters"] = [_parameter(parameter) for parameter in operation.parameters]
    if operation.body:
        types = PATCH_TYPES if operation.body == PATCH_BODY else ("*/*",)
        written["requestBody"] = {"content": _content(operation.body, types)}
    return written | operation.extensions


def _parameter(parameter: Parameter) -> JsonObject:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        **({"required": True} if parameter.place == "path" else {}),
        "schema": {"type": parameter.type, "uniqueItems": True},
    }


def _responses(operation: Operation) -> JsonObject:
    answer: JsonObject = {"description": "OK"}
    if operation.returns:
        answer["content"] = _content(operation.returns, MEDIA_TYPES)
    elif operation.action:
        answer["content"] = {"*/*": {"schema": {"type": "string"}}}
    found: JsonObject = {"200": answer, "401": {"description": "Unauthorized"}}
    if operation.created:
        found["201"] = {**answer, "description": "Created"}
    return found


def _content(name: str, types: Iterable[str]) -> JsonObject:
    return {kind: {"schema": {"$ref": f"{V3_REFERENCE}{name}"}} for kind in types}
