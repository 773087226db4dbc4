"""Rules for how a container uses the pod's volumes: mounted as directories, or as raw block devices."""

from collections.abc import Mapping

from pilothouse.api.core.pod.validation.paths import local_descending
from pilothouse.api.machinery.field import FieldErrors, at, index
from pilothouse.api.machinery.view import JsonObject

_PROPAGATIONS = ("Bidirectional", "HostToContainer", "None")
_RECURSIVE = ("Disabled", "Enabled", "IfPossible")

Volumes = Mapping[str, JsonObject]
"""The pod's valid volumes by name."""


def validate_mounts(container: JsonObject, volumes: Volumes, errors: FieldErrors, path: str) -> None:
    """Every mount names a volume of the pod, and every path is mounted once."""
    devices = {device.get("name"): device.get("devicePath") for device in container.get("volumeDevices") or ()}
    device_paths = frozenset(devices.values())
    paths: set[str] = set()
    for position, mount in enumerate(container.get("volumeMounts") or ()):
        name, target = mount.get("name") or "", mount.get("mountPath") or ""
        if not name:
            errors.required(f"{path}[{position}].name")
        if name not in volumes:
            errors.not_found(f"{path}[{position}].name", name)
        if not target:
            errors.required(f"{path}[{position}].mountPath")
        if target in paths:
            errors.invalid(f"{path}[{position}].mountPath", target, "must be unique")
        paths.add(target)
        if name in devices:
            errors.invalid(f"{path}[{position}].name", name, "must not already exist in volumeDevices")
        if target in device_paths:
            words = "must not already exist as a path in volumeDevices"
            errors.invalid(f"{path}[{position}].mountPath", target, words)
        if len(mount) > 2:
            _validate_mount_options(mount, container, errors, path, position)


def _validate_mount_options(
    mount: JsonObject, container: JsonObject, errors: FieldErrors, path: str, position: int
) -> None:
    # Upstream leaves the position out of some of these paths.
    sub, expression = mount.get("subPath"), mount.get("subPathExpr")
    if sub:
        local_descending(sub, errors, at(path, "subPath"))
    if expression:
        if sub:
            where = at(index(path, position), "subPathExpr")
            errors.invalid(where, expression, "subPathExpr and subPath are mutually exclusive")
        local_descending(expression, errors, at(path, "subPathExpr"))
    if (propagation := mount.get("mountPropagation")) is not None:
        where = at(path, "mountPropagation")
        if propagation not in _PROPAGATIONS:
            errors.not_supported(where, propagation, _PROPAGATIONS)
        if propagation == "Bidirectional" and not (container.get("securityContext") or {}).get("privileged"):
            words = "Bidirectional mount propagation is available only to privileged containers"
            errors.forbidden(where, words)
    if (recursive := mount.get("recursiveReadOnly")) is not None:
        where = at(path, "recursiveReadOnly")
        if recursive in ("Enabled", "IfPossible"):
            if not mount.get("readOnly"):
                errors.forbidden(where, "may only be specified when readOnly is true")
            if mount.get("mountPropagation") not in (None, "None"):
                errors.forbidden(where, "may only be specified when mountPropagation is None or not specified")
        elif recursive not in _RECURSIVE:
            errors.not_supported(where, recursive, _RECURSIVE)


def validate_devices(container: JsonObject, volumes: Volumes, errors: FieldErrors, path: str) -> None:
    """Block devices come from claims alone, and collide with no mount."""
    mounts = {mount.get("name"): mount.get("mountPath") for mount in container.get("volumeMounts") or ()}
    names: set[str] = set()
    paths: set[str] = set()
    for position, device in enumerate(container.get("volumeDevices") or ()):
        name, target, where = device.get("name") or "", device.get("devicePath") or "", index(path, position)
        volume = volumes.get(name)
        if not name:
            errors.required(at(where, "name"))
        if name in names:
            errors.invalid(at(where, "name"), name, "must be unique")
        if volume is None:
            errors.not_found(at(where, "name"), name)
        elif volume.get("persistentVolumeClaim") is None and volume.get("ephemeral") is None:
            words = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
            errors.invalid(at(where, "name"), name, words)
        if not target:
            errors.required(at(where, "devicePath"))
        if target in paths:
            errors.invalid(at(where, "devicePath"), target, "must be unique")
        if ".." in target.split("/"):
            errors.invalid(at(where, "devicePath"), target, "can not contain backsteps ('..')")
        else:
            paths.add(target)
        if name in mounts:
            errors.invalid(at(where, "name"), name, "must not already exist in volumeMounts")
        if target in mounts.values():
            words = "must not already exist as a path in volumeMounts"
            errors.invalid(at(where, "devicePath"), target, words)
        if name:
            names.add(name)
