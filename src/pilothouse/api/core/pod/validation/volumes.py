"""Rules for volumes: each has one source, and each source its own needs."""

import re
from collections.abc import Callable
from typing import Any

from pilothouse.api.core.pod.resources import quantity
from pilothouse.api.core.pod.validation.environment import validate_downward_file
from pilothouse.api.core.pod.validation.paths import (
    file_mode,
    key_items,
    local_descending,
    no_backsteps,
)
from pilothouse.api.core.pod.validation.projections import validate_projected
from pilothouse.api.machinery.field import FieldErrors, at, index
from pilothouse.api.machinery.names import dns_label, dns_subdomain, validate_annotations, validate_labels
from pilothouse.api.machinery.view import JsonObject

PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_HOST_PATH_TYPES = (
    "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket",
)  # fmt: skip
_ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_ISCSI_NAMES = {
    "iqn": re.compile(r"iqn\.\d{4}-\d{2}\.([0-9A-Za-z\-.]+)(:[^,;*&$|\s]+)$"),
    "eui": re.compile(r"^eui.[0-9A-Za-z]{16}$"),
    "naa": re.compile(r"^naa.[0-9A-Za-z]{32}$"),
}

_Rule = Callable[[JsonObject, FieldErrors, str], None]


def validate_volumes(
    volumes: list[JsonObject], pod_name: str, errors: FieldErrors, path: str, *, in_pod: bool
) -> dict[str, JsonObject]:
    """Check all volumes; return the valid ones by name, for the mounts to refer to."""
    valid: dict[str, JsonObject] = {}
    made = frozenset(
        f"{pod_name}-{volume.get('name')}" for volume in volumes if pod_name and volume.get("ephemeral") is not None
    )
    for position, volume in enumerate(volumes):
        where, before = index(path, position), len(errors)
        name = volume.get("name") or ""
        _validate_source(volume, pod_name, errors, where, in_pod=in_pod)
        if not name:
            errors.required(at(where, "name"))
        else:
            for wrong in dns_label(name):
                errors.invalid(at(where, "name"), name, wrong)
        if name in valid:
            errors.duplicate(at(where, "name"), name)
        if len(errors) == before:
            valid[name] = volume
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if claim and claim in made:
            words = "must not reference a PVC that gets created for an ephemeral volume"
            errors.invalid(f"{where}.persistentVolumeClaim.claimName", claim, words)
    return valid


def _validate_source(volume: JsonObject, pod_name: str, errors: FieldErrors, path: str, *, in_pod: bool) -> None:
    kinds = [kind for kind, source in volume.items() if kind != "name" and source is not None]
    if not kinds:
        errors.required(path, "must specify a volume type")
        return
    if len(kinds) > 1:
        kinds.sort(key=_ORDER.get)  # type: ignore[arg-type]
        for kind in kinds[1:]:
            errors.forbidden(at(path, kind), "may not specify more than 1 volume type")
    kind = kinds[0]
    rule = RULES.get(kind)
    if rule is not None:
        rule(volume[kind], errors, at(path, kind))
    if kind == "ephemeral" and pod_name and volume.get("name"):
        claim = f"{pod_name}-{volume['name']}"
        for wrong in dns_subdomain(claim):
            errors.invalid(at(path, "name"), volume["name"], f'PVC name "{claim}": {wrong}')
    elif kind == "image" and in_pod and not volume["image"].get("reference"):
        errors.required(f"{path}.image.reference")
    elif kind == "iscsi":
        _iscsi_with_name(volume, errors, at(path, "name"))


def _iscsi_with_name(volume: JsonObject, errors: FieldErrors, path: str) -> None:
    name, source = volume.get("name") or "", volume["iscsi"]
    if source.get("initiatorName") is not None and len(f"{name}:{source.get('targetPortal') or ''}") > 64:
        words = (
            "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if "
            "iscsi.initiatorName is specified."
        )
        errors.invalid(path, name, words)


def _needs(*names: str) -> _Rule:
    """Make the rule of a source that only has fields which must be set."""

    def check(source: JsonObject, errors: FieldErrors, path: str) -> None:
        for name in names:
            if not source.get(name):
                errors.required(at(path, name))

    return check


def _empty_dir(source: JsonObject, errors: FieldErrors, path: str) -> None:
    limit = source.get("sizeLimit")
    if limit is None:
        return
    try:
        good = quantity(str(limit)).milli() >= 0
    except ValueError:
        good = False
    if not good:
        errors.forbidden(at(path, "sizeLimit"), "SizeLimit field must be a valid resource quantity")


