"""The kubelet's composition root: one node's pods, their statuses, and the node's own.

What lies where is in `layout`; who decides what is in `lifecycle` (a pod) and `node_status` (the node).
Upstream: cmd/kubelet.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from pilothouse.api.types.certificates_v1 import ClusterTrustBundle, PodCertificateRequest
from pilothouse.api.types.core_v1 import Node, Pod, Service
from pilothouse.client.client import Client
from pilothouse.client.events import EventRecorder
from pilothouse.client.informer import Informers, Lister
from pilothouse.kubelet import node_status
from pilothouse.kubelet.admission import NodeAdmission, NodeTraits
from pilothouse.kubelet.allocation_store import AllocationStore
from pilothouse.kubelet.api import ClientPods, Pods, Recorder
from pilothouse.kubelet.certificate_requests import InformedCertificateRequests
from pilothouse.kubelet.claimed_usage import ClaimedUsage
from pilothouse.kubelet.config import KubeletConfig
from pilothouse.kubelet.cri.interface import Cri
from pilothouse.kubelet.csi.drivers import CsiDrivers
from pilothouse.kubelet.devices.hand_out import Devices
from pilothouse.kubelet.hooks import Hooks
from pilothouse.kubelet.http_fetch import HttpFetch
from pilothouse.kubelet.identity.node_certificates import NOT_RENEWED, NodeCertificates
from pilothouse.kubelet.identity.store import SERVER, CertificateStore
from pilothouse.kubelet.images.image_gc import ImageGc
from pilothouse.kubelet.images.provider_config import read_providers
from pilothouse.kubelet.images.providers import CredentialProviders
from pilothouse.kubelet.images.pull import ImagePuller
from pilothouse.kubelet.images.pull_records import PullRecords
from pilothouse.kubelet.images.snapshots import ContainerdSnapshots
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.machine import Disk, Machine
from pilothouse.kubelet.managers.hand_out import Affinities
from pilothouse.kubelet.managers.setting_up import Given, set_up, with_reserved
from pilothouse.kubelet.names_and_dns import Resolver, parse_resolver
from pilothouse.kubelet.node_agent import NodeAgent
from pilothouse.kubelet.node_report import all_reports
from pilothouse.kubelet.node_services import NodeServices
from pilothouse.kubelet.node_status import NodeIdentity
from pilothouse.kubelet.object_cache import CachedObjects, ObjectCache
from pilothouse.kubelet.own_node import WatchedNode
from pilothouse.kubelet.part import NodeContext, all_parts, begin
from pilothouse.kubelet.pleg import Pleg
from pilothouse.kubelet.pod_certificates import PodCertificates
from pilothouse.kubelet.pod_end import Ender
from pilothouse.kubelet.pod_sources import API, PodSources
from pilothouse.kubelet.pod_volumes import Volumes
from pilothouse.kubelet.pod_worker import PodWorker
from pilothouse.kubelet.pod_workers import PodWorkers
from pilothouse.kubelet.probes.prober import Probes
from pilothouse.kubelet.reservations import excess
from pilothouse.kubelet.resources.node_cgroups import kubepods
from pilothouse.kubelet.resources.pod_cgroups import KernelPodCgroups
from pilothouse.kubelet.resources.swap import SwapFacts
from pilothouse.kubelet.runtime_config import NodeFacts
from pilothouse.kubelet.server.page import PageContext
from pilothouse.kubelet.server.serving import ServingConfig, serving
from pilothouse.kubelet.static_pods.mirror import MirroredPods
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
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.metrics import Metrics
from pilothouse.runtime.tasks import Tasks
from pilothouse.runtime.units import subclasses

_STARTED = "[ALPHA] Start time of the process since unix epoch in seconds."


async def run(
    config: KubeletConfig, client: Client, cri: Cri, clock: Clock, chance: Chance,
    ready: Callable[[], None] | None = None, certified: NodeCertificates = NOT_RENEWED,
) -> None:  # fmt: skip
    """Be the kubelet of a node until cancelled; the containers run on. `ready` is called when the node is registered.

    Raises OSError when the port is taken, ValueError when more is reserved than there is.
    """
    config, machine, metrics, probe_metrics = with_reserved(config), Machine.read(), Metrics(), Metrics()
    if why := _excess(config, machine):
        raise ValueError(why)
    async with Tasks() as tasks:
        recorder = EventRecorder(client, clock, tasks, "kubelet", config.node_name)
        informers = Informers(client, clock, tasks, chance)
        pods = informers.of(Pod, fields=f"spec.nodeName={config.node_name}")
        services = informers.of(Service)
        own = informers.of(Node, fields=f"metadata.name={config.node_name}")
        agent = _agent(config, machine, client, cri, recorder, clock, chance)
        await agent.begin(tasks)

        trust = TrustAnchors(InformedTrustBundles(partial(informers.of, ClusterTrustBundle), clock), chance)
        cache = ObjectCache(client, clock, chance, tasks)
        objects, sources = CachedObjects(client, services.lister, cache), PodSources(config.static_pods.sources)
        pods_api = MirroredPods(ClientPods(client), sources)
        writer = StatusWriter(pods_api, clock)
        prober = Probes(cri, clock, chance, recorder, HttpFetch(clock), tasks, (config.address,), probe_metrics)
        certificates = _certificates(config, client, informers, recorder, clock, chance)
        storage = _storage(config, client, own.lister, recorder, clock)
        devices, given = _given(config, clock, tasks, sources, lambda: workers, writer)
        node = _services(
            config, machine, objects, pods_api, cri, recorder, clock, agent, writer, prober, trust, certificates,
            storage, devices, given,
            _admission(config, machine, own.lister, client, cri, agent, recorder, clock, lambda: workers, given),
        )  # fmt: skip
        workers = PodWorkers(lambda pod, others: PodWorker(pod, node, others, tasks), tasks)
        sources.feed(workers)
        cache.on_newer(workers.renew)
        agent.on_health(workers.poke_all)
        pleg = _pleg(cri, clock, workers, agent, tasks)
        stats = _stats(config, node, workers, storage)
        parts = all_parts()
        door, certified = _door(config, certified, clock)
        context = NodeContext(
            config=config, client=client, services=node, workers=workers, agent=agent, metrics=metrics, chance=chance,
            tasks=tasks, stats=stats, sources=sources, certificates=certified,
        )  # fmt: skip
        begin([part for part in parts if part.early], context)
        known = partial(_known_pods, workers, writer)
        around = _around(config, machine, node, stats, known, metrics, probe_metrics)
        async with serving(door, client, around, pleg.complaint):
            # Static pods run by now, whether there is an API server or not.
            await agent.start(tasks)
            await informers.synced()
            pods.on_change(cache.on_change)
            pods.on_change(sources.on_change)
            sources.seen(API)
            begin([part for part in parts if not part.early], context)
            if ready is not None:
                ready()
            await asyncio.Event().wait()


def _door(config: KubeletConfig, certified: NodeCertificates, clock: Clock) -> tuple[ServingConfig, NodeCertificates]:
    """What callers meet, and where the certificates are that will be shown to them later."""
    if config.certificates.server_tls_bootstrap and certified.serving is None:
        certified = replace(certified, serving=CertificateStore(config.root / "pki", SERVER, clock, config.serving))
    door = ServingConfig(
        config.node_name, config.serving, config.client_authority, config.host, config.port, certified.serving
    )
    return door, certified


def _given(
    config: KubeletConfig, clock: Clock, tasks: Tasks, sources: PodSources, workers: Callable[[], PodWorkers],
    writer: StatusWriter,
) -> tuple[Devices, Given]:  # fmt: skip
    """What is handed out to pods that are not over: by plugins, and with the machine's processors."""

    def active() -> set[str] | None:
        if not sources.is_complete:
            return None
        return {pod.metadata.uid for pod in _known_pods(workers(), writer) if not _is_over(pod)}

    affinities = Affinities()
    devices = Devices(config.root / "device-plugins", clock, tasks, active, affinities.near)
    return devices, set_up(config, devices, active, affinities)


