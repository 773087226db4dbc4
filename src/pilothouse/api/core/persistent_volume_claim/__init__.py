"""PersistentVolumeClaim: a request for storage.

`validation` has its rules, `strategy` what is changed before it is stored. Sources of the facts:
pkg/apis/core/v1/defaults.go, pkg/printers/internalversion/printers.go. API page: core/v1 PersistentVolumeClaim.
"""

from pilothouse.api.core.persistent_volume_claim.strategy import prepare_for_create, prepare_for_update, warn
from pilothouse.api.core.persistent_volume_claim.validation import (
    CLASS_ANNOTATION,
    validate,
    validate_status,
    validate_update,
)
from pilothouse.api.core.pod.resources import canonical_resources
from pilothouse.api.machinery.columns import AGE, UNSET, access_modes, dig, show
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import PersistentVolumeClaim
from pilothouse.runtime.clock import Instant


def default(obj: JsonObject) -> None:
    """A file system, not yet there; amounts are canonical."""
    spec = obj.setdefault("spec", {})
    if spec.get("volumeMode") is None:
        spec["volumeMode"] = "Filesystem"
    if obj.get("status") is None:
        obj["status"] = {}
    if not obj["status"].get("phase"):
        obj["status"]["phase"] = "Pending"
    for amounts in (
        dig(spec, "resources", "requests"),
        dig(spec, "resources", "limits"),
        dig(obj, "status", "capacity"),
    ):
        canonical_resources(amounts or {})


def class_of(obj: JsonObject) -> str:
    """The storage class of a claim or volume."""
    annotations = dig(obj, "metadata", "annotations") or {}
    return annotations.get(CLASS_ANNOTATION) or dig(obj, "spec", "storageClassName") or ""


def show_phase(obj: JsonObject, _now: Instant) -> str:
    """The phase, or that it is going."""
    if dig(obj, "metadata", "deletionTimestamp"):
        return "Terminating"
    return dig(obj, "status", "phase") or ""


def show_class(obj: JsonObject, _now: Instant) -> str:
    """The storage class of a claim or volume, as a cell."""
    return class_of(obj)


def _capacity(obj: JsonObject, _now: Instant) -> str:
    if not dig(obj, "spec", "volumeName"):
        return ""
    return str(dig(obj, "status", "capacity", "storage") or "0")


def _modes(obj: JsonObject, _now: Instant) -> str:
    return access_modes(dig(obj, "status", "accessModes")) if dig(obj, "spec", "volumeName") else ""


RESOURCE = Resource(
    kind=PersistentVolumeClaim,
    group="",
    version="v1",
    plural="persistentvolumeclaims",
    answers_deleted_object=True,
    singular="persistentvolumeclaim",
    short_names=("pvc",),
    subresources=(STATUS,),
    generation=False,
    default=default,
    prepare_for_create=prepare_for_create,
    prepare_for_update=prepare_for_update,
    validate=validate,
    validate_update=validate_update,
    validate_status=validate_status,
    warn=warn,
    columns=(
        Column("Status", show_phase),
        Column("Volume", show("spec", "volumeName")),
        Column("Capacity", _capacity),
        Column("Access Modes", _modes),
        Column("StorageClass", show_class),
        Column("VolumeAttributesClass", show("spec", "volumeAttributesClassName", absent=UNSET)),
        AGE,
        Column("VolumeMode", show("spec", "volumeMode", absent=UNSET), priority=1),
    ),
)
