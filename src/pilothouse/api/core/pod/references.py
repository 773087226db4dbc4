"""What a pod refers to: the names of its secrets, config maps and claims, and whether it needs the API at all.

Node authorization follows the names; a static pod, which the API knows only as a mirror, may have none. Sources:
pkg/api/v1/pod/util.go, pkg/api/pod/util.go (HasAPIObjectReference).
"""

from collections.abc import Iterator
from typing import Any

from pilothouse.api.machinery.view import JsonObject

SECRET_SOURCES = ("cephfs", "cinder", "flexVolume", "rbd", "scaleIO", "iscsi", "storageos")
"""Volumes whose secret is `secretRef`."""
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
_VOLUMES = {
    "csi": "csidrivers (via CSI volumes)",
    "glusterfs": "endpoints (via glusterFS volumes)",
    "persistentVolumeClaim": "persistentvolumeclaims",
    "ephemeral": "persistentvolumeclaims (via ephemeral volumes)",
    "configMap": "configmaps (via configmap volumes)",
    "secret": "secrets (via secret volumes)",
    "azureFile": "secrets (via azureFile volumes)",
}
_PROJECTED = {
    "configMap": "configmaps (via projected volumes)",
    "secret": "secrets (via projected volumes)",
    "serviceAccountToken": "serviceaccounts (via projected volumes)",
    "clusterTrustBundle": "clustertrustbundles",
    "podCertificate": "podcertificates",
}


def secret_names(spec: JsonObject) -> Iterator[str]:
    """The secrets that a pod's spec names."""
    found = [one.get("name") for one in spec.get("imagePullSecrets") or ()]
    found += _of_environment(spec, "secretKeyRef", "secretRef")
    for volume in spec.get("volumes") or ():
        found.append((volume.get("secret") or {}).get("secretName"))
        found.append((volume.get("azureFile") or {}).get("secretName"))
        found.append(_named_in(volume.get("csi"), "nodePublishSecretRef"))
        found += [_named_in(volume.get(source), "secretRef") for source in SECRET_SOURCES]
        found += [_named_in(source, "secret") for source in (volume.get("projected") or {}).get("sources") or ()]
    return (name for name in found if name)


def config_map_names(spec: JsonObject) -> Iterator[str]:
    """The config maps that a pod's spec names."""
    found = _of_environment(spec, "configMapKeyRef", "configMapRef")
    for volume in spec.get("volumes") or ():
        found.append(_named_in(volume, "configMap"))
        found += [_named_in(source, "configMap") for source in (volume.get("projected") or {}).get("sources") or ()]
    return (name for name in found if name)


def volume_claim(pod: JsonObject, volume: JsonObject) -> str:
    """The claim that one of the pod's volumes stands for, its own or another's; empty where it stands for none."""
    claim: str = (volume.get("persistentVolumeClaim") or {}).get("claimName") or ""
    if not claim and volume.get("ephemeral") is not None:
        return f"{pod['metadata']['name']}-{volume.get('name')}"
    return claim


def resource_claim_names(pod: JsonObject) -> Iterator[str]:
    """The claims of devices; one made from a template has its name in the status."""
    status = pod.get("status") or {}
    made = {one.get("name"): one.get("resourceClaimName") for one in status.get("resourceClaimStatuses") or ()}
    for claim in pod["spec"].get("resourceClaims") or ():
        if name := claim.get("resourceClaimName") or made.get(claim.get("name")):
            yield name
    if name := (status.get("extendedResourceClaimStatus") or {}).get("resourceClaimName"):
        yield name


def api_reference(spec: JsonObject) -> str:
    """What a pod's spec needs from the API, in upstream's words; empty where it needs nothing."""
    for name, needed in (
        ("serviceaccounts", spec.get("serviceAccountName")),
        ("secrets", any(secret_names(spec))),
        ("configmaps", any(config_map_names(spec))),
        ("resourceclaims", spec.get("resourceClaims")),
    ):
        if needed:
            return name
    for volume in spec.get("volumes") or ():
        if found := _first(volume, _VOLUMES):
            return found
        for source in (volume.get("projected") or {}).get("sources") or ():
            if found := _first(source, _PROJECTED):
                return found
    return ""


def _first(source: JsonObject, words: dict[str, str]) -> str:
    return next((word for field, word in words.items() if source.get(field) is not None), "")


def _of_environment(spec: JsonObject, key: str, whole: str) -> list[Any]:
    found = []
    for field in _CONTAINERS:
        for container in spec.get(field) or ():
            found += [_named_in(variable.get("valueFrom"), key) for variable in container.get("env") or ()]
            found += [_named_in(source, whole) for source in container.get("envFrom") or ()]
    return found


def _named_in(source: JsonObject | None, field: str) -> Any:
    return ((source or {}).get(field) or {}).get("name")
