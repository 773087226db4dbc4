"""Ends pods before the node runs out of something."""

import asyncio
from collections.abc import Awaitable, Callable

from pilothouse.kubelet.counts.eviction_counts import EvictionCounts
from pilothouse.kubelet.eviction.evictor import Evictor, Surroundings
from pilothouse.kubelet.eviction.levels import Gauges
from pilothouse.kubelet.eviction.notices import Notices
from pilothouse.kubelet.eviction.reclaimer import all_reclaimers
from pilothouse.kubelet.eviction.signals import Levels
from pilothouse.kubelet.machine import Machine
from pilothouse.kubelet.part import NodeContext, Part
from pilothouse.kubelet.resources.node_cgroups import kubepods, pods_limits


class Eviction(Part):
    """For as long as there is something to watch."""

    name = "eviction"
    early = True  # a disk fills whether there is an API server or not, and what nobody uses may go

    async def run(self, node: NodeContext) -> None:
        """Look every ten seconds."""
        policy = node.config.eviction
        thresholds = policy.thresholds(node.config.reservations)
        if not thresholds and not policy.local_storage:
            return
        gauges = await asyncio.to_thread(gauges_of, node)

        async def levels() -> Levels:
            return await asyncio.to_thread(gauges.read)

        evictor = Evictor(policy, thresholds, surroundings(node, levels, images_apart=gauges.images_apart))
        place = gauges.cgroups.controllers.get("memory")
        if not policy.kernel_notification or place is None:
            await evictor.run()
            return
        pods = place / gauges.kubepods.lstrip("/")
        with Notices(thresholds, place, pods, evictor.alarm.set) as notices:
            evictor.on_levels = notices.renew
            await evictor.run()


def gauges_of(node: NodeContext) -> Gauges:
    """Where this node looks. For threads."""
    config, machine = node.config, Machine.read()
    return Gauges(
        cgroups=node.services.hierarchies, memory=machine.memory, kubepods=kubepods(config.cgroup_root),
        pods_memory=pods_limits(machine, 0, config.reservations).memory or 0, disk=config.root, images=config.images,
    )  # fmt: skip


def surroundings(node: NodeContext, levels: Callable[[], Awaitable[Levels]], *, images_apart: bool) -> Surroundings:
    """What the evictor of this node works with."""
    services = node.services
    return Surroundings(
        node=node.workers, figures=node.stats, levels=levels, recorder=services.recorder, clock=services.clock,
        press=node.agent.press, reclaimers=all_reclaimers(services, node.workers),
        counts=EvictionCounts(node.metrics),
        name=node.config.node_name, images_apart=images_apart,
    )  # fmt: skip
