"""StorageVersionMigration: rewrites stored objects in the current storage version.

Source of the facts: pkg/apis/storagemigration/validation/validation.go. API page: storagemigration.k8s.io/v1
StorageVersionMigration; KEP-4192. *assumed*: a resource version may be empty, and the words for one that is no number.
"""

from pilothouse.api.machinery.columns import dig
from pilothouse.api.machinery.condition_rules import validate_conditions
from pilothouse.api.machinery.conditions import is_true
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.meta import IMMUTABLE, validate_immutable
from pilothouse.api.machinery.names import dns1035_label, dns_subdomain
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.storagemigration_v1 import StorageVersionMigration
from pilothouse.runtime.clock import Instant


def _resource(obj: JsonObject, _now: Instant) -> str:
    found = dig(obj, "spec", "resource") or {}
    return f"{found.get('resource', '')}.{found.get('group', '')}".rstrip(".")


_NOT_BOTH = "Both success and failed conditions cannot be true at the same time"
_VERSION, _CONDITIONS = "status.resourceVersion", "status.conditions"


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """A resource that there can be."""
    found = dig(obj, "spec", "resource") or {}
    resource, group = found.get("resource") or "", found.get("group") or ""
    if not resource:
        errors.required("spec.resource.resource", "resource is required to be set")
    elif wrongs := dns1035_label(resource):
        errors.invalid("spec.resource.resource", resource, ",".join(wrongs))
    if group and (wrongs := dns_subdomain(group)):
        errors.invalid("spec.resource.group", group, ",".join(wrongs))


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Another resource is another migration."""
    validate_immutable(obj.get("spec"), old.get("spec"), errors, "spec")


def validate_status(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """It runs from one resource version, and ends once."""
    conditions, before = (dig(one, "status", "conditions") or [] for one in (obj, old))
    version, stored = (dig(one, "status", "resourceVersion") or "" for one in (obj, old))
    if version and not (version.isascii() and version.isdigit()):
        errors.invalid(_VERSION, version, f"resource version is not well formed: {version}")
    validate_conditions(conditions, errors, _CONDITIONS)
    if stored and version != stored:
        errors.invalid(_VERSION, version, IMMUTABLE)
    succeeded, failed, running = (is_true(conditions, kind) for kind in ("Succeeded", "Failed", "Running"))
    if succeeded and failed:
        errors.invalid(_CONDITIONS, conditions, _NOT_BOTH)
    for kind, word, ended in (("Succeeded", "success", succeeded), ("Failed", "failed", failed)):
        if ended and running:
            words = f"Running condition cannot be true when {word} condition is true"
            errors.invalid(_CONDITIONS, conditions, words)
        if is_true(before, kind) and not ended:
            words = f"{word.capitalize()} condition cannot be set to false once it is true"
            errors.invalid(_CONDITIONS, conditions, words)


RESOURCE = Resource(
    kind=StorageVersionMigration,
    group="storagemigration.k8s.io",
    version="v1",
    plural="storageversionmigrations",
    singular="storageversionmigration",
    namespaced=False,
    subresources=(STATUS,),
    generation=False,
    prepare_for_create=fresh_status(),
    prepare_for_update=keep_status,
    validate=validate,
    validate_update=validate_update,
    validate_status=validate_status,
    columns=(Column("Resource", _resource),),
)
