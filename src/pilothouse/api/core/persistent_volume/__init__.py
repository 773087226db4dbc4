"""PersistentVolume: a piece of storage of the cluster.

`validation` has its rules, `sources` those of where the storage is. Sources of the facts: pkg/apis/core/v1/defaults.go,
pkg/registry/core/persistentvolume/strategy.go, pkg/api/persistentvolume/util.go,
pkg/printers/internalversion/printers.go. API page: core/v1 PersistentVolume.
"""

from pilothouse.api.core.persistent_volume.validation import validate, validate_update
from pilothouse.api.core.persistent_volume_claim import show_class, show_phase
from pilothouse.api.core.persistent_volume_claim.strategy import CLASS_WORDS, has_class_annotation
from pilothouse.api.core.persistent_volume_claim.validation import CLASS_ANNOTATION
from pilothouse.api.core.pod.resources import canonical_resources
from pilothouse.api.core.pod.warnings import NODE_LABELS
from pilothouse.api.machinery.columns import AGE, UNSET, access_modes, dig, show
from pilothouse.api.machinery.resource import STATUS, Column, Resource, Stamp
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import PersistentVolume
from pilothouse.runtime.clock import Instant, format_time

_GONE = {
    "cephfs": "spec.cephfs: deprecated in v1.28, non-functional in v1.31+",
    "photonPersistentDisk": "spec.photonPersistentDisk: deprecated in v1.11, non-functional in v1.16+",
    "scaleIO": "spec.scaleIO: deprecated in v1.16, non-functional in v1.22+",
    "storageos": "spec.storageOS: deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "spec.glusterfs: deprecated in v1.25, non-functional in v1.26+",
    "rbd": "spec.rbd: deprecated in v1.28, non-functional in v1.31+",
}
_RECYCLE = (
    "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. "
    "Instead, the recommended approach is to use dynamic provisioning."
)


def default(obj: JsonObject) -> None:
    """A file system that outlives its claim; its capacity is canonical."""
    spec = obj.setdefault("spec", {})
    canonical_resources(spec.get("capacity") or {})
    for name, value in (("persistentVolumeReclaimPolicy", "Retain"), ("volumeMode", "Filesystem")):
        if not spec.get(name):
            spec[name] = value
    if spec.get("hostPath") is not None and spec["hostPath"].get("type") is None:
        spec["hostPath"]["type"] = ""
    if obj.get("status") is None:
        obj["status"] = {}
    if not obj["status"].get("phase"):
        obj["status"]["phase"] = "Pending"


def stamp(obj: JsonObject, old: JsonObject | None, by: Stamp) -> None:
    """Since when it is in its phase, unless who changed that says it."""
    status, before = obj.get("status") or {}, (old or {}).get("status") or {}
    name = "lastPhaseTransitionTime"
    if old is None or (status.get("phase") != before.get("phase") and status.get(name) in (None, before.get(name))):
        obj["status"] = {**status, name: format_time(by.now)}


def warn(obj: JsonObject, _old: JsonObject | None) -> list[str]:
    """What of it is of former days: annotations, policies, names of labels, sources."""
    spec = obj.get("spec") or {}
    told = [f"metadata.annotations[{CLASS_ANNOTATION}]: {CLASS_WORDS}"] if has_class_annotation(obj) else []
    if spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        told.append(_RECYCLE)
    for position, term in enumerate(dig(spec, "nodeAffinity", "required", "nodeSelectorTerms") or ()):
        for number, expression in enumerate(term.get("matchExpressions") or ()):
            if (key := expression.get("key")) in NODE_LABELS:
                where = f"spec.nodeAffinity.required.nodeSelectorTerms[{position}].matchExpressions[{number}].key"
                told.append(f"{where}: {key} is {NODE_LABELS[key]}")
    return told + [words for name, words in _GONE.items() if spec.get(name) is not None]


def _modes(obj: JsonObject, _now: Instant) -> str:
    return access_modes(dig(obj, "spec", "accessModes"))


def _claim(obj: JsonObject, _now: Instant) -> str:
    claim = dig(obj, "spec", "claimRef")
    return f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim is not None else ""


RESOURCE = Resource(
    kind=PersistentVolume,
    group="",
    version="v1",
    plural="persistentvolumes",
    answers_deleted_object=True,
    singular="persistentvolume",
    namespaced=False,
    short_names=("pv",),
    subresources=(STATUS,),
    generation=False,
    default=default,
    prepare_for_create=fresh_status(phase="Pending"),
    prepare_for_update=keep_status,
    stamp=stamp,
    validate=validate,
    validate_update=validate_update,
    warn=warn,
    columns=(
        Column("Capacity", show("spec", "capacity", "storage", absent="0")),
        Column("Access Modes", _modes),
        Column("Reclaim Policy", show("spec", "persistentVolumeReclaimPolicy")),
        Column("Status", show_phase),
        Column("Claim", _claim),
        Column("StorageClass", show_class),
        Column("VolumeAttributesClass", show("spec", "volumeAttributesClassName", absent=UNSET)),
        Column("Reason", show("status", "reason")),
        AGE,
        Column("VolumeMode", show("spec", "volumeMode", absent=UNSET), priority=1),
    ),
)
