"""The pod network of a node, put together: it waits for the node's podCIDR, makes the network, and says it is ready."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pilothouse.api.types.core_v1 import Node
from pilothouse.client.client import Client
from pilothouse.client.informer import Informers
from pilothouse.linux.iptables import IptablesError
from pilothouse.linux.netlink import LinkError
from pilothouse.linux.nftables import Nft, NftError
from pilothouse.network.node_network import Record, build, remove, write_cni
from pilothouse.network.plan import Made, Plan, Trace, plan
from pilothouse.runtime.backoff import Backoff, Growth
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log
from pilothouse.runtime.tasks import Tasks

__all__ = ["Made", "NetworkConfig", "Trace", "remove", "run"]

_LOG = Log(__name__)


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """How the pod network of a node is made."""

    node_name: str
    """The node whose podCIDR it is."""
    cluster: str
    """A short name for this cluster on this machine (10 letters at most); names the bridge and the rules."""
    cni_config: Path
    """The directory where the runtime looks for its CNI configuration."""
    data: Path
    """Where the addresses given to pods are kept, below the cluster's home."""
    record: Record
    """Told of everything outside the cluster's home before it is made."""
    cluster_cidr: str = "10.244.0.0/16"
    """Where the pods of all nodes are; what they send elsewhere leaves under the node's address."""
    service_cidr: str = "10.96.0.0/16"
    """Where services are: given a route where the node has none that leads anywhere."""
    dns_address: str = "10.96.0.10"
    """The cluster's DNS address, put on this node; empty: not."""
    mtu: int = 0
    """The bridge's and the pods' largest packet; 0: the kernel's choice."""
    nft: Nft = field(default_factory=Nft)
    """How nft is called."""


async def run(
    config: NetworkConfig, client: Client, clock: Clock, chance: Chance, ready: Callable[[], None] | None = None
) -> None:
    """Make the node's network once its podCIDR is known. It stays when we end: see `remove`."""
    async with Tasks() as tasks:
        informers = Informers(client, clock, tasks, chance)
        planned = plan(config.cluster, await _pod_cidr(informers, config.node_name), config.dns_address)
    backoff = Backoff(Growth(1.0, 30.0), chance)
    while not await _make(config, planned):
        await clock.sleep(backoff.next())
    if ready is not None:
        ready()
    await asyncio.Event().wait()


async def _make(config: NetworkConfig, planned: Plan) -> bool:
    try:
        await build(
            planned, cluster_cidr=config.cluster_cidr, service_cidr=config.service_cidr, mtu=config.mtu,
            record=config.record, nft=config.nft,
        )  # fmt: skip
        write_cni(planned, config.cni_config, config.data, config.mtu)
    except (LinkError, NftError, IptablesError) as error:
        _LOG.error("Failed to make the pod network", error=error)
        return False
    return True


async def _pod_cidr(informers: Informers, node: str) -> str:
    """The node's podCIDR, as soon as it has one. Once given it never changes."""
    loop = asyncio.get_running_loop()
    given: asyncio.Future[str] = loop.create_future()

    def look(_old: Node | None, new: Node | None) -> None:
        if new is not None and new.spec.podCIDR and not given.done():
            given.set_result(new.spec.podCIDR)

    informers.of(Node, fields=f"metadata.name={node}").on_change(look)
    return await given
