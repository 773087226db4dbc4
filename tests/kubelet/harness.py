"""A node with a fake runtime and a fake API server, in virtual time."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from kubelet.certifying import FakeRequests
from kubelet.trusting import FakeTrustBundles
from pilothouse.api.machinery.errors import NotFound
from pilothouse.api.machinery.patch.strategic import apply_strategic_patch
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.machinery.view import JsonObject, View
from pilothouse.api.types.authentication_v1 import TokenRequest
from pilothouse.api.types.core_v1 import ConfigMap, HTTPGetAction, Node, Pod, Secret, Service
from pilothouse.api.types.node_v1 import RuntimeClass
from pilothouse.kubelet.admission import Admission, NodeAdmission, NodeTraits
from pilothouse.kubelet.allocation import Allocations
from pilothouse.kubelet.allocation_store import AllocationStore
from pilothouse.kubelet.contribution import Contributor, NothingMore
from pilothouse.kubelet.counts.admission_counts import AdmissionCounts
from pilothouse.kubelet.counts.hook_counts import HookCounts
from pilothouse.kubelet.counts.image_counts import ImageCounts
from pilothouse.kubelet.counts.pleg_counts import PlegCounts
from pilothouse.kubelet.counts.pod_counts import PodCounts
from pilothouse.kubelet.counts.resize_counts import ResizeCounts
from pilothouse.kubelet.cri.interface import Cri, Image
from pilothouse.kubelet.devices.hand_out import Devices
from pilothouse.kubelet.dra.dynamic_resources import DynamicResources
from pilothouse.kubelet.hooks import Hooks
from pilothouse.kubelet.images.image_gc import ImageGc
from pilothouse.kubelet.images.policy import ImagePolicy
from pilothouse.kubelet.images.pull import ImagePuller
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.machine import Disk
from pilothouse.kubelet.managers.static_cpus import StaticCpus
from pilothouse.kubelet.names_and_dns import Resolver
from pilothouse.kubelet.node_services import NodeServices, Prober
from pilothouse.kubelet.observed import Health, ObservedPod
from pilothouse.kubelet.pleg import Pleg
from pilothouse.kubelet.pod_certificates import PodCertificates
from pilothouse.kubelet.pod_end import Ender
from pilothouse.kubelet.pod_volumes import Volumes
from pilothouse.kubelet.pod_worker import PodWorker
from pilothouse.kubelet.pod_workers import Others, PodWorkers
from pilothouse.kubelet.resources.pod_cgroups import PodCgroups
from pilothouse.kubelet.runtime_config import NodeFacts
from pilothouse.kubelet.status_writer import StatusWriter
from pilothouse.kubelet.stored_allocations import StoredAllocations
from pilothouse.kubelet.sysctls import AllowedSysctls
from pilothouse.kubelet.trust_anchors import TrustAnchors
from pilothouse.kubelet.volume import ImageMounts, Mounter, VolumeType
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, LoopClock, format_time
from pilothouse.runtime.metrics import Metrics
from pilothouse.runtime.tasks import Tasks
from pilothouse.runtime.units import subclasses
from pilothouse.testing import loop
from pilothouse.testing.fake_cri import FakeCri

_POD = Schemas().kind("", "v1", "Pod")


def pod(name: str = "web", **spec: Any) -> JsonObject:
    """A manifest as the API server would hand it to the node."""
    meta = spec.pop("metadata", {})
    spec.setdefault("containers", [{"name": "app", "image": "app:1"}])
    for container in spec["containers"]:
        container.setdefault("terminationMessagePath", "/dev/termination-log")
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}", "generation": 1,
                     "resourceVersion": "1", **meta},
        "spec": {"nodeName": "n1", "restartPolicy": "Always", **spec},
        "status": {"phase": "Pending"},
    }  # fmt: skip


@dataclass
class Told:
    """Records events."""

    events: list[tuple[str, str, str]] = field(default_factory=list)
    annotations: list[Mapping[str, str]] = field(default_factory=list)
    """Of those events that have some."""

    def event(
        self, about: View | JsonObject, kind: str, reason: str, message: str,
        annotations: Mapping[str, str] | None = None, /,
    ) -> None:  # fmt: skip
        self.events.append((kind, reason, message))
        if annotations is not None:
            self.annotations.append(annotations)

    def reasons(self) -> list[str]:
        return [reason for _, reason, _ in self.events]


@dataclass
class FakeObjects:
    config_maps: dict[str, JsonObject] = field(default_factory=dict)
    secrets: dict[str, JsonObject] = field(default_factory=dict)
    runtime_classes: dict[str, str] = field(default_factory=dict)
    """Handlers by name."""
    listed: list[Service] = field(default_factory=list)
    tokens: list[JsonObject] = field(default_factory=list)
    clock: Clock | None = None
    asked: list[str] = field(default_factory=list)
    """Which ConfigMaps were asked for."""

    async def config_map(self, namespace: str, name: str) -> ConfigMap | None:
        self.asked.append(name)
        return ConfigMap(self.config_maps[name]) if name in self.config_maps else None

    async def secret(self, namespace: str, name: str) -> Secret | None:
        return Secret(self.secrets[name]) if name in self.secrets else None

    async def runtime_class(self, name: str) -> RuntimeClass:
        if name not in self.runtime_classes:
            raise NotFound(f'runtimeclasses.node.k8s.io "{name}" not found')
        return RuntimeClass({"handler": self.runtime_classes[name]})

    async def token(self, pod: Pod, request: JsonObject) -> TokenRequest:
        self.tokens.append(request)
        assert self.clock is not None
        ends = format_time(self.clock.now() + request["expirationSeconds"])
        return TokenRequest({"status": {"token": f"token-{len(self.tokens)}", "expirationTimestamp": ends}})

    def services(self) -> Sequence[Service]:
        return self.listed


@dataclass
class FakeMounter:
    mounted: dict[Path, str] = field(default_factory=dict)

    def tmpfs(self, path: Path, size: int = 0, mode: int = 0o755) -> None:
        path.chmod(mode)
        self.mounted[path] = "tmpfs"

    def bind(self, source: Path, target: Path) -> None:
        self.mounted[target] = str(source.readlink() if source.is_symlink() else source)

    def unmount(self, path: Path, *, lazily: bool = True) -> None:
        del self.mounted[path]

    def below(self, path: Path) -> list[Path]:
        known = list(self.mounted)  # at once: several threads take volumes away
        return [point for point in known if point == path or path in point.parents][::-1]

    def is_mounted(self, path: Path) -> bool:
        return path in self.mounted

    def remove_tree(self, path: Path) -> None:
        import shutil

        assert not self.below(path)
        shutil.rmtree(path, ignore_errors=True)

    def open_within(self, root: Path, relative: str) -> int:
        import os

        return os.open(root / relative, os.O_PATH)


@dataclass
class FakeCgroups:
    present: set[str] = field(default_factory=set)
    resized: list[tuple[str, str]] = field(default_factory=list)
    too_little: tuple[int, int] | None = None
    """A pod's new limit of memory, and what it uses."""
    weighed: list[str] = field(default_factory=list)

    def parent(self, pod: Pod) -> str:
        return f"/kubepods/pod{pod.metadata.uid}"

    def create(self, pod: Pod) -> None:
        self.present.add(pod.metadata.uid)

    def resize(self, pod: Pod, *, grow: bool) -> None:
        self.resized.append((pod.metadata.name, "grow" if grow else "fit"))

    def excess(self, pod: Pod) -> tuple[int, int] | None:
        return self.too_little

    def remove(self, pod: Pod) -> bool:
        self.present.discard(pod.metadata.uid)
        return True

    def weigh(self, pods: Iterable[Pod]) -> None:
        self.weighed = sorted(pod.metadata.name for pod in pods)

    def remove_strangers(self, uids: set[str]) -> None:
        self.present &= uids


