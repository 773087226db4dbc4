"""The rules of a PersistentVolume, also of the one that stands inside a VolumeAttachment.

Source of the facts: ValidatePersistentVolumeSpec and its relatives in pkg/apis/core/validation/validation.go.
"""

import posixpath

from pilothouse.api.core.persistent_volume.sources import SOURCES, validate_iscsi_length
from pilothouse.api.core.persistent_volume_claim.validation import validate_access_modes, validate_basic_amount
from pilothouse.api.core.pod.update import difference, same
from pilothouse.api.core.pod.validation.scheduling import validate_node_selector
from pilothouse.api.machinery.columns import dig
from pilothouse.api.machinery.field import FieldErrors, at
from pilothouse.api.machinery.meta import IMMUTABLE, validate_immutable
from pilothouse.api.machinery.names import dns_subdomain
from pilothouse.api.machinery.quantity_rules import validate_positive_quantity
from pilothouse.api.machinery.text_rules import validate_choice, validate_text
from pilothouse.api.machinery.view import JsonObject

_POLICIES = ("Delete", "Recycle", "Retain")
_VOLUME_MODES = ("Block", "Filesystem")
_INLINE = "in the context of inline volumes"
_SHOWN = {"gcePersistentDisk": "persistentDisk"}
"""Sources that messages about their fields call otherwise."""
_SHOWN_TWICE = {"cephfs": "cephFS"}
"""The same, for messages that there is more than one."""


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """How large it is, how it may be used, and where it is."""
    spec, path = obj.get("spec") or {}, "spec"
    _validate_modes(spec, errors, path)
    _validate_capacity(spec.get("capacity") or {}, errors, at(path, "capacity"))
    if policy := spec.get("persistentVolumeReclaimPolicy"):
        validate_choice(policy, _POLICIES, errors, at(path, "persistentVolumeReclaimPolicy"))
    if (affinity := spec.get("nodeAffinity")) is not None:
        _validate_affinity(affinity, errors, at(path, "nodeAffinity"))
    _validate_source(spec, dig(obj, "metadata", "name") or "", errors, path)
    if name := spec.get("storageClassName"):
        validate_text(name, dns_subdomain, errors, at(path, "storageClassName"))
    if (mode := spec.get("volumeMode")) is not None:
        validate_choice(mode, _VOLUME_MODES, errors, at(path, "volumeMode"))
    _validate_attributes_class(spec, errors, path)


def validate_inline_spec(spec: JsonObject, errors: FieldErrors, path: str) -> None:
    """A volume that has no object of its own: a driver's, without anything that is between it and its claim."""
    for name in ("claimRef", "capacity"):
        if spec.get(name):
            errors.forbidden(at(path, name), f"may not be specified {_INLINE}")
    if spec.get("csi") is None:
        errors.required(at(path, "csi"), f"has to be specified {_INLINE}")
    _validate_modes(spec, errors, path)
    if (spec.get("persistentVolumeReclaimPolicy") or "Retain") != "Retain":
        errors.forbidden(at(path, "persistentVolumeReclaimPolicy"), f"may only be Retain {_INLINE}")
    if spec.get("nodeAffinity") is not None:
        errors.forbidden(at(path, "nodeAffinity"), f"may not be specified {_INLINE}")
    _validate_source(spec, "", errors, path)
    if spec.get("storageClassName"):
        errors.forbidden(at(path, "storageClassName"), f"may not be specified {_INLINE}")
    if (spec.get("volumeMode") or "Filesystem") != "Filesystem":
        words = f"may not specify volumeMode other than Filesystem {_INLINE}"
        errors.forbidden(at(path, "volumeMode"), words)
    _validate_attributes_class(spec, errors, path)


def _validate_modes(spec: JsonObject, errors: FieldErrors, path: str) -> None:
    if not spec.get("accessModes"):
        errors.required(at(path, "accessModes"))
    validate_access_modes(spec.get("accessModes") or (), errors, at(path, "accessModes"))


def _validate_capacity(capacity: JsonObject, errors: FieldErrors, path: str) -> None:
    if not capacity:
        errors.required(path)
    if list(capacity) != ["storage"]:
        errors.not_supported(path, capacity or None, ("storage",))
    for name, amount in capacity.items():
        validate_basic_amount(amount, errors, f"{path}[{name}]")
        validate_positive_quantity(amount, errors, f"{path}[{name}]")


def _validate_affinity(affinity: JsonObject, errors: FieldErrors, path: str) -> None:
    if affinity.get("required") is None:
        errors.required(at(path, "required"), "must specify required node constraints")
    else:
        validate_node_selector(affinity["required"], errors, at(path, "required"))


def _validate_source(spec: JsonObject, name: str, errors: FieldErrors, path: str) -> None:
    kinds = [kind for kind in SOURCES if spec.get(kind) is not None]
    if not kinds:
        errors.required(path, "must specify a volume type")
        return
    kind = kinds[0]
    SOURCES[kind](spec[kind], errors, at(path, _SHOWN.get(kind, kind)))
    if kind == "iscsi":
        validate_iscsi_length(spec["iscsi"], name, errors, at(path, "iscsi"))
    if kind == "local" and spec.get("nodeAffinity") is None:
        errors.required(at(path, "nodeAffinity"), "Local volume requires node affinity")
    for other in kinds[1:]:
        errors.forbidden(at(path, _SHOWN_TWICE.get(other, other)), "may not specify more than 1 volume type")
    root = set(posixpath.normpath(dig(spec, "hostPath", "path") or ".")) == {"/"}
    if root and spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        words = "may not be 'recycle' for a hostPath mount of '/'"
        errors.forbidden(at(path, "persistentVolumeReclaimPolicy"), words)


def _validate_attributes_class(spec: JsonObject, errors: FieldErrors, path: str) -> None:
    name, where = spec.get("volumeAttributesClassName"), at(path, "volumeAttributesClassName")
    if name is None:
        return
    if not name:
        errors.required(where, "an empty string is disallowed")
    else:
        validate_text(name, dns_subdomain, errors, where)
    if spec.get("csi") is None:
        errors.required(at(path, "csi"), "has to be specified when using volumeAttributesClassName")


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Data stays where it is, and what it is."""
    spec, before = obj.get("spec") or {}, old.get("spec") or {}
    new, stored = _source_of(spec), _source_of(before)
    secret = "controllerExpandSecretRef"  # noqa: S105
    if stored.get("csi") and stored["csi"].get(secret) is None and new.get("csi"):
        new["csi"] = {name: value for name, value in new["csi"].items() if name != secret}
    if not same(new, stored):
        words = f"spec.persistentvolumesource is immutable after creation\n{difference(stored, new)}"
        errors.forbidden("spec.persistentvolumesource", words)
    validate_immutable(spec.get("volumeMode"), before.get("volumeMode"), errors, "volumeMode")
    affinity = spec.get("nodeAffinity")
    if before.get("nodeAffinity") is not None and affinity != before["nodeAffinity"]:
        errors.invalid("nodeAffinity", affinity, f"{IMMUTABLE}, except for updating from beta label to GA")
    name = "volumeAttributesClassName"
    if before.get(name) is not None and spec.get(name) is None:
        errors.forbidden(at("spec", name), "update from non-nil value to nil is forbidden")


def _source_of(spec: JsonObject) -> JsonObject:
    return {kind: spec[kind] for kind in SOURCES if spec.get(kind) is not None}
