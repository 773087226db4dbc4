"""What every object's metadata must satisfy, at creation and at update.

Source: apimachinery/pkg/api/validation/objectmeta.go and the ObjectMeta page of the API reference. Name generation and
the copying of server-owned fields from the stored object come before; here nothing is changed.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pilothouse.api.machinery.field import FieldErrors, at, index
from pilothouse.api.machinery.names import (
    dns_label,
    label_key,
    path_segment,
    path_segment_prefix,
    validate_annotations,
    validate_labels,
)

FINALIZER_ORPHAN = "orphan"
FINALIZER_FOREGROUND = "foregroundDeletion"
STANDARD_FINALIZERS = frozenset({"kubernetes", FINALIZER_ORPHAN, FINALIZER_FOREGROUND})
IMMUTABLE = "field is immutable"
"""What upstream says of a field that must not change."""

_NEVER_OWNERS = {("v1", "Event")}
_IMMUTABLE_TEXTS = ("name", "namespace", "uid")
_IMMUTABLE_VALUES = ("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")
_OWNER_NEEDS = ("name", "uid")

Meta = Mapping[str, Any]


def validate_object_meta(
    meta: Meta,
    *,
    namespaced: bool,
    validate_name: Callable[[str], list[str]],
    errors: FieldErrors,
    path: str = "metadata",
) -> None:
    """Check the metadata of a new object, whose name has been generated already."""
    if generate := meta.get("generateName"):
        for wrong in _wrong_with_prefix(generate, validate_name):
            errors.invalid(at(path, "generateName"), generate, wrong)
    name = meta.get("name") or ""
    if not name:
        errors.required(at(path, "name"), "name or generateName is required")
    else:
        for wrong in validate_name(name):
            errors.invalid(at(path, "name"), name, wrong)
    _validate_namespace(meta.get("namespace") or "", namespaced, errors, at(path, "namespace"))
    generation = meta.get("generation") or 0
    if generation < 0:
        errors.invalid(at(path, "generation"), generation, "must be greater than or equal to 0")
    _validate_maps_and_owners(meta, errors, path)
    validate_finalizers(meta.get("finalizers") or (), errors, at(path, "finalizers"))
    validate_managed_fields(meta.get("managedFields") or (), errors, at(path, "managedFields"))


def validate_object_meta_update(new: Meta, old: Meta, *, errors: FieldErrors, path: str = "metadata") -> None:
    """Check the metadata of an object that replaces `old`."""
    if old.get("deletionTimestamp"):
        _validate_no_new_finalizers(new, old, errors, at(path, "finalizers"))
    if not new.get("resourceVersion"):
        errors.invalid(at(path, "resourceVersion"), "", "must be specified for an update")
    generation = new.get("generation") or 0
    if generation < (old.get("generation") or 0):
        errors.invalid(at(path, "generation"), generation, "must not be decremented")
    for name in _IMMUTABLE_TEXTS:
        validate_immutable(new.get(name) or "", old.get(name) or "", errors, at(path, name))
    for name in _IMMUTABLE_VALUES:
        validate_immutable(new.get(name), old.get(name), errors, at(path, name))
    _validate_maps_and_owners(new, errors, path)
    validate_managed_fields(new.get("managedFields") or (), errors, at(path, "managedFields"))


def validate_immutable(new: Any, old: Any, errors: FieldErrors, path: str) -> None:
    """Say that the field at `path` must not change, if it has."""
    if new != old:
        errors.invalid(path, new, IMMUTABLE)


def validate_owner_references(references: Sequence[Meta], errors: FieldErrors, path: str) -> None:
    """Every reference is complete, and at most one owner is the controller."""
    controller = ""
    for reference in references:
        _validate_owner_reference(reference, errors, path)
        if not reference.get("controller"):
            continue
        current = f"{reference.get('kind') or ''}/{reference.get('name') or ''}"
        if controller:
            why = 'Only one reference can have Controller set to true. Found "true" in references for '
            errors.invalid(path, list(references), f"{why}{controller} and {current}")
        else:
            controller = current


def validate_finalizers(finalizers: Sequence[str], errors: FieldErrors, path: str) -> None:
    """Every finalizer is a qualified name, and dependents are not both orphaned and deleted."""
    for finalizer in finalizers:
        for wrong in label_key(finalizer):
            errors.invalid(path, finalizer, wrong)
    if FINALIZER_ORPHAN in finalizers and FINALIZER_FOREGROUND in finalizers:
        why = f"finalizer {FINALIZER_ORPHAN} and {FINALIZER_FOREGROUND} cannot be both set"
        errors.invalid(path, list(finalizers), why)


def validate_finalizer_names(finalizers: Sequence[str], errors: FieldErrors, path: str) -> None:
    """Of Kubernetes' own groups only: a finalizer without a domain is one of the few that Kubernetes knows."""
    for position, finalizer in enumerate(finalizers):
        if "/" not in finalizer and finalizer not in STANDARD_FINALIZERS:
            words = "name is neither a standard finalizer name nor is it fully qualified"
            errors.invalid(index(path, position), finalizer, words)


