"""How the kubelet's services are made from the base, each in one place. `main` puts them to work."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from pilothouse.api.machinery.quantity import Quantity
from pilothouse.api.types.certificates_v1 import ClusterTrustBundle, PodCertificateRequest
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet import node_status
from pilothouse.kubelet.admission import NodeAdmission, NodeTraits
from pilothouse.kubelet.allocation_store import AllocationStore
from pilothouse.kubelet.api import Pods
from pilothouse.kubelet.base import Base
from pilothouse.kubelet.certificate_requests import InformedCertificateRequests
from pilothouse.kubelet.claimed_usage import ClaimedUsage
from pilothouse.kubelet.config import KubeletConfig
from pilothouse.kubelet.counts.admission_counts import AdmissionCounts
from pilothouse.kubelet.counts.counted_handout import CountedHandout
from pilothouse.kubelet.counts.hook_counts import HookCounts
from pilothouse.kubelet.counts.image_counts import ImageCounts
from pilothouse.kubelet.counts.pleg_counts import PlegCounts
from pilothouse.kubelet.counts.pod_counts import PodCounts
from pilothouse.kubelet.counts.provider_counts import ProviderCounts
from pilothouse.kubelet.counts.resize_counts import ResizeCounts
from pilothouse.kubelet.counts.runtime_calls import RuntimeCalls
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.csi.drivers import CsiDrivers
from pilothouse.kubelet.devices.hand_out import Devices
from pilothouse.kubelet.dra.client_claims import ClientClaims
from pilothouse.kubelet.dra.contribution import WithClaimed
from pilothouse.kubelet.dra.dynamic_resources import DynamicResources
from pilothouse.kubelet.hooks import Hooks
from pilothouse.kubelet.http_fetch import HttpFetch
from pilothouse.kubelet.images.image_gc import ImageGc
from pilothouse.kubelet.images.provider_config import read_providers
from pilothouse.kubelet.images.providers import CredentialProviders
from pilothouse.kubelet.images.pull import ImagePuller
from pilothouse.kubelet.images.pull_records import PullRecords
from pilothouse.kubelet.images.snapshots import ContainerdSnapshots
from pilothouse.kubelet.machine import Disk, Machine
from pilothouse.kubelet.managers.hand_out import Affinities
from pilothouse.kubelet.managers.setting_up import Given, set_up
from pilothouse.kubelet.names_and_dns import Resolver, parse_resolver
from pilothouse.kubelet.node_agent import NodeAgent
from pilothouse.kubelet.node_report import all_reports
from pilothouse.kubelet.node_services import NodeServices
from pilothouse.kubelet.node_status import NodeIdentity
from pilothouse.kubelet.object_cache import CachedObjects
from pilothouse.kubelet.own_node import WatchedNode
from pilothouse.kubelet.pleg import Pleg
from pilothouse.kubelet.pod_certificates import PodCertificates
from pilothouse.kubelet.pod_end import Ender
from pilothouse.kubelet.pod_sources import PodSources
from pilothouse.kubelet.pod_volumes import Volumes
from pilothouse.kubelet.pod_workers import PodWorkers
from pilothouse.kubelet.probes.prober import Probes
from pilothouse.kubelet.reservations import excess
from pilothouse.kubelet.resources.counted_cgroups import CountedPodCgroups
from pilothouse.kubelet.resources.node_cgroups import kubepods
from pilothouse.kubelet.resources.pod_cgroups import KernelPodCgroups
from pilothouse.kubelet.resources.swap import SwapFacts
from pilothouse.kubelet.runtime_config import NodeFacts
from pilothouse.kubelet.server.node_metrics import NodeMetrics
from pilothouse.kubelet.server.page import PageContext
from pilothouse.kubelet.stats import Stats
from pilothouse.kubelet.status_writer import StatusWriter
from pilothouse.kubelet.storage import ClientStorage, Storage
from pilothouse.kubelet.stored_allocations import StoredAllocations
from pilothouse.kubelet.sysctls import AllowedSysctls
from pilothouse.kubelet.trust_anchors import InformedTrustBundles, TrustAnchors
from pilothouse.kubelet.userns import IdPool
from pilothouse.kubelet.volume import VolumeType
from pilothouse.kubelet.volume_users import VolumeUsers
from pilothouse.linux.app_armor import app_armor_enabled
from pilothouse.linux.cgroups import Cgroups
from pilothouse.linux.disk_mounts import DiskMounts
from pilothouse.linux.mounts import Mounts
from pilothouse.linux.subordinate_ids import subordinate_ids
from pilothouse.runtime.units import subclasses

_STARTED = "[ALPHA] Start time of the process since unix epoch in seconds."
Workers = Callable[[], PodWorkers]
"""The pods' workers, which are made from what needs to know of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What a node says to others and hears of them."""

    agent: NodeAgent
    objects: CachedObjects
    pods: Pods
    writer: StatusWriter
    sources: PodSources


