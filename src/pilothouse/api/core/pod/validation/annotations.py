"""Rules for the annotations that mean something on a pod: mirrors, deletion cost, and the profiles of former days."""

from pilothouse.api.core.pod.validation.paths import local_descending
from pilothouse.api.core.pod.validation.security import all_containers
from pilothouse.api.machinery.field import FieldErrors, at, index
from pilothouse.api.machinery.view import JsonObject

MIRROR = "kubernetes.io/config.mirror"
"""Marks the API object of a pod that a node runs from a file."""
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
_SECCOMP_FIXED = ("runtime/default", "docker/default", "unconfined")


def validate_annotations(annotations: JsonObject, spec: JsonObject, errors: FieldErrors, path: str) -> None:
    """Check those annotations that the system reads."""
    if MIRROR in annotations and not spec.get("nodeName"):
        words = "must set spec.nodeName if mirror pod annotation is set"
        errors.invalid(index(path, MIRROR), annotations[MIRROR], words)
    cost = annotations.get(DELETION_COST)
    if cost is not None and not _is_cost(cost):
        errors.invalid(index(path, DELETION_COST), cost, "must be a 32bit integer")
    for key, value in annotations.items():
        if key == SECCOMP_POD or key.startswith(SECCOMP_CONTAINER):
            _validate_seccomp(value, errors, at(path, key))
        elif key.startswith(APP_ARMOR):
            _validate_app_armor(key, value, spec, errors, index(path, key))


def _is_cost(text: str) -> bool:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or (text[0] == "0" and text != "0"):
        return False
    return len(digits) <= 11 and -(1 << 31) <= int(text) < 1 << 31


def _validate_seccomp(profile: str, errors: FieldErrors, path: str) -> None:
    if profile.startswith("localhost/"):
        local_descending(profile.removeprefix("localhost/"), errors, path)
    elif profile not in _SECCOMP_FIXED:
        errors.invalid(path, profile, "must be a valid seccomp profile")


def _validate_app_armor(key: str, profile: str, spec: JsonObject, errors: FieldErrors, path: str) -> None:
    name = key.removeprefix(APP_ARMOR)
    if all(container.get("name") != name for _, container in all_containers(spec)):
        errors.invalid(path, name, "container not found")
    if profile not in ("", "runtime/default", "unconfined") and not profile.startswith("localhost/"):
        errors.invalid(path, profile, f'invalid AppArmor profile name: "{profile}"')


def validate_annotation_changes(new: JsonObject, old: JsonObject, errors: FieldErrors, path: str) -> None:
    """A mirror stays a mirror, and profiles stay as they were."""
    for key, value in old.items():
        if new.get(key) != value:
            _forbid(key, "remove or update", errors, path)
    for key in new:
        if key not in old:
            _forbid(key, "add", errors, path)


def _forbid(key: str, action: str, errors: FieldErrors, path: str) -> None:
    if key.startswith(APP_ARMOR):
        errors.forbidden(index(path, key), f"may not {action} AppArmor annotations")
    if key == MIRROR:
        errors.forbidden(index(path, key), f"may not {action} mirror pod annotation")


def validate_profiles_agree(annotations: JsonObject, spec: JsonObject, errors: FieldErrors, path: str) -> None:
    """Where an annotation and a field both name a seccomp profile, they name the same."""
    owners = [("", SECCOMP_POD, spec)]
    owners += [(where, SECCOMP_CONTAINER + (c.get("name") or ""), c) for where, c in all_containers(spec)]
    for where, key, owner in owners:
        profile = (owner.get("securityContext") or {}).get("seccompProfile")
        if profile is not None and key in annotations:
            base = f"{path}.{where}" if where else path
            _validate_match(annotations[key], profile, errors, f"{base}.securityContext.seccompProfile")


def _validate_match(annotation: str, profile: JsonObject, errors: FieldErrors, path: str) -> None:
    kind = profile.get("type")
    allowed = {"Unconfined": ("unconfined",), "RuntimeDefault": ("runtime/default", "docker/default")}.get(kind or "")
    if kind == "Localhost":
        if not annotation.startswith("localhost/"):
            errors.forbidden(at(path, "type"), "seccomp type in annotation and field must match")
        elif annotation.removeprefix("localhost/") != profile.get("localhostProfile"):
            errors.forbidden(at(path, "localhostProfile"), "seccomp profile in annotation and field must match")
    elif allowed is not None and annotation not in allowed:
        errors.forbidden(at(path, "type"), "seccomp type in annotation and field must match")
