"""What StorageClass and VolumeAttributesClass have in common: a driver's name, and parameters that only it can read.

Source of the facts: pkg/apis/storage/validation/validation.go.
"""

from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.names import qualified_name
from pilothouse.api.machinery.view import JsonObject

_MAX_PARAMETERS = 512
_MAX_SIZE = 256 * 1024


def validate_driver(name: str | None, errors: FieldErrors, path: str) -> None:
    """A qualified name, in upper or lower case."""
    if not name:
        errors.required(path)
        return
    for wrong in qualified_name(name.lower()):
        errors.invalid(path, name, wrong)


def validate_parameters(parameters: JsonObject, errors: FieldErrors, path: str) -> None:
    """Not too many, not too large, and each with a name."""
    if len(parameters) > _MAX_PARAMETERS:
        errors.too_long(path, _MAX_PARAMETERS)
        return
    if "" in parameters:
        errors.invalid(path, "", "field can not be empty.")
    if sum(len(key.encode()) + len(value.encode()) for key, value in parameters.items()) > _MAX_SIZE:
        errors.too_long(path, _MAX_SIZE)
