"""A volume that was made larger gets a larger file system, while pods use it. KEP-1790, KEP-284.

The expand controller and the driver's resizer have made the volume larger, and left word in the claim's status that
the node has its part to do. What comes of it is written there too. Upstream:
pkg/volume/util/operationexecutor/node_expander.go.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.machinery.quantity import Quantity, parse_quantity
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import PersistentVolume, PersistentVolumeClaim, Pod
from pilothouse.kubelet.csi.client import CsiClient, CsiError
from pilothouse.kubelet.csi.credentials import secret_values
from pilothouse.kubelet.csi.csi_volume import CsiVolume, staging_path
from pilothouse.kubelet.events import reference
from pilothouse.kubelet.volume import Surroundings, VolumeError
from pilothouse.net.grpc_frames import GrpcCode
from pilothouse.runtime.clock import format_time
from pilothouse.runtime.log import Log

log = Log(__name__)
CAN = "EXPAND_VOLUME"
_PENDING, _AT_WORK, _INFEASIBLE = "NodeResizePending", "NodeResizeInProgress", "NodeResizeInfeasible"
_CONDITIONS = ("Resizing", "FileSystemResizePending", "NodeResizeError", "ControllerResizeError")
"""Conditions of a claim that are over with its expansion."""
_NEVER = (GrpcCode.INVALID_ARGUMENT, GrpcCode.OUT_OF_RANGE, GrpcCode.NOT_FOUND)
"""Codes that say that this size will not come about."""
_STORAGE = "storage"


@dataclass(frozen=True, slots=True)
class Expansion:
    """What is to be done on the node."""

    size: Quantity
    text: str
    """The size as the volume has it."""


def plan_expansion(claim: PersistentVolumeClaim, volume: PersistentVolume) -> Expansion | None:
    """Whether the node has its part to do. Pure."""
    text = str(volume.spec.capacity.get(_STORAGE, ""))
    if not text or claim.status.allocatedResourceStatuses.get(_STORAGE) not in (_PENDING, _AT_WORK):
        return None
    present, wanted = claim.status.capacity.get(_STORAGE, "0"), parse_quantity(text)
    return Expansion(wanted, text) if wanted.value() > parse_quantity(present).value() else None


def finished(claim: PersistentVolumeClaim, size: str) -> JsonObject:
    """What a claim's status says when all is done. Pure."""
    others = [one.raw for one in claim.status.conditions if one.type not in _CONDITIONS]
    return {
        "capacity": {_STORAGE: size}, "allocatedResourceStatuses": {_STORAGE: None}, "conditions": others or None,
    }  # fmt: skip


def failed(claim: PersistentVolumeClaim, why: str, now: str, *, never: bool) -> JsonObject:
    """What it says when the driver would not. Pure."""
    condition = {
        "type": "NodeResizeError", "status": "True", "lastTransitionTime": now,
        "message": f"failed to expand pvc with {why}",
    }  # fmt: skip
    others = [one.raw for one in claim.status.conditions if one.type != "NodeResizeError"]
    told: JsonObject = {"conditions": [*others, condition]}
    if never:
        told["allocatedResourceStatuses"] = {_STORAGE: _INFEASIBLE}
    return told


async def expand(
    claim: PersistentVolumeClaim, persistent: PersistentVolume, volume: CsiVolume, client: Callable[[], CsiClient],
    around: Surroundings, target: Path,
) -> None:  # fmt: skip
    """Have the volume's file system as large as the volume, where that is the node's part. No pod fails by it."""
    wanted, storage = plan_expansion(claim, persistent), around.storage
    if wanted is None or storage is None:
        return
    where = f'for volume "{volume.name}"'
    try:
        claim = await storage.objects.patch_claim_status(claim, {"allocatedResourceStatuses": {_STORAGE: _AT_WORK}})
        await _ask(volume, client(), around, target, wanted)
    except CsiError as error:
        storage.recorder.event(
            reference(around.pod), "Warning", "VolumeResizeFailed",
            f"NodeExpandVolume.NodeExpandVolume failed {where} : {error}",
        )  # fmt: skip
        if error.final:
            now = format_time(around.clock.now())
            await _tell(claim, failed(claim, str(error), now, never=error.code in _NEVER), around)
    except (VolumeError, StatusError, OSError) as error:
        log.warning("Could not expand a volume", volume=volume.name, err=str(error))
    else:
        text = f"MountVolume.NodeExpandVolume succeeded {where} {around.pod.spec.nodeName}"
        for about in (reference(around.pod), _about(claim)):
            storage.recorder.event(about, "Normal", "FileSystemResizeSuccessful", text)
        await _tell(claim, finished(claim, wanted.text), around)


async def _ask(volume: CsiVolume, client: CsiClient, around: Surroundings, target: Path, wanted: Expansion) -> None:
    """A driver that has no part on the node has done its own."""
    can = await client.capabilities()
    if CAN not in can:
        return
    secrets = await secret_values(volume.expand_secret, around.objects, "NodeExpandSecretRef")
    await client.expand(
        volume_id=volume.handle, volume_path=str(target), staging_target_path=str(staging_path(volume, around.layout)),
        capacity_range={"required_bytes": wanted.size.value()},
        volume_capability=volume.use(can, _group(around.pod)), secrets=secrets,
    )  # fmt: skip


def _group(pod: Pod) -> int | None:
    return pod.spec.securityContext.fsGroup


async def _tell(claim: PersistentVolumeClaim, status: JsonObject, around: Surroundings) -> None:
    assert around.storage is not None
    try:
        await around.storage.objects.patch_claim_status(claim, status)
    except (StatusError, OSError) as error:
        # The next turn asks the driver again, who has nothing to do, and tells it then.
        log.warning("Could not tell of an expansion", claim=claim.metadata.name, err=str(error))


def _about(claim: PersistentVolumeClaim) -> JsonObject:
    meta = claim.metadata
    return {
        "kind": "PersistentVolumeClaim", "apiVersion": "v1", "namespace": meta.namespace, "name": meta.name,
        "uid": meta.uid,
    }  # fmt: skip