def excess_reserved(config: KubeletConfig, machine: Machine) -> str:
    """Why so much cannot be reserved; empty when it can."""
    disk = Disk.of(config.root)
    capacity = node_status.capacity(machine, disk, config.max_pods)
    return excess(capacity, node_status.reserved(machine, disk, config.eviction, config.reservations))


def node_agent(base: Base) -> NodeAgent:
    """Speaks for the node."""
    config = base.config
    identity = NodeIdentity(
        name=config.node_name, address=config.address, kubelet_port=config.port, labels=config.node_labels,
        max_pods=config.max_pods, taints=config.register_with_taints, reporting=config.reporting,
    )  # fmt: skip
    return NodeAgent(
        identity, base.machine, config.eviction, lambda: Disk.of(config.root), base.client, base.cri, base.recorder,
        base.clock, base.chance, all_reports(), config.reservations,
    )  # fmt: skip


def start_pleg(base: Base, workers: PodWorkers, agent: NodeAgent) -> Pleg:
    """Has workers hear of what changes in the runtime."""
    pleg = Pleg(base.cri, base.clock, workers.poke, PlegCounts(base.metrics))
    agent.heed(pleg.unhealthy)
    base.tasks.spawn(pleg.run(), name="pleg")
    base.tasks.spawn(pleg.listen(), name="container events")
    return pleg


def known_pods(workers: PodWorkers, writer: StatusWriter) -> list[Pod]:
    """The pods at work as they were last told of."""
    return [writer.newest(pod) for pod in workers.pods().values()]


def node_stats(base: Base, node: NodeServices, workers: PodWorkers) -> Stats:
    """Measures what pods and the node use."""
    stats = Stats(
        node.cri, node.clock, lambda: workers.pods().values(), node.facts.layout, node.cgroups, node.hierarchies,
        kubepods(base.config.cgroup_root),
    )  # fmt: skip
    if node.storage is not None:
        stats.volumes.others = ClaimedUsage(node.storage, node.facts.layout).of
    return stats


def count_calls(base: Base) -> None:
    """Have calls of the runtime counted, where they are real ones."""
    if isinstance(base.cri, CriClient):
        base.cri.count_by(RuntimeCalls(base.metrics).observe)


def page_context(
    base: Base, node: NodeServices, stats: Stats, workers: PodWorkers, pods: Callable[[], list[Pod]], pleg: Pleg
) -> PageContext:
    """What the pages of the kubelet's API are made from."""
    started = node.clock.now()
    told = NodeMetrics(
        node_name=base.config.node_name, cgroup_version=2 if node.hierarchies.v2 else 1, pods=workers.at_work,
        picture=lambda: pleg.picture, resize_state=node.allocations.resize_state,
        images_removed=lambda: node.image_gc.removed, cpus=node.cpus, memory=node.memory,
    )  # fmt: skip
    base.probe_metrics.gauge("process_start_time_seconds", _STARTED).set(started)
    return PageContext(
        pods=pods, cri=node.cri, clock=node.clock, config=base.config, machine=base.machine, stats=stats,
        metrics=base.metrics, probe_metrics=base.probe_metrics, told=told.families, started=started,
    )  # fmt: skip


