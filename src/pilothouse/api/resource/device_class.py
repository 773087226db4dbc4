"""DeviceClass: a named choice of devices and their configuration.

Source of the facts: pkg/apis/resource/validation/validation.go. API page: resource.k8s.io/v1 DeviceClass.
"""

from pilothouse.api.core.pod.validation.requirements import is_extended
from pilothouse.api.machinery.columns import dig
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.resource.requests import validate_class
from pilothouse.api.types.resource_v1 import DeviceClass


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """Selectors, configuration, and the extended resource that it may stand for (KEP-5004)."""
    validate_class(obj.get("spec") or {}, errors, "spec")
    name = dig(obj, "spec", "extendedResourceName")
    if name is not None and not is_extended(name):
        errors.invalid("spec.extendedResourceName", name, "must be a valid extended resource name")


RESOURCE = Resource(
    kind=DeviceClass,
    group="resource.k8s.io",
    version="v1",
    plural="deviceclasses",
    singular="deviceclass",
    namespaced=False,
    validate=validate,
)
