"""Binding: says which node a pod goes to; written by schedulers, never stored.

Source of the facts: pkg/apis/core/validation/validation.go (ValidatePodBinding). API page: core/v1 Binding.
"""

from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Binding


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """The target is a node, with a name."""
    target = obj.get("target") or {}
    if (kind := target.get("kind") or "") not in ("", "Node"):
        errors.not_supported("target.kind", kind, ("Node", "<empty>"))
    if not target.get("name"):
        errors.required("target.name")


RESOURCE = Resource(
    kind=Binding,
    group="",
    version="v1",
    plural="bindings",
    singular="binding",
    verbs=("create",),
    generation=False,
    validate=validate,
)
