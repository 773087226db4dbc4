"""The rules of a PersistentVolumeClaim. *assumed*: the words of an unbound claim's shrinking follow status.capacity.

Source of the facts: ValidatePersistentVolumeClaim and its relatives in pkg/apis/core/validation/validation.go.
"""

from typing import Any

from pilothouse.api.core.pod.update import difference, same
from pilothouse.api.core.pod.validation.requirements import is_native, validate_amount
from pilothouse.api.machinery.columns import dig
from pilothouse.api.machinery.field import FieldErrors, at
from pilothouse.api.machinery.meta import validate_immutable
from pilothouse.api.machinery.names import dns_label, dns_subdomain, label_key
from pilothouse.api.machinery.quantity import ZERO, Quantity, parse_quantity
from pilothouse.api.machinery.quantity_rules import read_quantity, validate_positive_quantity
from pilothouse.api.machinery.selector_rules import validate_label_selector
from pilothouse.api.machinery.text_rules import validate_choice, validate_text
from pilothouse.api.machinery.view import JsonObject

CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
"""Where old objects name their class; it wins over the field."""
_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_ALONE = "ReadWriteOncePod"
_VOLUME_MODES = ("Block", "Filesystem")
_RESIZE_STATES = (
    "ControllerResizeFailed", "ControllerResizeInProgress", "NodeResizeFailed", "NodeResizeInProgress",
    "NodeResizePending",
)  # fmt: skip
_IMMUTABLE = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
_NAMELESS = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
_CLASS = "spec.volumeAttributesClassName"


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """How the volume is to be accessed, how large it is, and what is in it at first."""
    validate_claim_spec(obj.get("spec") or {}, errors, "spec")


def validate_claim_spec(spec: JsonObject, errors: FieldErrors, path: str) -> None:
    """The spec of a claim, also in the template of a claim."""
    if not spec.get("accessModes"):
        errors.required(at(path, "accessModes"), "at least 1 access mode is required")
    validate_label_selector(spec.get("selector"), errors, at(path, "selector"))
    validate_access_modes(spec.get("accessModes") or (), errors, at(path, "accessModes"))
    storage, where = dig(spec, "resources", "requests", "storage"), f"{path}.resources[storage]"
    if storage is None:
        errors.required(where)
    elif (amount := validate_positive_quantity(storage, errors, where)) is not None and amount > ZERO:
        validate_amount("storage", storage, errors, where)
    if name := spec.get("storageClassName"):
        validate_text(name, dns_subdomain, errors, at(path, "storageClassName"))
    if (mode := spec.get("volumeMode")) is not None:
        validate_choice(mode, _VOLUME_MODES, errors, at(path, "volumeMode"))
    _validate_sources(spec, errors, path)
    if name := spec.get("volumeAttributesClassName"):
        validate_text(name, dns_subdomain, errors, at(path, "volumeAttributesClassName"))


def validate_access_modes(modes: Any, errors: FieldErrors, path: str) -> None:
    """Known ones, and one pod's alone."""
    for mode in modes:
        validate_choice(mode, _MODES, errors, path)
    if _ALONE in modes and any(mode in _MODES and mode != _ALONE for mode in modes):
        errors.forbidden(path, "may not use ReadWriteOncePod with other access modes")


def _validate_sources(spec: JsonObject, errors: FieldErrors, path: str) -> None:
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    for name, found in (("dataSource", source), ("dataSourceRef", reference)):
        if found is not None:
            _validate_source(found, errors, at(path, name))
    if source is None or reference is None:
        return
    if reference.get("namespace"):
        words = "may not be specified when dataSourceRef.namespace is specified"
        errors.invalid(path, at(path, "dataSource"), words)
    elif any(source.get(name) != reference.get(name) for name in ("apiGroup", "kind", "name")):
        errors.invalid(path, at(path, "dataSource"), "must match dataSourceRef")


