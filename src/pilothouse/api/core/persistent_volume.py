"""PersistentVolume: a piece of storage of the cluster.

Sources of the facts: pkg/apis/core/v1/defaults.go, pkg/registry/core/persistentvolume/strategy.go,
pkg/printers/internalversion/printers.go. API page: core/v1 PersistentVolume.
"""

from pilothouse.api.core.persistent_volume_claim import show_class, show_phase
from pilothouse.api.core.pod.resources import canonical_resources
from pilothouse.api.machinery.columns import AGE, UNSET, access_modes, dig, show
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import PersistentVolume
from pilothouse.runtime.clock import Instant


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