def _is_over(pod: Pod) -> bool:
    return pod.status.phase in ("Succeeded", "Failed")


def _excess(config: KubeletConfig, machine: Machine) -> str:
    """Why so much cannot be reserved."""
    disk = Disk.of(config.root)
    capacity = node_status.capacity(machine, disk, config.max_pods)
    return excess(capacity, node_status.reserved(machine, disk, config.eviction, config.reservations))


def _pleg(cri: Cri, clock: Clock, workers: PodWorkers, agent: NodeAgent, tasks: Tasks) -> Pleg:
    """Has workers hear of what changes in the runtime."""
    pleg = Pleg(cri, clock, workers.poke)
    agent.heed(pleg.unhealthy)
    tasks.spawn(pleg.run(), name="pleg")
    tasks.spawn(pleg.listen(), name="container events")
    return pleg


def _known_pods(workers: PodWorkers, writer: StatusWriter) -> list[Pod]:
    """The pods at work as they were last told of."""
    return [writer.newest(pod) for pod in workers.pods().values()]


def _certificates(
    config: KubeletConfig, client: Client, informers: Informers, recorder: Recorder, clock: Clock, chance: Chance
) -> PodCertificates:
    watched = partial(informers.of, PodCertificateRequest, fields=f"spec.nodeName={config.node_name}")
    asked = InformedCertificateRequests(client, watched, config.node_name, clock)
    return PodCertificates(asked, recorder, clock, chance)


