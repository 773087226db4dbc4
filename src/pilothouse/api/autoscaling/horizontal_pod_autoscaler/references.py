"""Rules for references to objects of any version. Source: ValidateCrossVersionObjectReference in
pkg/apis/autoscaling/validation/validation.go.
"""

from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.names import path_segment
from pilothouse.api.machinery.view import JsonObject


def validate_reference(reference: JsonObject, errors: FieldErrors, path: str) -> None:
    """Kind and name are there and could be part of a path."""
    for name in ("kind", "name"):
        text = reference.get(name) or ""
        if not text:
            errors.required(f"{path}.{name}")
        for wrong in path_segment(text) if text else ():
            errors.invalid(f"{path}.{name}", text, wrong)


def validate_version(reference: JsonObject, errors: FieldErrors, path: str, *, core: bool) -> None:
    """The version can be read, and names a group unless the object may be one of the core group."""
    if wrong := wrong_with_version(reference, core=core):
        errors.invalid(f"{path}.apiVersion", reference.get("apiVersion") or "", wrong)


def wrong_with_version(reference: JsonObject, *, core: bool) -> str:
    """What `validate_version` says; empty for nothing."""
    version = reference.get("apiVersion") or ""
    if version.count("/") > 1:
        return f"unexpected GroupVersion string: {version}"
    group = version.rpartition("/")[0]
    return "" if core or group else "apiVersion must specify API group"
