"""Where the storage of a PersistentVolume is: mostly as in a pod's volume, but that secrets may be of any namespace.

Source of the facts: the validate...PersistentVolumeSource functions of pkg/apis/core/validation/validation.go.
*assumed*: a secret for staging on a node is not looked at.
"""

from collections.abc import Callable

from pilothouse.api.core.pod.validation.paths import no_backsteps
from pilothouse.api.core.pod.validation.volumes import RULES, validate_csi_driver_name
from pilothouse.api.machinery.field import FieldErrors, at
from pilothouse.api.machinery.names import dns_label
from pilothouse.api.machinery.text_rules import validate_required_text, validate_text
from pilothouse.api.machinery.view import JsonObject

Rule = Callable[[JsonObject, FieldErrors, str], None]
_CSI_SECRETS = ("controllerPublishSecretRef", "controllerExpandSecretRef", "nodePublishSecretRef",
                "nodeExpandSecretRef")  # fmt: skip
_TOO_LONG_TOGETHER = (
    "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if "
    "iscsi.initiatorName is specified."
)


def _glusterfs(source: JsonObject, errors: FieldErrors, path: str) -> None:
    RULES["glusterfs"](source, errors, path)
    namespace, where = source.get("endpointsNamespace"), at(path, "endpointsNamespace")
    if namespace == "":
        errors.invalid(where, "", "if the endpointnamespace is set, it must be a valid namespace name")
    elif namespace is not None:
        validate_text(namespace, dns_label, errors, where)


def _cinder(source: JsonObject, errors: FieldErrors, path: str) -> None:
    RULES["cinder"](source, errors, path)
    _secret(source, "secretRef", errors, path)


def _secret(source: JsonObject, name: str, errors: FieldErrors, path: str) -> None:
    """A secret has a name and a namespace."""
    if (secret := source.get(name)) is not None:
        for part in ("name", "namespace"):
            if not secret.get(part):
                errors.required(f"{path}.{name}.{part}")


def _iscsi(source: JsonObject, errors: FieldErrors, path: str) -> None:
    RULES["iscsi"](source, errors, path)
    if (secret := source.get("secretRef")) is not None and not secret.get("name"):
        errors.required(at(path, "secretRef.name"))


def validate_iscsi_length(source: JsonObject, volume: str, errors: FieldErrors, path: str) -> None:
    """The names of volume and portal together become one on the node."""
    portal = source.get("targetPortal") or ""
    if source.get("initiatorName") is not None and len(f"{volume}:{portal}") > 64:
        errors.invalid(at(path, "targetportal"), portal, _TOO_LONG_TOGETHER)


def _azure_file(source: JsonObject, errors: FieldErrors, path: str) -> None:
    RULES["azureFile"](source, errors, path)
    if source.get("secretNamespace") == "":
        errors.required(at(path, "secretNamespace"))


def _local(source: JsonObject, errors: FieldErrors, path: str) -> None:
    if not source.get("path"):
        errors.required(at(path, "path"))
    else:
        no_backsteps(source["path"], errors, at(path, "path"))


def _storageos(source: JsonObject, errors: FieldErrors, path: str) -> None:
    validate_required_text(source.get("volumeName"), dns_label, errors, at(path, "volumeName"))
    if namespace := source.get("volumeNamespace"):
        validate_text(namespace, dns_label, errors, at(path, "volumeNamespace"))
    _secret(source, "secretRef", errors, path)


def _csi(source: JsonObject, errors: FieldErrors, path: str) -> None:
    validate_csi_driver_name(source.get("driver") or "", errors, at(path, "driver"))
    if not source.get("volumeHandle"):
        errors.required(at(path, "volumeHandle"))
    for name in _CSI_SECRETS:
        _secret(source, name, errors, path)


SOURCES: dict[str, Rule] = {
    "hostPath": RULES["hostPath"],
    "gcePersistentDisk": RULES["gcePersistentDisk"],
    "awsElasticBlockStore": RULES["awsElasticBlockStore"],
    "glusterfs": _glusterfs,
    "flocker": RULES["flocker"],
    "nfs": RULES["nfs"],
    "rbd": RULES["rbd"],
    "quobyte": RULES["quobyte"],
    "cephfs": RULES["cephfs"],
    "iscsi": _iscsi,
    "cinder": _cinder,
    "fc": RULES["fc"],
    "flexVolume": RULES["flexVolume"],
    "azureFile": _azure_file,
    "vsphereVolume": RULES["vsphereVolume"],
    "photonPersistentDisk": RULES["photonPersistentDisk"],
    "portworxVolume": RULES["portworxVolume"],
    "azureDisk": RULES["azureDisk"],
    "scaleIO": RULES["scaleIO"],
    "local": _local,
    "storageos": _storageos,
    "csi": _csi,
}
"""The rule of every source, in the order in which upstream looks for them."""
