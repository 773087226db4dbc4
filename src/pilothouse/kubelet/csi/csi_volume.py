"""One volume as a CSI driver is told of it: by a persistent volume, or by a pod itself. Pure.

Upstream: pkg/volume/csi/{csi_mounter,csi_client}.go.
"""

import hashlib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pilothouse.api.types.core_v1 import CSIVolumeSource, Pod
from pilothouse.kubelet.bound_volume import BoundVolume
from pilothouse.kubelet.csi.client import capability
from pilothouse.kubelet.layout import Layout

STAGES, MANY_WRITERS, GROUPS = "STAGE_UNSTAGE_VOLUME", "SINGLE_NODE_MULTI_WRITER", "VOLUME_MOUNT_GROUP"
"""Capabilities."""
_MODES = {
    "ReadWriteOnce": ("SINGLE_NODE_WRITER", "SINGLE_NODE_MULTI_WRITER"),
    "ReadWriteOncePod": ("SINGLE_NODE_WRITER", "SINGLE_NODE_SINGLE_WRITER"),
    "ReadOnlyMany": ("MULTI_NODE_READER_ONLY", "MULTI_NODE_READER_ONLY"),
    "ReadWriteMany": ("MULTI_NODE_MULTI_WRITER", "MULTI_NODE_MULTI_WRITER"),
}
_PREFIX = "csi.storage.k8s.io/"
TOKENS = f"{_PREFIX}serviceAccount.tokens"
Secret = tuple[str, str]
"""Namespace and name."""


@dataclass(frozen=True, slots=True)
class CsiVolume:
    """What is to be mounted."""

    driver: str
    handle: str
    name: str
    """Among persistent volumes, or in its pod."""
    kind: str = ""
    """Of the file system."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    access_modes: tuple[str, ...] = ("ReadWriteOnce",)
    block: bool = False
    read_only: bool = False
    ephemeral: bool = False
    stage_secret: Secret | None = None
    publish_secret: Secret | None = None
    expand_secret: Secret | None = None

    @property
    def lifecycle(self) -> str:
        """How CSIDriver objects call it."""
        return "Ephemeral" if self.ephemeral else "Persistent"

    @property
    def once(self) -> bool:
        """Whether one node alone writes it."""
        return any(mode in ("ReadWriteOnce", "ReadWriteOncePod") for mode in self.access_modes)

    @property
    def key(self) -> str:
        """Among all volumes of the cluster, as a node's status tells it."""
        return f"kubernetes.io/csi/{self.driver}^{self.handle}"

    def use(self, can: AbstractSet[str], group: int | None) -> Any:
        """The capability that a driver that `can` so much is asked for."""
        mode = self.access_modes[0] if self.access_modes else "ReadWriteOnce"
        plain, fine = _MODES.get(mode, _MODES["ReadWriteOnce"])
        given = str(group) if group is not None and GROUPS in can else ""
        return capability(
            fine if MANY_WRITERS in can else plain, block=self.block, kind=self.kind, flags=self.options, group=given
        )

    def pod_info(self, pod: Pod) -> dict[str, str]:
        """What a driver is told of the pod that wants it."""
        meta = pod.metadata
        return {
            f"{_PREFIX}pod.name": meta.name, f"{_PREFIX}pod.namespace": meta.namespace,
            f"{_PREFIX}pod.uid": meta.uid, f"{_PREFIX}serviceAccount.name": pod.spec.serviceAccountName,
            f"{_PREFIX}ephemeral": "true" if self.ephemeral else "false",
        }  # fmt: skip


def persistent(bound: BoundVolume) -> CsiVolume:
    """A persistent volume. That its source is read-only is for those who attach it."""
    spec, source = bound.persistent.spec, bound.persistent.spec.csi
    return CsiVolume(
        source.driver, source.volumeHandle, bound.name, source.fsType, dict(source.volumeAttributes),
        tuple(spec.mountOptions), tuple(spec.accessModes), block=bound.block,
        read_only=bound.read_only,
        stage_secret=_secret(source.nodeStageSecretRef), publish_secret=_secret(source.nodePublishSecretRef),
        expand_secret=_secret(source.nodeExpandSecretRef),
    )  # fmt: skip


def inline(pod: Pod, name: str, source: CSIVolumeSource) -> CsiVolume:
    """A volume that lives as long as its pod."""
    handle = hashlib.sha256(f"{pod.metadata.uid}{name}".encode()).hexdigest()
    secret = source.nodePublishSecretRef.name
    return CsiVolume(
        source.driver, f"csi-{handle}", name, source.fsType, dict(source.volumeAttributes),
        read_only=bool(source.readOnly), ephemeral=True,
        publish_secret=(pod.metadata.namespace, secret) if secret else None,
    )  # fmt: skip


def _secret(reference: Any) -> Secret | None:
    return (reference.namespace, reference.name) if reference.name else None


def attachment_name(volume: CsiVolume, node: str) -> str:
    """What the VolumeAttachment is called."""
    return f"csi-{hashlib.sha256(f'{volume.handle}{volume.driver}{node}'.encode()).hexdigest()}"


def staging_path(volume: CsiVolume, layout: Layout) -> Path:
    """Where a driver makes a volume ready for the node."""
    plugin = layout.root / "plugins/kubernetes.io/csi"
    if volume.block:
        return plugin / "volumeDevices/staging" / volume.name
    return plugin / volume.driver / hashlib.sha256(volume.handle.encode()).hexdigest() / "globalmount"


def target_path(volume: CsiVolume, uid: str, layout: Layout) -> Path:
    """Where a driver shows a volume to a pod."""
    if volume.block:
        return layout.root / "plugins/kubernetes.io/csi/volumeDevices/publish" / volume.name / uid
    return layout.volume(uid, "csi", volume.name) / "mount"