def _host_path(source: JsonObject, errors: FieldErrors, path: str) -> None:
    target = source.get("path") or ""
    if not target:
        errors.required(at(path, "path"))
        return
    no_backsteps(target, errors, at(path, "path"))
    kind = source.get("type")
    if kind is not None and kind not in _HOST_PATH_TYPES:
        errors.not_supported(at(path, "type"), kind, _HOST_PATH_TYPES)


def _secret(source: JsonObject, errors: FieldErrors, path: str) -> None:
    if not source.get("secretName"):
        errors.required(at(path, "secretName"))
    file_mode(source, "defaultMode", errors, path)
    key_items(source, errors, path)


def _config_map(source: JsonObject, errors: FieldErrors, path: str) -> None:
    if not source.get("name"):
        errors.required(at(path, "name"))
    file_mode(source, "defaultMode", errors, path)
    key_items(source, errors, path)


def _nfs(source: JsonObject, errors: FieldErrors, path: str) -> None:
    target = source.get("path") or ""
    if not source.get("server"):
        errors.required(at(path, "server"))
    if not target:
        errors.required(at(path, "path"))
    if not target.startswith("/"):
        errors.invalid(at(path, "path"), target, "must be an absolute path")


def _downward_api(source: JsonObject, errors: FieldErrors, path: str) -> None:
    file_mode(source, "defaultMode", errors, path)
    for file in source.get("items") or ():
        validate_downward_file(file, errors, path)  # upstream leaves the position out


def validate_csi_driver_name(name: str, errors: FieldErrors, path: str) -> None:
    """A DNS subdomain of at most 63 bytes, in upper or lower case."""
    if not name:
        errors.required(path)
    if len(name) > 63:
        errors.too_long(path, 63)
    for wrong in dns_subdomain(name.lower()):
        errors.invalid(path, name, wrong)


def _csi(source: JsonObject, errors: FieldErrors, path: str) -> None:
    validate_csi_driver_name(source.get("driver") or "", errors, at(path, "driver"))
    secret = source.get("nodePublishSecretRef")
    if secret is not None:
        name = secret.get("name") or ""
        if not name:
            errors.required(f"{path}.nodePublishSecretRef.name")
        else:
            for wrong in dns_subdomain(name):
                errors.invalid(at(path, "name"), name, wrong)


def _image(source: JsonObject, errors: FieldErrors, path: str) -> None:
    validate_pull_policy(source.get("pullPolicy") or "", errors, at(path, "pullPolicy"))


def validate_pull_policy(policy: str, errors: FieldErrors, path: str) -> None:
    """When to pull an image."""
    if not policy:
        errors.required(path)
    elif policy not in PULL_POLICIES:
        errors.not_supported(path, policy, PULL_POLICIES)


def _ephemeral(source: JsonObject, errors: FieldErrors, path: str) -> None:
    template = source.get("volumeClaimTemplate")
    where = at(path, "volumeClaimTemplate")
    if template is None:
        errors.required(where)
        return
    meta = template.get("metadata") or {}
    validate_annotations(meta.get("annotations") or {}, errors, f"{where}.metadata.annotations")
    validate_labels(meta.get("labels") or {}, errors, f"{where}.metadata.labels")
    for name, value in meta.items():
        if name not in ("annotations", "labels") and value:
            errors.forbidden(f"{where}.metadata.{name}", "cannot be set")
    _claim(template.get("spec") or {}, errors, at(where, "spec"))


def _claim(claim: JsonObject, errors: FieldErrors, path: str) -> None:
    modes = claim.get("accessModes") or ()
    if not modes:
        errors.required(at(path, "accessModes"), "at least 1 access mode is required")
    for mode in modes:
        if mode not in _ACCESS_MODES:
            errors.not_supported(at(path, "accessModes"), mode, _ACCESS_MODES)
    if "ReadWriteOncePod" in modes and len(modes) > 1:
        errors.forbidden(at(path, "accessModes"), "may not use ReadWriteOncePod with other access modes")
    if not ((claim.get("resources") or {}).get("requests") or {}).get("storage"):
        errors.required(f"{path}.resources[storage]")


def _git_repo(source: JsonObject, errors: FieldErrors, path: str) -> None:
    if not source.get("repository"):
        errors.required(at(path, "repository"))
    local_descending(source.get("directory") or "", errors, at(path, "directory"))