def _storage(config: KubeletConfig, client: Client, own: Lister[Node], recorder: Recorder, clock: Clock) -> Storage:
    return Storage(
        node_name=config.node_name, objects=ClientStorage(client, config.node_name, own, clock),
        disks=DiskMounts(clock), recorder=recorder, users=VolumeUsers(Layout(config.root, config.logs)),
        drivers=CsiDrivers(clock),
    )  # fmt: skip


def _stats(config: KubeletConfig, node: NodeServices, workers: PodWorkers, storage: Storage) -> Stats:
    stats = Stats(
        node.cri, node.clock, lambda: workers.pods().values(), node.facts.layout, node.cgroups, node.hierarchies,
        kubepods(config.cgroup_root),
    )  # fmt: skip
    stats.volumes.others = ClaimedUsage(storage, node.facts.layout).of
    return stats


def _around(
    config: KubeletConfig, machine: Machine, node: NodeServices, stats: Stats, pods: Callable[[], list[Pod]],
    metrics: Metrics, probe_metrics: Metrics,
) -> PageContext:  # fmt: skip
    """What the pages of the kubelet's API are made from."""
    started = node.clock.now()
    probe_metrics.gauge("process_start_time_seconds", _STARTED).set(started)
    return PageContext(
        pods=pods, cri=node.cri, clock=node.clock, config=config, machine=machine, stats=stats, metrics=metrics,
        probe_metrics=probe_metrics, started=started,
    )  # fmt: skip


def _agent(
    config: KubeletConfig, machine: Machine, client: Client, cri: Cri, recorder: Recorder, clock: Clock, chance: Chance
) -> NodeAgent:
    identity = NodeIdentity(
        name=config.node_name, address=config.address, kubelet_port=config.port, labels=config.node_labels,
        max_pods=config.max_pods,
    )  # fmt: skip

    return NodeAgent(
        identity, machine, config.eviction, lambda: Disk.of(config.root), client, cri, recorder, clock, chance,
        all_reports(), config.reservations,
    )  # fmt: skip


def _admission(
    config: KubeletConfig, machine: Machine, own: Lister[Node], client: Client, cri: Cri, agent: NodeAgent,
    recorder: Recorder, clock: Clock, workers: Callable[[], PodWorkers], given: Given,
) -> NodeAdmission:  # fmt: skip
    node = WatchedNode(config.node_name, own, client, lambda: agent.presumed)
    sysctls = AllowedSysctls.of(config.security.allowed_unsafe_sysctls, machine.kernel)
    traits = NodeTraits(sysctls=sysctls, app_armor=app_armor_enabled())
    return NodeAdmission(
        node, cri, workers, recorder, clock, traits, pressure=lambda: agent.pressure, handout=given.handout
    )


def _puller(config: KubeletConfig, cri: Cri, objects: CachedObjects, recorder: Recorder, clock: Clock) -> ImagePuller:
    policy, providers = config.image_policy, _providers(config, objects, clock)
    return ImagePuller(cri, objects, recorder, clock, policy, providers, PullRecords(config.root, policy, clock))