def node_services(base: Base, outside: Outside, workers: Workers) -> NodeServices:
    """What the workers of all pods use. Raises ValueError, OSError when the configuration does not fit the machine."""
    config, agent, cgroups = base.config, outside.agent, Cgroups.detect()
    admitting = asyncio.Lock()
    facts = _facts(base, cgroups)
    devices, given = _given(base, outside, workers)
    dynamic = DynamicResources(config.root, ClientClaims(base.client), base.clock, base.tasks)
    admission = _admission(base, agent, workers, given)
    storage = _storage(base)
    image_mounts = ContainerdSnapshots(config.snapshots, base.clock) if config.snapshots else None
    hooks = Hooks(base.cri, HttpFetch(base.clock, "lifecycle"), base.clock, HookCounts(base.metrics))
    volumes = _volumes(base, outside.objects, storage, image_mounts)
    resizes = ResizeCounts(base.metrics)
    allocations = StoredAllocations(
        store=AllocationStore(base.layout), admission=admission, allocatable=lambda: agent.allocatable,
        recorder=base.recorder, clock=base.clock, admitting=admitting, swap=facts.swap,
        own_cpus=given.cpus is not None, own_memory=given.memory is not None, counts=resizes,
    )  # fmt: skip

    def resolver() -> Resolver:
        return parse_resolver(config.resolver.read_text()) if config.resolver.exists() else Resolver()

    return NodeServices(
        cri=base.cri,
        clock=base.clock,
        pods=outside.pods,
        objects=outside.objects,
        recorder=base.recorder,
        writer=outside.writer,
        images=_puller(base, outside.objects),
        image_gc=_image_gc(base),
        volumes=volumes,
        storage=storage,
        image_mounts=image_mounts,
        mounter=Mounts(),
        cgroups=_pod_cgroups(base, cgroups, given),
        hierarchies=cgroups,
        prober=_prober(base),
        hooks=hooks,
        ender=Ender(base.cri, base.recorder, hooks, base.clock),
        facts=facts,
        host_ips=(config.address,),
        allocatable=lambda: agent.allocatable,
        resolver=resolver,
        cluster_dns=config.cluster_dns,
        runtime_name=lambda: agent.runtime_name,
        admission=admission,
        admitting=admitting,
        allocations=allocations,
        contributor=WithClaimed(dynamic, given.contributor),
        cpus=given.cpus,
        memory=given.memory,
        devices=devices,
        dynamic_resources=dynamic,
        counts=PodCounts(base.metrics),
        resize_counts=resizes,
        network_problem=lambda: ", ".join(agent.problems),
    )


def _volumes(
    base: Base, objects: CachedObjects, storage: Storage, image_mounts: ContainerdSnapshots | None
) -> Volumes:  # fmt: skip
    return Volumes(
        subclasses(VolumeType, f"{__package__}.volumes"),  # type: ignore[type-abstract]
        base.layout, objects, Mounts(), base.clock, trust=_trust(base), certificates=_certificates(base),
        recorder=base.recorder, boot_id=base.machine.boot_id, storage=storage, image_mounts=image_mounts,
    )  # fmt: skip


def _pod_cgroups(base: Base, cgroups: Cgroups, given: Given) -> KernelPodCgroups:
    config, cpus = base.config, given.cpus
    groups = CountedPodCgroups(
        cgroups, config.cgroup_root, config.pod_pids_limit, sorted(base.machine.hugepages), base.metrics, base.clock
    )
    groups.unthrottled = lambda uid: cpus is not None and bool(cpus.unthrottled(uid))
    return groups


def _facts(base: Base, cgroups: Cgroups) -> NodeFacts:
    config, machine = base.config, base.machine
    users = IdPool.of(config.security.ids_per_pod, config.max_pods, subordinate_ids("kubelet"))
    swap = SwapFacts(
        policy=config.swap, counted=cgroups.counts_swap(), v2=cgroups.v2, total=machine.swap, memory=machine.memory
    )
    return NodeFacts.of(
        machine, base.layout, config.cluster_domain, cgroup_v2=cgroups.v2, policy=config.security, users=users,
        swap=swap,
    )  # fmt: skip