@dataclass
class FakeProber:
    verdicts: dict[str, Health] = field(default_factory=dict)
    attended: list[str] = field(default_factory=list)
    changed: Callable[[], None] = lambda: None
    """As told when a pod was last retired."""

    def attend(self, pod: Pod, observed: ObservedPod, changed: Callable[[], None]) -> None:
        self.attended.append(pod.metadata.name)

    def health(self, uid: str) -> Mapping[str, Health]:
        return self.verdicts

    def retire(self, uid: str, changed: Callable[[], None]) -> None:
        self.attended.append(f"retired {uid}")
        self.changed = changed

    def forget(self, uid: str) -> None:
        self.attended.append(f"forgotten {uid}")


class FakeOwnNode:
    """The node's object: `node` is what the node has heard of, `newer` what the server has."""

    def __init__(self) -> None:
        room = {"cpu": "2", "memory": "8Gi", "ephemeral-storage": "10Gi", "pods": "110"}
        self.node = Node({"metadata": {"name": "n1", "labels": {}}, "status": {"allocatable": room}})
        self.newer: Node | None = None

    def change(self, **parts: Any) -> None:
        """Other labels, taints or resources."""
        raw = self.node.raw
        self.node = Node({
            "metadata": {**raw["metadata"], "labels": parts.get("labels", raw["metadata"]["labels"])},
            "spec": {"taints": parts.get("taints", [])},
            "status": {"allocatable": {**raw["status"]["allocatable"], **parts.get("allocatable", {})}},
        })  # fmt: skip

    def known(self) -> Node:
        return self.node

    async def newest(self) -> Node:
        if self.newer is None:
            raise NotFound('nodes "n1" not found')
        return self.newer