def _providers(config: KubeletConfig, objects: CachedObjects, clock: Clock) -> CredentialProviders | None:
    """Programs that give credentials for images. Raises ValueError, OSError when they are not as they should be."""
    policy = config.image_policy
    if policy.provider_config is None or policy.provider_programs is None:
        return None
    found = read_providers(policy.provider_config, policy.provider_programs)
    return CredentialProviders(found, objects.service_account, objects.token, clock)


def _image_gc(config: KubeletConfig, cri: Cri, recorder: Recorder, clock: Clock) -> ImageGc:
    node = {"kind": "Node", "name": config.node_name, "uid": config.node_name}
    return ImageGc(cri, clock, config.image_policy, lambda: Disk.of(config.images), partial(recorder.event, node))


def _facts(config: KubeletConfig, machine: Machine, layout: Layout, cgroups: Cgroups) -> NodeFacts:
    users = IdPool.of(config.security.ids_per_pod, config.max_pods, subordinate_ids("kubelet"))
    swap = SwapFacts(
        policy=config.swap, counted=cgroups.counts_swap(), v2=cgroups.v2, total=machine.swap, memory=machine.memory
    )
    return NodeFacts.of(
        machine, layout, config.cluster_domain, cgroup_v2=cgroups.v2, policy=config.security, users=users, swap=swap
    )


def _allocations(
    layout: Layout, agent: NodeAgent, recorder: Recorder, clock: Clock, facts: NodeFacts, given: Given,
    admission: NodeAdmission, admitting: asyncio.Lock,
) -> StoredAllocations:  # fmt: skip
    return StoredAllocations(
        store=AllocationStore(layout), admission=admission, allocatable=lambda: agent.allocatable, recorder=recorder,
        clock=clock, admitting=admitting, swap=facts.swap, own_cpus=given.cpus is not None,
    )  # fmt: skip


def _services(
    config: KubeletConfig, machine: Machine, objects: CachedObjects, pods: Pods, cri: Cri, recorder: Recorder,
    clock: Clock, agent: NodeAgent, writer: StatusWriter, prober: Probes, trust: TrustAnchors,
    certificates: PodCertificates, storage: Storage, devices: Devices, given: Given, admission: NodeAdmission,
) -> NodeServices:  # fmt: skip
    """What the workers of all pods use."""
    mounts, cgroups, admitting = Mounts(), Cgroups.detect(), asyncio.Lock()
    layout = Layout(config.root, config.logs)
    facts = _facts(config, machine, layout, cgroups)
    image_mounts = ContainerdSnapshots(config.snapshots, clock) if config.snapshots else None
    hooks = Hooks(cri, HttpFetch(clock, "lifecycle"), clock)
    types = subclasses(VolumeType, f"{__package__}.volumes")  # type: ignore[type-abstract]
    volumes = Volumes(
        types, layout, objects, mounts, clock, trust=trust, certificates=certificates, recorder=recorder,
        boot_id=machine.boot_id, storage=storage, image_mounts=image_mounts,
    )  # fmt: skip

    def resolver() -> Resolver:
        return parse_resolver(config.resolver.read_text()) if config.resolver.exists() else Resolver()

    return NodeServices(
        cri=cri,
        clock=clock,
        pods=pods,
        objects=objects,
        recorder=recorder,
        writer=writer,
        images=_puller(config, cri, objects, recorder, clock),
        image_gc=_image_gc(config, cri, recorder, clock),
        volumes=volumes,
        storage=storage,
        image_mounts=image_mounts,
        mounter=mounts,
        cgroups=KernelPodCgroups(cgroups, config.cgroup_root, config.pod_pids_limit, sorted(machine.hugepages)),
        hierarchies=cgroups,
        prober=prober,
        hooks=hooks,
        ender=Ender(cri, recorder, hooks, clock),
        facts=facts,
        host_ips=(config.address,),
        allocatable=lambda: agent.allocatable,
        resolver=resolver,
        cluster_dns=config.cluster_dns,
        runtime_name=lambda: agent.runtime_name,
        admission=admission,
        admitting=admitting,
        allocations=_allocations(layout, agent, recorder, clock, facts, given, admission, admitting),
        contributor=given.contributor,
        cpus=given.cpus,
        devices=devices,
        network_problem=lambda: ", ".join(agent.problems),
    )