def _partitioned(name: str) -> _Rule:
    """Make the rule of a disk with partitions."""

    def check(source: JsonObject, errors: FieldErrors, path: str) -> None:
        if not source.get(name):
            errors.required(at(path, name))
        partition = source.get("partition") or 0
        if not 0 <= partition <= 255:
            errors.invalid(at(path, "partition"), partition, "must be between 1 and 255, inclusive")

    return check


def _iscsi(source: JsonObject, errors: FieldErrors, path: str) -> None:
    if not source.get("targetPortal"):
        errors.required(at(path, "targetPortal"))
    if not source.get("iqn"):
        errors.required(at(path, "iqn"))
    else:
        _iscsi_name(source["iqn"], errors, at(path, "iqn"))
    lun = source.get("lun") or 0
    if not 0 <= lun <= 255:
        errors.invalid(at(path, "lun"), lun, "must be between 0 and 255, inclusive")
    if (source.get("chapAuthDiscovery") or source.get("chapAuthSession")) and source.get("secretRef") is None:
        errors.required(at(path, "secretRef"))
    if (initiator := source.get("initiatorName")) is not None:
        _iscsi_name(initiator, errors, at(path, "initiatorname"))


def _iscsi_name(name: str, errors: FieldErrors, path: str) -> None:
    pattern = _ISCSI_NAMES.get(name[:3])
    if pattern is None:
        errors.invalid(path, name, "must be valid format starting with iqn, eui, or naa")
    elif not pattern.search(name):
        errors.invalid(path, name, "must be valid format")


def _fc(source: JsonObject, errors: FieldErrors, path: str) -> None:
    names, ids, lun = source.get("targetWWNs"), source.get("wwids"), source.get("lun")
    if not names and not ids:
        errors.required(at(path, "targetWWNs"), "must specify either targetWWNs or wwids, but not both")
    if names and ids:
        words = "targetWWNs and wwids can not be specified simultaneously"
        errors.invalid(at(path, "targetWWNs"), names, words)
    if names:
        if lun is None:
            errors.required(at(path, "lun"), "lun is required if targetWWNs is specified")
        elif not 0 <= lun <= 255:
            errors.invalid(at(path, "lun"), lun, "must be between 0 and 255, inclusive")


def _flex(source: JsonObject, errors: FieldErrors, path: str) -> None:
    if not source.get("driver"):
        errors.required(at(path, "driver"))
    for key in source.get("options") or ():
        if f".{key.partition('/')[0].lower()}".endswith((".kubernetes.io", ".k8s.io")):
            words = "kubernetes.io and k8s.io namespaces are reserved"
            errors.invalid(f"{path}.options[{key}]", key, words)


RULES: dict[str, _Rule] = {
    "emptyDir": _empty_dir,
    "hostPath": _host_path,
    "gitRepo": _git_repo,
    "gcePersistentDisk": _partitioned("pdName"),
    "awsElasticBlockStore": _partitioned("volumeID"),
    "secret": _secret,
    "nfs": _nfs,
    "iscsi": _iscsi,
    "glusterfs": _needs("endpoints", "path"),
    "flocker": lambda source, errors, path: (
        errors.required(path, "one of datasetName and datasetUUID is required")
        if not source.get("datasetName") and not source.get("datasetUUID")
        else None
    ),
    "persistentVolumeClaim": _needs("claimName"),
    "rbd": _needs("monitors", "image"),
    "cinder": _needs("volumeID"),
    "cephfs": _needs("monitors"),
    "quobyte": _needs("registry", "volume"),
    "downwardAPI": _downward_api,
    "fc": _fc,
    "flexVolume": _flex,
    "configMap": _config_map,
    "azureFile": _needs("secretName", "shareName"),
    "vsphereVolume": _needs("volumePath"),
    "photonPersistentDisk": _needs("pdID"),
    "portworxVolume": _needs("volumeID"),
    "azureDisk": _needs("diskName", "diskURI"),
    "storageos": _needs("volumeName"),
    "projected": validate_projected,
    "scaleIO": _needs("gateway", "system", "volumeName"),
    "csi": _csi,
    "ephemeral": _ephemeral,
    "image": _image,
}
"""The rule of every source, in the order in which upstream looks for them."""
_ORDER: dict[str, Any] = {kind: position for position, kind in enumerate(RULES)}
