"""Namespace: the scope of names. It lives until the last of `spec.finalizers` has been taken away.

Sources of the facts: pkg/apis/core/v1/defaults.go, pkg/registry/core/namespace/strategy.go,
pkg/apis/core/validation/validation.go. API page: core/v1 Namespace.
"""

from pilothouse.api.machinery.columns import AGE, dig, field_text, show
from pilothouse.api.machinery.field import FieldErrors, index
from pilothouse.api.machinery.meta import STANDARD_FINALIZERS
from pilothouse.api.machinery.names import dns_label, label_key
from pilothouse.api.machinery.resource import STATUS, Column, Resource, Subresource
from pilothouse.api.machinery.strategy import keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Namespace

NAME_LABEL = "kubernetes.io/metadata.name"
"""The label that selectors of namespaces find one by its name with; nobody can take it away."""
FINALIZER = "kubernetes"


def default(obj: JsonObject) -> None:
    """Label it with its name; a namespace without a phase is active."""
    metadata = obj.setdefault("metadata", {})
    if name := metadata.get("name"):
        if metadata.get("labels") is None:
            metadata["labels"] = {}
        metadata["labels"][NAME_LABEL] = name
    if obj.get("spec") is None:
        obj["spec"] = {}
    if obj.get("status") is None:
        obj["status"] = {}
    if not obj["status"].get("phase"):
        obj["status"]["phase"] = "Active"


def prepare_for_create(obj: JsonObject) -> None:
    """A new namespace is active, and is emptied before it goes."""
    obj["status"] = {"phase": "Active"}
    finalizers = dig(obj, "spec", "finalizers") or []
    if FINALIZER not in finalizers:
        obj.setdefault("spec", {})["finalizers"] = [*finalizers, FINALIZER]


def prepare_for_update(obj: JsonObject, old: JsonObject) -> None:
    """Finalizers and status have their own paths."""
    spec = obj.get("spec") or {}
    spec.pop("finalizers", None)
    if finalizers := dig(old, "spec", "finalizers"):
        spec["finalizers"] = finalizers
    obj["spec"] = spec
    keep_status(obj, old)


def prepare_for_finalize(obj: JsonObject, old: JsonObject) -> None:
    """PUT to the finalize subresource changes `spec.finalizers` and metadata alone."""
    keep_status(obj, old)


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """Finalizers are standard ones or have a domain."""
    for finalizer in dig(obj, "spec", "finalizers") or ():
        _validate_finalizer(finalizer, errors, "spec.finalizers")


def validate_finalize(obj: JsonObject, _old: JsonObject, errors: FieldErrors) -> None:
    """The same, for the finalize subresource, which names the item."""
    for position, finalizer in enumerate(dig(obj, "spec", "finalizers") or ()):
        _validate_finalizer(finalizer, errors, index("spec.finalizers", position))


def _validate_finalizer(finalizer: str, errors: FieldErrors, path: str) -> None:
    for wrong in label_key(finalizer):
        errors.invalid(path, finalizer, wrong)
    if "/" not in finalizer and finalizer not in STANDARD_FINALIZERS:
        errors.invalid(path, finalizer, "name is neither a standard finalizer name nor is it fully qualified")


def validate_status(obj: JsonObject, _old: JsonObject, errors: FieldErrors) -> None:
    """A namespace is Terminating when it is being deleted, and only then."""
    phase = dig(obj, "status", "phase") or ""
    deleted = dig(obj, "metadata", "deletionTimestamp")
    wanted, condition = ("Terminating", "not empty") if deleted else ("Active", "empty")
    if phase != wanted:
        errors.invalid("status.Phase", phase, f"may only be '{wanted}' if `deletionTimestamp` is {condition}")


RESOURCE = Resource(
    kind=Namespace,
    group="",
    version="v1",
    plural="namespaces",
    singular="namespace",
    namespaced=False,
    short_names=("ns",),
    verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
    subresources=(
        Subresource("finalize", verbs=("update",), prepare=prepare_for_finalize, validate=validate_finalize),
        STATUS,
    ),
    generation=False,
    default=default,
    prepare_for_create=prepare_for_create,
    prepare_for_update=prepare_for_update,
    validate=validate,
    validate_status=validate_status,
    validate_name=dns_label,
    columns=(Column("Status", show("status", "phase")), AGE),
    selectable_fields={"status.phase": field_text("status", "phase")},
)
