"""The one OpenAPI 2.0 document of the whole API, for kubectl before 1.28 and old generators."""

from collections.abc import Iterable
from typing import Any

from pilothouse.api.machinery.openapi.definitions import V2_REFERENCE, definition, reachable
from pilothouse.api.machinery.openapi.operations import PATCH_BODY, Operation, Parameter
from pilothouse.api.machinery.openapi.v3 import MEDIA_TYPES, PATCH_TYPES
from pilothouse.api.machinery.schema import Schemas

JsonObject = dict[str, Any]


def document(operations: Iterable[Operation], schemas: Schemas, version: str) -> JsonObject:
    """The document of all operations; `version` is the server's, such as v1.37.0."""
    paths: dict[str, JsonObject] = {}
    needed: set[str] = set()
    for operation in operations:
        needed |= {operation.body, operation.returns}
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": version},
        "paths": dict(sorted(paths.items())),
        "definitions": {name: definition(name, schemas, v3=False) for name in reachable(needed, schemas)},
        "securityDefinitions": {"BearerToken": {
            "description": "Bearer Token authentication", "in": "header", "name": "authorization", "type": "apiKey",
        }},
        "security": [{"BearerToken": []}],
    }  # fmt: skip


def _operation(operation: Operation) -> JsonObject:
    written: JsonObject = {
        "consumes": list(PATCH_TYPES) if operation.body == PATCH_BODY else ["*/*"],
        "description": operation.description,
        "operationId": operation.id,
        "produces": list(MEDIA_TYPES) if operation.returns else ["*/*"],
        "schemes": ["https"],
        "tags": [operation.tag],
        "responses": _responses(operation),
    }
    parameters = [_parameter(parameter) for parameter in operation.parameters]
    if operation.body:
        required = {} if operation.method == "delete" else {"required": True}
        parameters.insert(0, {"name": "body", "in": "body", **required, "schema": _reference(operation.body)})
    if parameters:
        written["parameters"] = parameters
    return written | operation.extensions


def _parameter(parameter: Parameter) -> JsonObject:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "type": parameter.type,
        "uniqueItems": True,
        "description": parameter.description,
        **({"required": True} if parameter.place == "path" else {}),
    }


def _responses(operation: Operation) -> JsonObject:
    answer: JsonObject = {"description": "OK"}
    if operation.action or operation.returns:
        answer["schema"] = _reference(operation.returns) if operation.returns else {"type": "string"}
    found: JsonObject = {"200": answer, "401": {"description": "Unauthorized"}}
    if operation.created:
        found["201"] = {**answer, "description": "Created"}
    return found


def _reference(name: str) -> JsonObject:
    return {"$ref": f"{V2_REFERENCE}{name}"}
