"""Removal of a node: its pods through the runtime, the runtime, then links, rules, groups and mounts.

Pods are removed by a living containerd, which is started again if need be: it alone undoes all that it did for each
(network namespaces, addresses, shims). A runtime of somebody else's is asked to do the same, as far as it runs, for
pods that have a directory here; what else it holds is none of ours, be it a kubelet's. What remains afterwards is
removed by the names the inventory gives.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping

from pilothouse.cluster.home import Home
from pilothouse.cluster.inventory import Inventory
from pilothouse.cluster.node_places import cgroup_root, containerd_as_started, pods_here
from pilothouse.cluster.settings import Settings
from pilothouse.cluster.step import Step
from pilothouse.kubelet.containerd import Containerd, RuntimeMissing
from pilothouse.kubelet.cri.access import socket_of
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.cri.interface import CriError
from pilothouse.kubelet.runtime_config import POD_UID
from pilothouse.linux.cgroups import Cgroups
from pilothouse.linux.mounts import Mounts
from pilothouse.network.main import remove
from pilothouse.proxy.main import cleanup
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log

_GRACE = 2.0
"""Seconds that containers get to end: the cluster goes down, nobody waits for their answers."""
_LOG = Log(__name__)


async def remove_node(home: Home, settings: Settings, clock: Clock, step: Step) -> None:
    """Remove everything that this machine's node made."""
    inventory = Inventory(home.inventory)
    config = containerd_as_started(home, settings)
    containerd = Containerd(config, clock)
    if config.state.exists() and (containerd.noted or not settings.runtime_endpoint):
        with step("pods"):
            if await _is_up(containerd):
                await _remove_pods(str(config.socket), clock, lambda _: True)
            await containerd.stop()
    if settings.runtime_endpoint:
        with step("pods"):
            await remove_foreign_pods(settings.runtime_endpoint, pods_here(home), clock)
    with step("network"):
        await cleanup(home.cluster)
        await remove(inventory.traces())
    with step("groups and mounts"):
        Cgroups.detect().remove(cgroup_root(home))
        mounts = Mounts()
        for point in mounts.below(home.path):
            mounts.unmount(point)
        inventory.clear()


async def _is_up(containerd: Containerd) -> bool:
    try:
        await containerd.start()
    except RuntimeMissing as error:
        _LOG.error("Failed to start containerd to remove pods", error=error)
        return False
    return True


async def remove_foreign_pods(endpoint: str, uids: Collection[str], clock: Clock) -> None:
    """Remove these pods from a runtime that somebody else runs."""
    try:
        await _remove_pods(socket_of(endpoint), clock, lambda labels: labels.get(POD_UID) in uids)
    except CriError as error:
        _LOG.error("The container runtime does not answer: its pods stay", error=error, endpoint=endpoint)


async def _remove_pods(socket: str, clock: Clock, ours: Callable[[Mapping[str, str]], bool]) -> None:
    async with CriClient(socket, clock) as cri:
        running = [each for each in await cri.containers() if ours(each.labels)]
        await asyncio.gather(*(_stop(cri, each.id) for each in running))
        sandboxes = [each for each in await cri.sandboxes() if ours(each.labels)]
        await asyncio.gather(*(_remove(cri, each.id) for each in sandboxes))


async def _stop(cri: CriClient, container: str) -> None:
    try:
        await cri.stop_container(container, _GRACE)
    except CriError as error:
        _LOG.error("Failed to stop a container", error=error, container=container)


async def _remove(cri: CriClient, sandbox: str) -> None:
    try:
        await cri.stop_sandbox(sandbox)
        await cri.remove_sandbox(sandbox)
    except CriError as error:
        _LOG.error("Failed to remove a pod", error=error, sandbox=sandbox)