class FakeNode:
    """The kubelet's heart, driven by hand. The fake API server is `pods`, by name."""

    def __init__(
        self, root: Path, clock: Clock, tasks: Tasks, *, cri: Cri | None = None, mounter: Mounter | None = None,
        cgroups: PodCgroups | None = None,
    ) -> None:  # fmt: skip
        self.clock = clock
        self.cri = FakeCri(clock, present={"app:1": Image("sha256:app", ("app:1",))})
        self.runtime: Cri = cri or self.cri
        self.runtime_name = "containerd"
        self.told = Told()
        self.objects = FakeObjects(clock=clock)
        self.bundles = FakeTrustBundles()
        self.requests = FakeRequests()
        self.certificates = PodCertificates(self.requests, self.told, clock, Chance(1))
        self.mounter = mounter or FakeMounter()
        self.cgroups = cgroups or FakeCgroups()
        self.prober = FakeProber()
        self.watcher: Prober = self.prober
        self.own = FakeOwnNode()
        self.traits = NodeTraits(sysctls=AllowedSysctls.of((), "6.1.0"))
        self.metrics = Metrics()
        self.admission: Admission = NodeAdmission(
            self.own, self.runtime, lambda: self.workers, self.told, clock, self.traits,
            counts=AdmissionCounts(self.metrics),
        )  # fmt: skip
        self.allocations: Allocations | None = None
        """None: those of a real node."""
        self.allocatable = {"cpu": "2", "memory": "8Gi"}
        self.image_mounts: ImageMounts | None = None
        self.image_policy = ImagePolicy()
        self.image_disk = Disk(1000, 1000, 1000, 1000)
        self.contributor: Contributor = NothingMore()
        self.cpus: StaticCpus | None = None
        self.devices: Devices | None = None
        self.dynamic_resources: DynamicResources | None = None
        self.pods: dict[str, Pod] = {}
        self.phases: dict[str, list[str]] = {}
        self.layout = Layout(root / "kubelet", root / "logs")
        self.facts = NodeFacts(self.layout, "cluster.local", 8 << 30)
        self._tasks = tasks
        self._version = 1
        self.writer = StatusWriter(self, clock, self.metrics)
        self.workers = PodWorkers(self._worker, tasks)
        self.pleg = Pleg(self.runtime, clock, self.workers.poke, PlegCounts(self.metrics))
        tasks.spawn(self.writer.run(), name="status writer")
        tasks.spawn(self.pleg.run(), name="pleg")

    @cached_property
    def services(self) -> NodeServices:
        """Made with the first pod: what a story changes before is in it."""

        async def fetch(action: HTTPGetAction, host: str, port: int) -> tuple[int, str]:
            return 200, ""

        hooks = Hooks(self.runtime, fetch, self.clock, HookCounts(self.metrics))
        volumes = Volumes(
            subclasses(VolumeType, "pilothouse.kubelet.volumes"),  # type: ignore[type-abstract]
            self.layout,
            self.objects,
            self.mounter,
            self.clock,
            trust=TrustAnchors(self.bundles, Chance(1)),
            certificates=self.certificates,
            image_mounts=self.image_mounts,
        )
        counts = ImageCounts(self.metrics)
        admitting, resize_counts = asyncio.Lock(), ResizeCounts(self.metrics)
        allocations = StoredAllocations(
            store=AllocationStore(self.layout), admission=self.admission, allocatable=lambda: self.allocatable,
            recorder=self.told, clock=self.clock, admitting=admitting, counts=resize_counts,
        )  # fmt: skip
        self._tasks.spawn(allocations.retry(), name="pending resizes")
        return NodeServices(
            cri=self.runtime, clock=self.clock, pods=self, objects=self.objects, recorder=self.told, writer=self.writer,
            images=ImagePuller(self.runtime, self.objects, self.told, self.clock, counts=counts), volumes=volumes,
            mounter=self.mounter, cgroups=self.cgroups, prober=self.watcher, hooks=hooks,
            ender=Ender(self.runtime, self.told, hooks, self.clock), facts=self.facts, host_ips=("10.0.0.1",),
            allocatable=lambda: self.allocatable, resolver=lambda: Resolver(("9.9.9.9",)),
            cluster_dns=("10.96.0.10",), runtime_name=lambda: self.runtime_name,
            admission=self.admission, admitting=admitting, allocations=self.allocations or allocations,
            cpus=self.cpus, devices=self.devices,
            contributor=self.contributor, dynamic_resources=self.dynamic_resources,
            image_mounts=self.image_mounts, image_gc=self._image_gc(),
            counts=PodCounts(self.metrics), resize_counts=resize_counts,
        )  # fmt: skip

    def _image_gc(self) -> ImageGc:
        about = {"kind": "Node", "name": "n1"}
        return ImageGc(
            self.runtime, self.clock, self.image_policy, lambda: self.image_disk, partial(self.told.event, about)
        )

    def _worker(self, pod: Pod, others: Others) -> PodWorker:
        return PodWorker(pod, self.services, others, self._tasks)

    def counted(self, name: str, **labels: str) -> float:
        """What one of the metrics says; 0 where it says nothing yet."""
        return self.metrics.registry.get_sample_value(f"kubelet_{name}", labels) or 0.0

    def _store(self, raw: JsonObject) -> Pod:
        self._version += 1
        raw["metadata"] = {**raw["metadata"], "resourceVersion": str(self._version)}
        new, old = Pod(raw), self.pods.get(raw["metadata"]["name"])
        self.pods[new.metadata.name] = new
        self.workers.on_change(old, new)
        return new

    def add(self, manifest: JsonObject) -> None:
        self._store(manifest)

    def delete_pod(self, name: str, grace: int = 30) -> None:
        raw = self.pods[name].literal()
        raw["metadata"] |= {
            "deletionTimestamp": format_time(self.clock.now() + grace), "deletionGracePeriodSeconds": grace,
        }  # fmt: skip
        self._store(raw)

    def vanish(self, name: str) -> None:
        self.workers.on_change(self.pods.pop(name), None)

    async def patch_status(self, pod: Pod, patch: JsonObject) -> Pod:
        current = self.pods.get(pod.metadata.name)
        if current is None or current.metadata.uid != pod.metadata.uid:
            raise NotFound(f'pods "{pod.metadata.name}" not found')
        raw = apply_strategic_patch(current.literal(), {"status": patch}, _POD)
        self.phases.setdefault(pod.metadata.name, []).append(raw["status"]["phase"])
        return self._store(raw)

    async def delete(self, pod: Pod) -> None:
        self.vanish(pod.metadata.name)

    def state(self, name: str = "web", container: str = "app") -> JsonObject:
        """One container's status."""
        status = self.pods[name].status.raw
        every = [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
        unknown: JsonObject = {"state": {"waiting": {"reason": ""}}, "lastState": {}, "restartCount": 0, "ready": False}
        return next((one for one in every if one["name"] == container), unknown)

    def condition(self, kind: str, name: str = "web") -> str:
        return next(one.status for one in self.pods[name].status.conditions if one.type == kind)

    async def until(self, what: Callable[[], bool], seconds: float = 600) -> None:
        try:
            async with self.clock.timeout(seconds):
                while not what():
                    await self.clock.sleep(0.05)
        except TimeoutError:
            raise TimeoutError(f"not in {seconds} s; the last events: {self.told.events[-5:]}") from None


def run(root: Path, story: Callable[[FakeNode], Coroutine[Any, Any, None]]) -> None:
    """Tell a story of one node in virtual time."""

    async def main(clock: LoopClock, _chance: object) -> None:
        async with Tasks() as tasks:
            await story(FakeNode(root, clock, tasks))

    loop.run(main)