def _given(base: Base, outside: Outside, workers: Workers) -> tuple[Devices, Given]:
    """What is handed out to pods that are not over: by plugins, and with the machine's processors and memory."""

    def active() -> set[str] | None:
        if not outside.sources.is_complete:
            return None
        return {pod.metadata.uid for pod in known_pods(workers(), outside.writer) if not _is_over(pod)}

    affinities = Affinities()
    devices = Devices(base.config.root / "device-plugins", base.clock, base.tasks, active, affinities.near)
    config = base.config

    def kept() -> Mapping[str, Quantity]:
        return node_status.reserved(base.machine, Disk.of(config.root), config.eviction, config.reservations)

    return devices, set_up(config, devices, active, affinities, kept=kept)


def _is_over(pod: Pod) -> bool:
    return pod.status.phase in ("Succeeded", "Failed")


def _admission(base: Base, agent: NodeAgent, workers: Workers, given: Given) -> NodeAdmission:
    node = WatchedNode(base.config.node_name, base.own.lister, base.client, lambda: agent.presumed)
    sysctls = AllowedSysctls.of(base.config.security.allowed_unsafe_sysctls, base.machine.kernel)
    traits = NodeTraits(sysctls=sysctls, app_armor=app_armor_enabled())
    return NodeAdmission(
        node, base.cri, workers, base.recorder, base.clock, traits, pressure=lambda: agent.pressure,
        handout=CountedHandout(given.handout, base.metrics, base.clock), counts=AdmissionCounts(base.metrics),
        shutting_down=lambda: agent.shutting_down,
    )  # fmt: skip


def _prober(base: Base) -> Probes:
    return Probes(
        base.cri, base.clock, base.chance, base.recorder, HttpFetch(base.clock), base.tasks, (base.config.address,),
        base.probe_metrics,
    )  # fmt: skip


def _storage(base: Base) -> Storage:
    name = base.config.node_name
    return Storage(
        node_name=name, objects=ClientStorage(base.client, name, base.own.lister, base.clock),
        disks=DiskMounts(base.clock), recorder=base.recorder, users=VolumeUsers(base.layout),
        drivers=CsiDrivers(base.clock),
    )  # fmt: skip


def _trust(base: Base) -> TrustAnchors:
    watched = partial(base.informers.of, ClusterTrustBundle)
    return TrustAnchors(InformedTrustBundles(watched, base.clock), base.chance)


def _certificates(base: Base) -> PodCertificates:
    name = base.config.node_name
    watched = partial(base.informers.of, PodCertificateRequest, fields=f"spec.nodeName={name}")
    asked = InformedCertificateRequests(base.client, watched, name, base.clock)
    return PodCertificates(asked, base.recorder, base.clock, base.chance)


def _puller(base: Base, objects: CachedObjects) -> ImagePuller:
    policy, providers = base.config.image_policy, _providers(base, objects)
    records = PullRecords(base.config.root, policy, base.clock)
    return ImagePuller(
        base.cri, objects, base.recorder, base.clock, policy, providers, records,
        ImageCounts(base.metrics),
    )  # fmt: skip


def _providers(base: Base, objects: CachedObjects) -> CredentialProviders | None:
    """Programs that give credentials for images."""
    policy = base.config.image_policy
    if policy.provider_config is None or policy.provider_programs is None:
        return None
    found = read_providers(policy.provider_config, policy.provider_programs)
    return CredentialProviders(found, objects.service_account, objects.token, base.clock, ProviderCounts(base.metrics))


def _image_gc(base: Base) -> ImageGc:
    config = base.config
    node = {"kind": "Node", "name": config.node_name, "uid": config.node_name}
    told = partial(base.recorder.event, node)
    return ImageGc(base.cri, base.clock, config.image_policy, lambda: Disk.of(config.images), told)
