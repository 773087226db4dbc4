"""From a pod's claim to the persistent volume behind it: found in the API, or remembered from when it was mounted.

Upstream: pkg/kubelet/volumemanager/populator/desired_state_of_world_populator.go; the messages are its.
"""

from dataclasses import dataclass

from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import PersistentVolume, PersistentVolumeClaim, Pod, Volume
from pilothouse.kubelet.containers import every
from pilothouse.kubelet.storage import StorageObjects
from pilothouse.kubelet.volume import VolumeUnknown
from pilothouse.kubelet.volume_groups import ANNOTATION
from pilothouse.kubelet.volume_record import VolumeRecord

_VOLUME, _READ_ONLY = "persistentVolume", "readOnly"


@dataclass(frozen=True, slots=True)
class BoundVolume:
    """A persistent volume as one volume of one pod."""

    volume: str
    """Its name in the pod."""
    kept_by: str
    """The plug-in whose record it is."""
    persistent: PersistentVolume
    read_only: bool
    """Whether the pod asked for no more."""
    claim: PersistentVolumeClaim | None = None
    """None: it is only remembered."""

    @property
    def name(self) -> str:
        """Among all persistent volumes."""
        return self.persistent.metadata.name

    @property
    def block(self) -> bool:
        """Whether it is a device, without a file system."""
        return self.persistent.spec.volumeMode == "Block"

    def details(self) -> JsonObject:
        """What is remembered of it."""
        raw = self.persistent.literal()
        kept = {"metadata": {"name": self.name, "annotations": _kept_annotations(raw)}, "spec": raw["spec"]}
        return {_VOLUME: kept, _READ_ONLY: self.read_only}


def _kept_annotations(raw: JsonObject) -> JsonObject:
    annotations = raw["metadata"].get("annotations") or {}
    return {ANNOTATION: annotations[ANNOTATION]} if ANNOTATION in annotations else {}


def remembered(record: VolumeRecord) -> BoundVolume | None:
    """What a record says."""
    raw = record.details.get(_VOLUME)
    if raw is None:
        return None
    read_only = bool(record.details.get(_READ_ONLY))
    return BoundVolume(record.volume, record.plugin, PersistentVolume(raw), read_only)


async def find_bound(
    pod: Pod, volume: Volume, plugin: str, claim_name: str, objects: StorageObjects, *, owned: bool, read_only: bool
) -> BoundVolume:  # fmt: skip
    """The volume that a claim is bound to; `owned`: the claim must be the pod's own. Raises VolumeUnknown."""
    namespace = pod.metadata.namespace
    where = f"error processing PVC {namespace}/{claim_name}"
    try:
        claim = await objects.claim(namespace, claim_name)
    except (StatusError, OSError) as error:
        raise VolumeUnknown(f"{where}: failed to fetch PVC from API server: {error}") from error
    if complaint := _claim_complaint(claim):
        raise VolumeUnknown(f"{where}: {complaint}")
    if owned and not _is_owner(pod, claim):
        raise VolumeUnknown(
            f"PVC {namespace}/{claim_name} was not created for pod {namespace}/{pod.metadata.name} (pod is not owner)"
        )
    name = claim.spec.volumeName
    try:
        persistent = await objects.volume(name)
    except (StatusError, OSError) as error:
        raise VolumeUnknown(f"{where}: failed to fetch PV {name} from API server: {error}") from error
    if complaint := _volume_complaint(persistent, claim.metadata.uid):
        raise VolumeUnknown(f"{where}: {complaint}")
    if complaint := _mode_complaint(pod, volume.name, persistent.spec.volumeMode or "Filesystem"):
        raise VolumeUnknown(complaint)
    return BoundVolume(volume.name, plugin, persistent, read_only, claim)


def _claim_complaint(claim: PersistentVolumeClaim) -> str:
    if claim.metadata.deletionTimestamp is not None:
        return "PVC is being deleted"
    if claim.status.phase != "Bound":
        return "PVC is not bound"
    return "" if claim.spec.volumeName else "PVC has empty pvc.Spec.VolumeName"


def _is_owner(pod: Pod, claim: PersistentVolumeClaim) -> bool:
    return any(owner.controller and owner.uid == pod.metadata.uid for owner in claim.metadata.ownerReferences)


def _volume_complaint(persistent: PersistentVolume, claim_uid: str) -> str:
    found, reference = f"found PV object {persistent.metadata.name} but", persistent.spec.claimRef
    if not reference:
        return f"{found} it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim"
    if reference.uid != claim_uid:
        return f"{found} its pv.Spec.ClaimRef.UID {reference.uid} does not point to claim.UID {claim_uid}"
    return ""


def _mode_complaint(pod: Pod, volume: str, mode: str) -> str:
    containers = list(every(pod))
    if mode != "Filesystem" and any(mount.name == volume for one in containers for mount in one.volumeMounts):
        return f"volume {volume} has volumeMode {mode}, but is specified in volumeMounts"
    if mode != "Block" and any(device.name == volume for one in containers for device in one.volumeDevices):
        return f"volume {volume} has volumeMode {mode}, but is specified in volumeDevices"
    return ""
