"""What a pod refers to: the names of its secrets, config maps and claims, and whether it needs the API at all.

Node authorization follows the names; a static pod, which the API knows only as a mirror, may have none. Sources:
pkg/api/v1/pod/util.go, pkg/api/pod/util.go (HasAPIObjectReference).
"""

from collections.abc import Iterator

from pilothouse.api.machinery.view import JsonObject

SECRET_SOURCES = ("cephfs", "cinder", "flexVolume", "rbd", "scaleIO", "iscsi", "storageos")
"""Volumes whose secret is `secretRef`."""
_REFERENCES = {"csi": "nodePublishSecretRef", **dict.fromkeys(SECRET_SOURCES, "secretRef")}
_NAMED = frozenset({"secret", "azureFile"})
"""Volumes that name their secret without a reference."""
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
    for pull in spec.get("imagePullSecrets") or ():
        if name := pull.get("name"):
            yield name
    yield from _of_environment(spec, "secretKeyRef", "secretRef")
    for kind, source in _sources(spec):
        if kind in _NAMED:
            name = source.get("secretName")
        elif kind == "projected/secret":
            name = source.get("name")
        else:
            name = (source.get(_REFERENCES.get(kind, "")) or {}).get("name")
        if name:
            yield name


def config_map_names(spec: JsonObject) -> Iterator[str]:
    """The config maps that a pod's spec names."""
    yield from _of_environment(spec, "configMapKeyRef", "configMapRef")
    for kind, source in _sources(spec):
        if kind in ("configMap", "projected/configMap") and (name := source.get("name")):
            yield name


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


def _sources(spec: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """What volumes are made of, with its sort; the sources of a projected one are `projected/...`."""
    for volume in spec.get("volumes") or ():
        for kind, source in volume.items():
            if kind == "projected":
                for one in (source or {}).get("sources") or ():
                    yield from ((f"projected/{part}", value) for part, value in one.items() if value)
            elif source and kind != "name":
                yield kind, source


def _of_environment(spec: JsonObject, key: str, whole: str) -> Iterator[str]:
    for field in _CONTAINERS:
        for container in spec.get(field) or ():
            for variable in container.get("env") or ():
                source = variable.get("valueFrom")
                if source and (name := (source.get(key) or {}).get("name")):
                    yield name
            for source in container.get("envFrom") or ():
                if name := (source.get(whole) or {}).get("name"):
                    yield name
