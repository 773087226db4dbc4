"""Groups that a pod's processes are in for the sake of its volumes: a persistent volume may name one.

API page: "Configure a Pod to Use a PersistentVolume for Storage", on access control.
"""

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import PersistentVolume
from pilothouse.kubelet.volume import HostVolumes

ANNOTATION = "pv.beta.kubernetes.io/gid"


def group_of(volume: PersistentVolume) -> int | None:
    """The group that a volume names; what is no number is none."""
    text = volume.metadata.annotations.get(ANNOTATION, "")
    return int(text) if text.isdecimal() else None


def with_groups(config: JsonObject, volumes: HostVolumes) -> JsonObject:
    """A container's configuration with the groups of its pod's volumes."""
    named = [volume.group for volume in volumes.values() if volume.group is not None]
    if not named:
        return config
    security = config["linux"]["security_context"]
    groups = [*security["supplemental_groups"], *named]
    security = {**security, "supplemental_groups": list(dict.fromkeys(groups))}
    return {**config, "linux": {**config["linux"], "security_context": security}}
