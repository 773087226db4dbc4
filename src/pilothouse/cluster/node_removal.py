"""Removal of a node: its pods through the runtime, the runtime, then links, rules, groups and mounts.

Pods are removed by a living containerd, which is started again if need be: it alone undoes all that it did for each
(network namespaces, addresses, shims). What remains afterwards is removed by the names the inventory gives.
"""

import asyncio

from pilothouse.cluster.home import Home
from pilothouse.cluster.inventory import Inventory
from pilothouse.cluster.node_places import cgroup_root, containerd_config
from pilothouse.cluster.step import Step
from pilothouse.kubelet.containerd import Containerd, RuntimeMissing
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.cri.interface import CriError
from pilothouse.linux.cgroups import Cgroups
from pilothouse.linux.mounts import Mounts
from pilothouse.network.main import remove
from pilothouse.proxy.main import cleanup
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log

_GRACE = 2.0
"""Seconds that containers get to end: the cluster goes down, nobody waits for their answers."""
_LOG = Log(__name__)


async def remove_node(home: Home, clock: Clock, step: Step) -> None:
    """Remove everything that this machine's node made."""
    inventory = Inventory(home.inventory)
    config = containerd_config(home)
    if config.state.exists():
        with step("pods"):
            containerd = Containerd(config, clock)
            await _remove_pods(containerd, str(config.socket), clock)
            await containerd.stop()
    with step("network"):
        await cleanup(home.cluster)
        await remove(inventory.traces())
    with step("groups and mounts"):
        Cgroups.detect().remove(cgroup_root(home))
        mounts = Mounts()
        for point in mounts.below(home.path):
            mounts.unmount(point)
        inventory.clear()


async def _remove_pods(containerd: Containerd, socket: str, clock: Clock) -> None:
    try:
        await containerd.start()
    except RuntimeMissing as error:
        _LOG.error("Failed to start containerd to remove pods", error=error)
        return
    async with CriClient(socket, clock) as cri:
        running = await cri.containers()
        await asyncio.gather(*(_stop(cri, each.id) for each in running))
        await asyncio.gather(*(_remove(cri, each.id) for each in await cri.sandboxes()))


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