def validate_managed_fields(entries: Sequence[Meta], errors: FieldErrors, path: str) -> None:
    """The entries of managedFields as a client sent them."""
    for position, entry in enumerate(entries):
        here = index(path, position)
        operation = entry.get("operation") or ""
        if operation not in ("Apply", "Update"):
            errors.invalid(at(here, "operation"), operation, "must be `Apply` or `Update`")
        kind = entry.get("fieldsType") or ""
        if kind and kind != "FieldsV1":
            errors.invalid(at(here, "fieldsType"), kind, "must be `FieldsV1`")
        validate_field_manager(entry.get("manager") or "", errors, at(here, "manager"))
        if len((entry.get("subresource") or "").encode()) > 256:
            errors.too_long(at(here, "subresource"), 256)


def validate_field_manager(manager: str, errors: FieldErrors, path: str) -> None:
    """At most 128 bytes, all printable."""
    if manager.isprintable() and len(manager) <= 32:
        return  # of four bytes each at most
    if len(manager.encode()) > 128:
        errors.too_long(path, 128)
    position = 0
    for letter in manager:
        if not (letter.isprintable() or letter == " "):
            errors.invalid(path, manager, f"invalid character U+{ord(letter):04X} (at position {position})")
        position += len(letter.encode())


def _wrong_with_prefix(prefix: str, validate_name: Callable[[str], list[str]]) -> list[str]:
    """What is wrong with a generateName: it may end in a dash, since letters follow."""
    if validate_name is path_segment:
        return path_segment_prefix(prefix)
    if len(prefix) > 1 and prefix.endswith("-"):
        return validate_name(f"{prefix[:-2]}a")
    return validate_name(prefix)


def _validate_namespace(namespace: str, namespaced: bool, errors: FieldErrors, path: str) -> None:
    if not namespaced:
        if namespace:
            errors.forbidden(path, "not allowed on this type")
    elif not namespace:
        errors.required(path)
    else:
        for wrong in dns_label(namespace):
            errors.invalid(path, namespace, wrong)


def _validate_maps_and_owners(meta: Meta, errors: FieldErrors, path: str) -> None:
    validate_labels(meta.get("labels") or {}, errors, at(path, "labels"))
    validate_annotations(meta.get("annotations") or {}, errors, at(path, "annotations"))
    validate_owner_references(meta.get("ownerReferences") or (), errors, at(path, "ownerReferences"))


def _validate_owner_reference(reference: Meta, errors: FieldErrors, path: str) -> None:
    api_version, kind = reference.get("apiVersion") or "", reference.get("kind") or ""
    if not api_version.rpartition("/")[2] or api_version.count("/") > 1:
        errors.invalid(at(path, "apiVersion"), api_version, "version must not be empty")
    if not kind:
        errors.invalid(at(path, "kind"), kind, "must not be empty")
    for name in _OWNER_NEEDS:
        if not reference.get(name):
            errors.invalid(at(path, name), "", "must not be empty")
    if (api_version, kind) in _NEVER_OWNERS:
        errors.invalid(path, dict(reference), f"/{api_version}, Kind={kind} is disallowed from being an owner")


def _validate_no_new_finalizers(new: Meta, old: Meta, errors: FieldErrors, path: str) -> None:
    extra = sorted(set(new.get("finalizers") or ()) - set(old.get("finalizers") or ()))
    if extra:
        shown = ", ".join(f'"{finalizer}"' for finalizer in extra)
        why = "no new finalizers can be added if the object is being deleted, found new finalizers"
        errors.forbidden(path, f"{why} []string{{{shown}}}")
