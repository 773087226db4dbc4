"""A node's persistent volumes, with a fake API server, and a fake kernel unless the test wants the real one."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubelet import observing
from kubelet.harness import FakeMounter, FakeObjects, Told
from pilothouse.api.machinery.errors import NotFound
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Node, PersistentVolume, PersistentVolumeClaim, Pod
from pilothouse.api.types.storage_v1 import CSIDriver, VolumeAttachment
from pilothouse.kubelet.csi.drivers import CsiDrivers
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.pod_volumes import Volumes
from pilothouse.kubelet.storage import Disks, Storage
from pilothouse.kubelet.volume import Mounter, VolumeType
from pilothouse.kubelet.volume_users import VolumeUsers
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.units import subclasses
from pilothouse.testing import loop


def claimed(claim: str = "data", name: str = "v", *, read_only: bool = False) -> JsonObject:
    """A volume of a pod."""
    return {"name": name, "persistentVolumeClaim": {"claimName": claim, "readOnly": read_only}}


def pod(**spec: Any) -> Pod:
    """A pod whose first container mounts all volumes that no container mentions."""
    containers = [dict(one) for one in spec.pop("containers", [{"name": "app", "image": "app:1"}])]
    mentions = [
        mention for one in containers for field in ("volumeMounts", "volumeDevices") for mention in one.get(field, ())
    ]
    idle = {volume["name"] for volume in spec.get("volumes", ())} - {mention["name"] for mention in mentions}
    mounts = [{"name": name, "mountPath": f"/{name}"} for name in sorted(idle)]
    containers[0]["volumeMounts"] = [*containers[0].get("volumeMounts", ()), *mounts]
    return observing.pod(containers=containers, **spec)


@dataclass
class FakeStorageObjects:
    """An API server; what is not in it is not found."""

    claims: dict[str, JsonObject] = field(default_factory=dict)
    volumes: dict[str, JsonObject] = field(default_factory=dict)
    attachments: dict[str, JsonObject] = field(default_factory=dict)
    drivers: dict[str, JsonObject] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    status: JsonObject = field(default_factory=dict)
    patches: list[JsonObject] = field(default_factory=list)

    def bind(self, claim: str = "data", volume: str = "pv1", **spec: Any) -> None:
        """A claim, and the volume that it is bound to."""
        uid = f"uid-{claim}"
        self.claims[claim] = {
            "metadata": {"name": claim, "namespace": "default", "uid": uid},
            "spec": {"volumeName": volume}, "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}},
        }  # fmt: skip
        self.volumes[volume] = {
            "metadata": {"name": volume},
            "spec": {"claimRef": {"uid": uid}, "accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem",
                     "capacity": {"storage": "1Gi"}, **spec},
        }  # fmt: skip

    async def claim(self, namespace: str, name: str) -> PersistentVolumeClaim:
        return PersistentVolumeClaim(_found(self.claims, name, "persistentvolumeclaims"))

    async def volume(self, name: str) -> PersistentVolume:
        return PersistentVolume(_found(self.volumes, name, "persistentvolumes"))

    async def node(self) -> Node:
        return Node({"metadata": {"name": "n1", "labels": self.labels}, "status": self.status})

    async def attachment(self, name: str) -> VolumeAttachment:
        return VolumeAttachment(_found(self.attachments, name, "volumeattachments.storage.k8s.io"))

    async def driver(self, name: str) -> CSIDriver | None:
        return CSIDriver(self.drivers[name]) if name in self.drivers else None

    async def patch_claim_status(self, claim: PersistentVolumeClaim, status: JsonObject) -> PersistentVolumeClaim:
        self.patches.append(status)
        raw = self.claims[claim.metadata.name]
        self.claims[claim.metadata.name] = raw = {**raw, "status": merged(raw["status"], status)}
        return PersistentVolumeClaim(raw)


def merged(old: JsonObject, patch: JsonObject) -> JsonObject:
    """As a merge patch has it."""
    new = dict(old)
    for key, value in patch.items():
        if value is None:
            new.pop(key, None)
        else:
            new[key] = merged(new.get(key) or {}, value) if isinstance(value, dict) else value
    return new


def _found(known: dict[str, JsonObject], name: str, resource: str) -> JsonObject:
    if name not in known:
        raise NotFound(f'{resource} "{name}" not found')
    return known[name]


@dataclass
class FakeDisks:
    """Mounts that come about in the fake kernel; `broken`: what the next ones fail with."""

    mounter: FakeMounter
    broken: str = ""
    done: list[tuple[str, ...]] = field(default_factory=list)

    async def mount(self, source: str, target: Path, kind: str, options: tuple[str, ...] = ()) -> None:
        self._do("mount", source, target, kind, options)

    async def format_and_mount(self, device: Path, target: Path, kind: str, options: tuple[str, ...] = ()) -> None:
        self._do("format", str(device), target, kind, options)

    def _do(self, what: str, source: str, target: Path, kind: str, options: tuple[str, ...]) -> None:
        if self.broken:
            raise OSError(self.broken)
        assert target.is_dir()
        self.done.append((what, source, kind, ",".join(options)))
        self.mounter.mounted[target] = source

    async def unmount(self, target: Path) -> None:
        if self.broken:
            raise OSError(self.broken)
        self.done.append(("unmount", target.name))
        del self.mounter.mounted[target]


class Station:
    """One kubelet after the other on one node: mounts and files stay, memory does not."""

    def __init__(self, root: Path, clock: Clock, *, mounter: Mounter | None = None, disks: Disks | None = None) -> None:
        self.layout = Layout(root / "kubelet", root / "logs")
        self.clock = clock
        self.fake_mounter = FakeMounter()
        self.mounter: Mounter = mounter or self.fake_mounter
        self.fake_disks = FakeDisks(self.fake_mounter)
        self.disks: Disks = disks or self.fake_disks
        self.api = FakeStorageObjects()
        self.objects = FakeObjects(clock=clock)
        self.told = Told()
        self.start()

    def start(self) -> None:
        """Another kubelet."""
        self.storage = self._storage()
        self.volumes = Volumes(
            subclasses(VolumeType, "pilothouse.kubelet.volumes"),  # type: ignore[type-abstract]
            self.layout, self.objects, self.mounter, self.clock, storage=self.storage, boot_id="b", recorder=self.told,
        )  # fmt: skip

    def _storage(self) -> Storage:
        return Storage(
            node_name="n1", objects=self.api, disks=self.disks, recorder=self.told, users=VolumeUsers(self.layout),
            drivers=CsiDrivers(self.clock),
        )  # fmt: skip

    def at(self, pod: Pod, plugin: str, name: str = "pv1") -> Path:
        """Where a pod's volume lies."""
        return self.layout.volume(pod.metadata.uid, plugin, name)


def run(root: Path, story: Callable[[Station], Coroutine[Any, Any, None]]) -> None:
    """Tell a story of one node in virtual time."""

    async def main(clock: Clock, _chance: object) -> None:
        await story(Station(root, clock))

    loop.run(main)
