"""Node IPAM: gives each node a range of pod addresses, cut from the cluster's.

What is taken is what the nodes say, and what we have just written to one that does not say it yet. Ranges are given
out in turn, so that one given back rests before it is used again. Upstream: pkg/controller/nodeipam/ipam
(range_allocator.go, cidrset). API page: Node `spec.podCIDRs`.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from pilothouse.api.machinery.errors import NotFound
from pilothouse.api.machinery.view import View
from pilothouse.api.types.core_v1 import Node
from pilothouse.client.client import PatchForm
from pilothouse.client.key import Key
from pilothouse.reconcile.controller import EVENTS, Again, Controller, Tools, Watch, itself, rule
from pilothouse.runtime.log import Log

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
RETRY_SECONDS = 60.0
MOST_BITS = 16
"""A pool has at most 65,536 ranges, as upstream's."""

log = Log(__name__)


class Pool:
    """The ranges of one size within a network, and who holds them."""

    def __init__(self, network: Network, size: int) -> None:
        bits = size - network.prefixlen
        if not 0 <= bits <= MOST_BITS or size > network.max_prefixlen:
            raise ValueError(f"ranges of /{size} cannot be cut from {network}: at most {1 << MOST_BITS} fit")
        self.network = network
        self._size = size
        self._count = 1 << bits
        self._next = 0
        self._holders: dict[int, dict[str, None]] = {}

    def take(self, holder: str) -> Network | None:
        """The next free range; None where all are held."""
        for step in range(self._count):
            index = (self._next + step) % self._count
            if index not in self._holders:
                self._next = (index + 1) % self._count
                self._holders[index] = {holder: None}
                return self._range(index)
        return None

    def hold(self, network: Network, holder: str) -> None:
        """Note that somebody holds the ranges that overlap `network`."""
        for index in self._covered(network):
            self._holders.setdefault(index, {})[holder] = None

    def release(self, network: Network, holder: str) -> None:
        """Note that he holds them no more."""
        for index in self._covered(network):
            holders = self._holders.get(index, {})
            holders.pop(holder, None)
            if not holders:
                self._holders.pop(index, None)

    def _range(self, index: int) -> Network:
        step = 1 << (self.network.max_prefixlen - self._size)
        start = self.network.network_address + index * step
        return ipaddress.ip_network((start, self._size))

    def _covered(self, network: Network) -> range:
        if network.version != self.network.version or not network.overlaps(self.network):
            return range(0)
        base = int(self.network.network_address)
        shift = self.network.max_prefixlen - self._size
        first = (int(network.network_address) - base) >> shift
        last = (int(network.broadcast_address) - base) >> shift
        return range(max(0, first), min(self._count, last + 1))


@dataclass(frozen=True, slots=True)
class NodeRanges:
    """From what the nodes' ranges are cut: one network for each address family, and one that must stay free."""

    networks: tuple[str, ...] = ("10.244.0.0/16",)
    size_ipv4: int = 24
    size_ipv6: int = 64
    services: tuple[str, ...] = ()

    def pools(self) -> list[Pool]:
        """The pools, without the ranges of services. Raises ValueError for what is no network or too small."""
        found = [ipaddress.ip_network(text.strip()) for text in self.networks]
        pools = [Pool(network, self.size_ipv4 if network.version == 4 else self.size_ipv6) for network in found]
        for pool in pools:
            for text in self.services:
                pool.hold(ipaddress.ip_network(text), "services")
        return pools


def ranges_of(node: Node | None) -> tuple[str, ...]:
    """The pod ranges that a node has."""
    return tuple(node.spec.podCIDRs) if node is not None else ()


class NodeIpamController(Controller):
    """Gives ranges to nodes that have none, and never changes one."""

    name = "node-ipam-controller"
    identity = "node-controller"
    component = "cidrAllocator"
    watches = (Watch(Node, itself),)
    rules = (rule(("",), ("nodes",), ("get", "list", "watch", "patch")), EVENTS)
    workers = 1

    def __init__(self, tools: Tools, ranges: NodeRanges) -> None:
        super().__init__(tools)
        self._pools = ranges.pools()
        self._given: dict[str, tuple[str, ...]] = {}
        self._waiting: dict[Key, None] = {}

    def observe(self, old: View | None, new: View | None) -> None:
        """Keep count of what the nodes have."""
        before = ranges_of(old if isinstance(old, Node) else None)
        after = ranges_of(new if isinstance(new, Node) else None)
        name = (new or old or Node()).metadata.name
        if after != before or new is None:
            self._note(name, (*before, *self._given.pop(name, ())), held=False)
            self._note(name, after, held=True)
            for key in self._waiting:
                self.queue.add(key)

    async def reconcile(self, key: Key) -> Again | None:
        """Give the node its ranges, unless it has some."""
        self._waiting.pop(key, None)
        node = self.informers.of(Node).lister.get(key)
        if node is None or ranges_of(node):
            return None
        given = self._given.get(key.name) or self._take(key.name)
        if not given:
            self._waiting[key] = None
            reason = "CIDRNotAvailable"
            self.events.event(node, "Normal", reason, f"Node {key.name} status is now: {reason}")
            return Again(RETRY_SECONDS)
        self._given[key.name] = given
        patch = {"metadata": {"uid": node.metadata.uid}, "spec": {"podCIDR": given[0], "podCIDRs": [*given]}}
        try:
            await self.client.patch(Node, key.name, "", patch, form=PatchForm.STRATEGIC)
        except NotFound:
            return None
        log.info("Set node PodCIDR", node=key.name, podCIDRs=",".join(given))
        return None

    def _take(self, name: str) -> tuple[str, ...]:
        """A range of each pool, or nothing where one has none."""
        taken: list[str] = []
        for pool in self._pools:
            found = pool.take(name)
            if found is None:
                self._note(name, taken, held=False)
                return ()
            taken.append(str(found))
        return tuple(taken)

    def _note(self, name: str, ranges: Sequence[str], *, held: bool) -> None:
        for text in ranges:
            try:
                network = ipaddress.ip_network(text)
            except ValueError:
                log.warning("Node has a pod CIDR that is none", node=name, podCIDR=text)
                continue
            for pool in self._pools:
                (pool.hold if held else pool.release)(network, name)
