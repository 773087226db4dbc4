"""VolumeAttributesClass: mutable attributes of volumes, by name.

Source of the facts: pkg/apis/storage/validation/validation.go. API page: storage.k8s.io/v1 VolumeAttributesClass;
KEP-3751.
"""

from pilothouse.api.machinery.columns import AGE, show
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.storage.parameters import validate_driver, validate_parameters
from pilothouse.api.types.storage_v1 import VolumeAttributesClass


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """A driver, and at least one parameter for it."""
    validate_driver(obj.get("driverName"), errors, "driverName")
    parameters = obj.get("parameters") or {}
    if not parameters:
        errors.required("parameters", "must contain at least one key/value pair")
    else:
        validate_parameters(parameters, errors, "parameters")


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Other attributes are another class."""
    if obj.get("driverName") != old.get("driverName"):
        errors.forbidden("driverName", "updates to driverName are forbidden.")
    if (obj.get("parameters") or {}) != (old.get("parameters") or {}):
        errors.forbidden("parameters", "updates to parameters are forbidden.")


RESOURCE = Resource(
    kind=VolumeAttributesClass,
    group="storage.k8s.io",
    version="v1",
    plural="volumeattributesclasses",
    singular="volumeattributesclass",
    namespaced=False,
    short_names=("vac",),
    generation=False,
    validate=validate,
    validate_update=validate_update,
    columns=(
        Column("DriverName", show("driverName")),
        AGE,
    ),
)
