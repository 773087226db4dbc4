"""What a mutation makes of an object: a configuration that is merged as server-side apply merges, or a JSON patch.

A configuration may not touch what is only ever replaced as a whole: who means to change a part would remove the rest.
Pure. Source: apiserver/pkg/admission/plugin/policy/mutating/patch/{smd,json_patch}.go, pkg/cel/mutation.
"""

from typing import Any

import orjson

from pilothouse.api.machinery.cel.values import Struct
from pilothouse.api.machinery.errors import InternalError, StatusError
from pilothouse.api.machinery.managed_fields.configuration import claims
from pilothouse.api.machinery.managed_fields.merge import child, merge
from pilothouse.api.machinery.patch.json import FailedTest, OperationError, apply_json_patch
from pilothouse.api.machinery.schema import Schema, check
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.admission.dynamic.request import GroupVersionKind


class MutationError(Exception):
    """A mutation cannot be carried out; the failure policy decides what becomes of the request."""


def applied(schema: Schema, obj: JsonObject, value: object, kind: GroupVersionKind) -> JsonObject:
    """The object with an apply configuration merged in. Raises MutationError, InternalError."""
    try:
        _check_names(value, ("Object",))
    except ValueError as error:
        raise MutationError(f"type mismatch: {error}") from None
    configuration: JsonObject = {**_plain(value), "apiVersion": kind.api_version, "kind": kind.kind}
    _, wrongs = claims(schema, configuration)
    if wrongs:
        why = wrongs[0] if len(wrongs) == 1 else "\n  ".join(["errors:", *wrongs])
        raise MutationError(f"error applying patch: failed to convert patch object to typed object: {why}")
    if atomic := _atomics(schema, configuration, ""):
        why = f"may not mutate atomic arrays, maps or structs: {', '.join(atomic)}"
        raise MutationError(f"error applying patch: invalid ApplyConfiguration: {why}")
    try:
        return _checked(schema, merge(schema, obj, configuration))
    except ValueError as error:
        raise MutationError(f"error applying patch: failed to merge patch: {error}") from None


def patched(schema: Schema, obj: JsonObject, value: object) -> JsonObject:
    """The object after the operations, the same where a test among them fails. Raises MutationError, InternalError."""
    assert isinstance(value, list)
    operations = [_operation(one) for one in value]
    try:
        return _checked(schema, apply_json_patch(obj, operations))
    except InternalError:
        raise
    except StatusError as error:
        if isinstance(error.__cause__, FailedTest):
            return obj
        why = error.__cause__ if isinstance(error.__cause__, OperationError) else error
        raise MutationError(f"JSONPath: {why}") from None


def _operation(value: object) -> JsonObject:
    assert isinstance(value, dict)
    operation: JsonObject = {"op": value.get("op") or "", "path": value.get("path") or ""}
    if value.get("from"):
        operation["from"] = value["from"]
    if "value" in value:
        given = value["value"]
        if isinstance(given, Struct):
            try:
                _check_names(given, (given.type_name,))
            except ValueError as error:
                raise MutationError(f"type mismatch: {error}") from None
        operation["value"] = _plain(given)
    return operation


def _checked(schema: Schema, obj: JsonObject) -> JsonObject:
    """A copy of what was made, as an object of the kind has it. Raises InternalError."""
    findings = check(schema, orjson.loads(orjson.dumps(obj)))
    if wrongs := (*findings.errors, *findings.strict):
        raise InternalError(wrongs[0])
    return findings.object


def _check_names(value: object, path: tuple[str, ...]) -> None:
    """Structs are of the type that their place says. Raises ValueError."""
    if isinstance(value, Struct):
        expected = ".".join(path)
        if value.type_name != expected:
            raise ValueError(
                f'unexpected type name "{value.type_name}", expected "{expected}", '
                "which matches field name path from root Object type"
            )
        for name, field in value.items():
            _check_names(field, (*path, name))
    elif isinstance(value, dict):
        for item in value.values():
            _check_names(item, path)
    elif isinstance(value, list):
        for item in value:
            _check_names(item, path)


def _plain(value: Any) -> Any:
    """A value of CEL as JSON has it."""
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _atomics(node: Schema | None, value: Any, path: str) -> list[str]:
    """The places in a configuration of what is replaced as a whole."""
    found: list[str] = []
    if node is None or node.preserve_unknown:
        return found
    if isinstance(value, dict) and node.type == "object":
        if node.map_type == "atomic":
            found.append(path)
        for name, item in value.items():
            if name in node.properties:
                found += _atomics(child(node, name), item, f"{path}.{name}")
    elif isinstance(value, list) and node.items is not None:
        if node.list_type in ("", "atomic"):
            found.append(path)
        for position, item in enumerate(value):
            found += _atomics(node.items, item, f"{path}[{position}]")
    return found
