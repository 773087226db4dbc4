"""The kubelet's composition root: one node's pods, their statuses, and the node's own.

What things are made from is in `base`, how they are made in `wiring`; what lies where is in `layout`; who decides what
is in `lifecycle` (a pod) and `node_status` (the node). Upstream: cmd/kubelet.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from pilothouse.api.types.core_v1 import Service
from pilothouse.client.client import Client
from pilothouse.client.events import EventRecorder
from pilothouse.client.informer import Informers
from pilothouse.kubelet import wiring
from pilothouse.kubelet.api import ClientPods
from pilothouse.kubelet.base import Base
from pilothouse.kubelet.config import KubeletConfig
from pilothouse.kubelet.configuration.mapping import tell_of_vain
from pilothouse.kubelet.cri.interface import Cri
from pilothouse.kubelet.identity.node_certificates import NOT_RENEWED, NodeCertificates
from pilothouse.kubelet.identity.store import SERVER, CertificateStore
from pilothouse.kubelet.machine import Machine
from pilothouse.kubelet.managers.setting_up import with_reserved
from pilothouse.kubelet.object_cache import CachedObjects, ObjectCache
from pilothouse.kubelet.part import NodeContext, all_parts, begin
from pilothouse.kubelet.pod_sources import API, PodSources
from pilothouse.kubelet.pod_worker import PodWorker
from pilothouse.kubelet.pod_workers import PodWorkers
from pilothouse.kubelet.server.serving import ServingConfig, serving
from pilothouse.kubelet.static_pods.mirror import MirroredPods
from pilothouse.kubelet.status_writer import StatusWriter
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.metrics import Metrics
from pilothouse.runtime.tasks import Tasks


async def run(
    config: KubeletConfig, client: Client, cri: Cri, clock: Clock, chance: Chance,
    ready: Callable[[], None] | None = None, certified: NodeCertificates = NOT_RENEWED,
) -> None:  # fmt: skip
    """Be the kubelet of a node until cancelled; the containers run on. `ready` is called when the node is registered.

    Raises OSError when the port is taken, ValueError when more is reserved than there is.
    """
    tell_of_vain(config)
    config, machine = with_reserved(config), Machine.read()
    if why := wiring.excess_reserved(config, machine):
        raise ValueError(why)
    async with Tasks() as tasks:
        base = Base(
            config=config, machine=machine, client=client, cri=cri, clock=clock, chance=chance,
            tasks=tasks, recorder=EventRecorder(client, clock, tasks, "kubelet", config.node_name),
            informers=Informers(client, clock, tasks, chance), metrics=Metrics(), probe_metrics=Metrics(),
        )  # fmt: skip
        await _work(base, certified, ready or (lambda: None))


async def _work(base: Base, certified: NodeCertificates, ready: Callable[[], None]) -> None:
    """Begin everything, in the order that it needs."""
    pods, tasks = base.pods, base.tasks
    cache = ObjectCache(base.client, base.clock, base.chance, tasks)
    sources = PodSources(base.config.static_pods.sources)
    mirrored = MirroredPods(ClientPods(base.client), sources)
    outside = wiring.Outside(
        agent=wiring.node_agent(base), objects=CachedObjects(base.client, base.informers.of(Service).lister, cache),
        pods=mirrored, writer=StatusWriter(mirrored, base.clock, base.metrics), sources=sources,
    )  # fmt: skip
    agent = outside.agent
    wiring.count_calls(base)
    await agent.begin(tasks)
    node = wiring.node_services(base, outside, lambda: workers)
    workers = PodWorkers(lambda pod, others: PodWorker(pod, node, others, tasks), tasks)
    sources.feed(workers)
    cache.on_newer(workers.renew)
    agent.on_health(workers.poke_all)
    pleg, stats = wiring.start_pleg(base, workers, agent), wiring.node_stats(base, node, workers)
    door, certified = _door(base, certified)
    context = NodeContext(
        config=base.config, client=base.client, services=node, workers=workers, agent=agent, metrics=base.metrics,
        chance=base.chance, tasks=tasks, stats=stats, sources=sources, certificates=certified,
    )  # fmt: skip
    parts = all_parts()
    begin([part for part in parts if part.early], context)
    around = wiring.page_context(base, node, stats, workers, partial(wiring.known_pods, workers, outside.writer), pleg)
    async with serving(door, base.client, around, pleg.complaint):
        # Static pods run by now, whether there is an API server or not.
        await agent.start(tasks)
        await base.informers.synced()
        pods.on_change(cache.on_change)
        pods.on_change(sources.on_change)
        sources.seen(API)
        begin([part for part in parts if not part.early], context)
        ready()
        await asyncio.Event().wait()


def _door(base: Base, certified: NodeCertificates) -> tuple[ServingConfig, NodeCertificates]:
    """What callers meet, and where the certificates are that will be shown to them later."""
    config = base.config
    if config.certificates.server_tls_bootstrap and certified.serving is None:
        store = CertificateStore(config.root / "pki", SERVER, base.clock, config.serving)
        certified = replace(certified, serving=store)
    door = ServingConfig(
        config.node_name, config.serving, config.client_authority, config.host, config.port, certified.serving
    )
    return door, certified