def _validate_source(source: JsonObject, errors: FieldErrors, path: str) -> None:
    group, kind = source.get("apiGroup") or "", source.get("kind") or ""
    if not source.get("name"):
        errors.required(at(path, "name"))
    if not kind:
        errors.required(at(path, "kind"))
    if not group and kind != "PersistentVolumeClaim":
        errors.invalid(path, kind, _NAMELESS)
    if group:
        validate_text(group, dns_subdomain, errors, at(path, "apiGroup"))
    if namespace := source.get("namespace"):
        validate_text(namespace, dns_label, errors, at(path, "namespace"))


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """A claim is bound once, may grow, and may change the class of its attributes."""
    spec, before = dict(obj.get("spec") or {}), dict(old.get("spec") or {})
    if not before.get("volumeName"):
        before["volumeName"] = spec.get("volumeName")
    _allow_naming_the_class(obj, old, spec, before, errors)
    if dig(obj, "status", "phase") == "Bound" and dig(spec, "resources", "requests") is not None:
        requests = {**spec["resources"]["requests"], "storage": dig(before, "resources", "requests", "storage")}
        spec["resources"] = {**spec["resources"], "requests": requests}
    spec["volumeAttributesClassName"] = before.get("volumeAttributesClassName")
    if not same(spec, before):
        errors.forbidden("spec", f"{_IMMUTABLE}\n{difference(before, spec)}")
    _validate_size(obj, old, errors)
    validate_immutable(spec.get("volumeMode"), before.get("volumeMode"), errors, "volumeMode")
    _validate_class_change(dig(obj, "spec", "volumeAttributesClassName"), before, errors)


def _allow_naming_the_class(
    obj: JsonObject, old: JsonObject, spec: JsonObject, before: JsonObject, errors: FieldErrors
) -> None:
    """A class that only the annotation named may move to the field, and a claim without one may get one."""
    new_annotations = dig(obj, "metadata", "annotations") or {}
    annotated = (dig(old, "metadata", "annotations") or {}).get(CLASS_ANNOTATION)
    name, stored = spec.get("storageClassName"), before.get("storageClassName")
    may_name = stored is None and name is not None and annotated in (None, name)
    if may_name and annotated is not None and new_annotations.get(CLASS_ANNOTATION, annotated) == annotated:
        spec.pop("storageClassName")
        return
    new = new_annotations.get(CLASS_ANNOTATION) or ""
    validate_immutable(new, annotated or "", errors, f"metadata.annotations[{CLASS_ANNOTATION}]")
    if may_name:
        spec.pop("storageClassName")


def _validate_size(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    size, stored = (_storage(one, "spec", "resources", "requests") for one in (obj, old))
    if size < stored and size <= _storage(old, "status", "capacity"):
        errors.forbidden("spec.resources.requests.storage", "field can not be less than status.capacity")


def _storage(obj: JsonObject, *path: str) -> Quantity:
    try:
        return parse_quantity(dig(obj, *path, "storage") or "0")
    except ValueError:
        return ZERO


def _validate_class_change(name: str | None, before: JsonObject, errors: FieldErrors) -> None:
    stored = before.get("volumeAttributesClassName")
    if stored is None:
        return
    if name is None:
        errors.forbidden(_CLASS, "update from non-nil value to nil is forbidden")
    elif name != stored and not name:
        errors.forbidden(_CLASS, "update from non-nil value to an empty string is forbidden")


def validate_status(obj: JsonObject, _old: JsonObject, errors: FieldErrors) -> None:
    """Amounts that exist, and states that resizing has."""
    status = obj.get("status") or {}
    if not dig(obj, "spec", "accessModes"):
        errors.required("Spec.accessModes")
    for name, amount in (status.get("capacity") or {}).items():
        validate_basic_amount(amount, errors, f"status.capacity[{name}]")
    path = "status.allocatedResourceStatus"
    for name, state in (status.get("allocatedResourceStatuses") or {}).items():
        _validate_resource(name, errors, path)
        if state not in _RESIZE_STATES:
            errors.not_supported(path, name, _RESIZE_STATES)
    path = "status.allocatedResources"
    for name, amount in (status.get("allocatedResources") or {}).items():
        if _validate_resource(name, errors, path) and validate_basic_amount(amount, errors, f"{path}[{name}]"):
            validate_amount("storage", amount, errors, f"{path}[{name}]")


def validate_basic_amount(text: Any, errors: FieldErrors, path: str) -> bool:
    """Not less than nothing, in the words that volumes have for it. Returns whether it is good."""
    amount = read_quantity(text, errors, path)
    if amount is not None and amount.value() < 0:
        errors.invalid(path, amount.value(), "must be a valid resource quantity")
        return False
    return amount is not None


def _validate_resource(name: str, errors: FieldErrors, path: str) -> bool:
    wrongs = label_key(name)
    for wrong in wrongs:
        errors.invalid(path, name, wrong)
    if not wrongs and is_native(name) and name != "storage":
        errors.not_supported(path, name, ("storage",))
        return False
    return not wrongs
