"""Rules for paths inside volumes and on hosts."""

from pilothouse.api.machinery.field import FieldErrors, at
from pilothouse.api.machinery.view import JsonObject

FILE_MODE_WORDS = "must be a number between 0 and 0777 (octal), both inclusive"


def no_backsteps(target: str, errors: FieldErrors, path: str) -> None:
    """No element may be `..`."""
    if ".." in target and ".." in target.split("/"):
        errors.invalid(path, target, "must not contain '..'")


def local_descending(target: str, errors: FieldErrors, path: str) -> None:
    """Relative, and without `..`."""
    if target.startswith("/"):
        errors.invalid(path, target, "must be a relative path")
    no_backsteps(target, errors, path)


def local_not_reserved(target: str, errors: FieldErrors, path: str) -> None:
    """Relative, without `..`, and not starting with two dots, which the atomic writer keeps for itself."""
    local_descending(target, errors, path)
    if target.startswith("..") and not target.startswith("../"):
        errors.invalid(path, target, "must not start with '..'")


def file_mode(source: JsonObject, name: str, errors: FieldErrors, path: str) -> None:
    """Permission bits alone."""
    mode = source.get(name)
    if mode is not None and not 0 <= mode <= 0o777:
        errors.invalid(at(path, name), mode, FILE_MODE_WORDS)


def key_to_path(item: JsonObject, errors: FieldErrors, path: str) -> None:
    """One key of a ConfigMap or Secret as a file."""
    target = item.get("path") or ""
    if not item.get("key"):
        errors.required(at(path, "key"))
    if not target:
        errors.required(at(path, "path"))
    local_not_reserved(target, errors, at(path, "path"))
    file_mode(item, "mode", errors, path)


def key_items(source: JsonObject, errors: FieldErrors, path: str) -> None:
    """The keys of a ConfigMap or Secret that a volume shows."""
    for position, item in enumerate(source.get("items") or ()):
        key_to_path(item, errors, f"{path}.items[{position}]")
