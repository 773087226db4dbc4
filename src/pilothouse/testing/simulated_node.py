"""Simulated nodes: kubelets without machines, for tests and for clusters that are larger than their machine.

Each registers a Node, renews its lease and reports; pods bound to it live and end as `simulated_pod` says. All nodes
of a process share one informer of pods. A node can be made to fall silent and to come back. Upstream: kubemark;
API page: Nodes.
"""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from pilothouse.api.machinery.errors import AlreadyExists, Conflict, NotFound, StatusError
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Node, Pod
from pilothouse.client.client import Client, PatchForm
from pilothouse.client.informer import Informers
from pilothouse.client.key import Key
from pilothouse.kubelet import node_lease, node_status
from pilothouse.runtime.backoff import Backoff, Growth
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, Instant
from pilothouse.runtime.log import Log
from pilothouse.runtime.tasks import Tasks
from pilothouse.runtime.work_queue import WorkQueue
from pilothouse.testing.simulated_pod import Pace, Place, Stage, plan, restarts, stage

_BOUND = "spec.nodeName!="

log = Log(__name__)


@dataclass(frozen=True, kw_only=True)
class SimulatedNodesConfig:
    """What nodes there are."""

    count: int = 1
    """How many."""
    prefix: str = "node-"
    """Their names are this and a number from 0."""
    capacity: Mapping[str, str] = field(
        default_factory=lambda: {"cpu": "8", "memory": "32Gi", "ephemeral-storage": "100Gi", "pods": "110"}
    )
    """What each has."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels of each, besides those that kubelets set."""
    zones: tuple[str, ...] = ()
    """The zones that they are spread over in turn; none leaves them without."""
    addresses: str = "172.20.0.0/16"
    """Where the nodes' own addresses come from."""
    fallback_pods: str = "10.250.0.0/16"
    """Where pods' addresses come from on nodes that nobody gave a range."""
    pace: Pace = field(default_factory=Pace)
    """How long the stages of a pod take."""
    lease_seconds: int = 40
    """How long a lease lasts; it is renewed four times as often."""
    report_seconds: float = 300.0
    """How often a node reports when nothing changes."""
    workers: int = 16
    """How many pods are worked on at once."""


async def run(
    config: SimulatedNodesConfig,
    client: Client,
    clock: Clock,
    chance: Chance,
    ready: Callable[[], None] | None = None,
) -> None:
    """Be so many nodes until cancelled. `ready` is called when all are registered."""
    async with Tasks() as tasks:
        await SimulatedNodes(config, client, clock, chance).start(tasks)
        if ready is not None:
            ready()
        await asyncio.Event().wait()


@dataclass(slots=True)
class _Host:
    """One node, as it knows itself."""

    name: str
    number: int
    ip: str
    silent: bool = False
    addresses: dict[str, str] = field(default_factory=dict)
    """The pods' addresses, by uid."""
    turn: int = 0


class SimulatedNodes:
    """The nodes of one process."""

    def __init__(self, config: SimulatedNodesConfig, client: Client, clock: Clock, chance: Chance) -> None:
        self._config = config
        self._client = client
        self._clock = clock
        self._chance = chance
        network = ipaddress.ip_network(config.addresses)
        names = [f"{config.prefix}{number}" for number in range(config.count)]
        self._hosts = {name: _Host(name, i, str(network.network_address + i + 2)) for i, name in enumerate(names)}
        self._queue: WorkQueue[Key] = WorkQueue(clock)
        self._since: dict[str, tuple[Stage, int, Instant]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The nodes' names."""
        return tuple(self._hosts)

    async def start(self, tasks: Tasks) -> None:
        """Register all, and begin to work."""
        self._informers = Informers(self._client, self._clock, tasks, self._chance)
        pods = self._informers.of(Pod, fields=_BOUND)
        pods.on_change(self._changed)
        self._informers.of(Node)
        await self._informers.synced()
        places = asyncio.Semaphore(self._config.workers)
        async with asyncio.TaskGroup() as group:
            for host in self._hosts.values():
                group.create_task(self._enter(host, places))
        for host in self._hosts.values():
            tasks.spawn(self._repeat(host, self._renew, self._config.lease_seconds / 4), name=f"lease {host.name}")
            tasks.spawn(self._repeat(host, self._report, self._config.report_seconds), name=f"status {host.name}")
        for number in range(self._config.workers):
            tasks.spawn(self._work(), name=f"simulated pods {number}")

    async def _enter(self, host: _Host, places: asyncio.Semaphore) -> None:
        """Register, and go on trying while the server will not hear of it."""
        backoff = Backoff(Growth(first=0.5, limit=10.0))
        while True:
            try:
                async with places:
                    await self._register(host)
            except (StatusError, OSError, TimeoutError) as error:
                log.info("Simulated node could not register, trying again", node=host.name, err=str(error))
                await self._clock.sleep(backoff.next())
            else:
                return

    def silence(self, name: str) -> None:
        """Let a node say and do nothing more, as if its power was cut."""
        self._hosts[name].silent = True

    async def revive(self, name: str) -> None:
        """Let it come back."""
        host = self._hosts[name]
        host.silent = False
        await self._register(host)
        await self._renew(host)
        for pod in self._informers.of(Pod, fields=_BOUND).lister.list():
            self._changed(None, pod)

    async def _repeat(self, host: _Host, act: Callable[[_Host], Awaitable[None]], period: float) -> None:
        while True:
            if not host.silent:
                try:
                    await act(host)
                except (StatusError, OSError, TimeoutError) as error:
                    log.info("Simulated node could not report", node=host.name, err=str(error))
            await self._clock.sleep(period * (1 + self._chance.uniform(0, node_lease.JITTER)))

    async def _register(self, host: _Host) -> None:
        try:
            await self._client.create(Node, self._manifest(host))
        except AlreadyExists:
            log.debug("Simulated node is registered already", node=host.name)
        await self._report(host)

    def _manifest(self, host: _Host) -> JsonObject:
        labels = {
            "kubernetes.io/hostname": host.name,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
            "beta.kubernetes.io/os": "linux",
            "beta.kubernetes.io/arch": "amd64",
            **self._config.labels,
        }
        if self._config.zones:
            labels["topology.kubernetes.io/zone"] = self._config.zones[host.number % len(self._config.zones)]
        return {"metadata": {"name": host.name, "labels": labels}}

    async def _report(self, host: _Host) -> None:
        """Report that all is well, keeping what others say of the node."""
        present = await self._client.get(Node, host.name)
        before = [condition.raw for condition in present.status.conditions]
        capacity = dict(self._config.capacity)
        report: JsonObject = {
            "capacity": capacity,
            "allocatable": capacity,
            "addresses": [{"type": "InternalIP", "address": host.ip}, {"type": "Hostname", "address": host.name}],
            "conditions": node_status.conditions(before, (), (), self._clock.now()),
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": _node_info(host.name),
        }
        await self._client.patch(
            Node, host.name, "", {"status": report}, subresource="status", form=PatchForm.STRATEGIC
        )

    async def _renew(self, host: _Host) -> None:
        await node_lease.renew(self._client, self._clock, host.name, self._config.lease_seconds)

    def _changed(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        if pod is None or pod.spec.nodeName not in self._hosts:
            return
        if new is None:
            self._since.pop(pod.metadata.uid, None)
            self._hosts[pod.spec.nodeName].addresses.pop(pod.metadata.uid, None)
        else:
            self._queue.add(Key.of(pod))

    async def _work(self) -> None:
        while True:
            key = await self._queue.get()
            try:
                await self._act(key)
                self._queue.forget(key)
            except (StatusError, OSError, TimeoutError) as error:
                log.info("Simulated pod could not be reported", pod=str(key), err=str(error))
                self._queue.add_rate_limited(key)
            finally:
                self._queue.done(key)

    async def _act(self, key: Key) -> None:
        pod = self._informers.of(Pod, fields=_BOUND).lister.get(key)
        host = None if pod is None else self._hosts.get(pod.spec.nodeName)
        if pod is None or host is None or host.silent:
            return
        now = self._clock.now()
        uid, at, count = pod.metadata.uid, stage(pod), restarts(pod)
        known = self._since.get(uid)
        if known is None or known[:2] != (at, count):
            known = self._since[uid] = (at, count, now)
        step = plan(pod, Place(host.ip, self._address(host, pod)), self._config.pace, known[2], now)
        try:
            if step.status is not None:
                patch = {"metadata": {"uid": uid}, "status": step.status}
                form = PatchForm.STRATEGIC
                await self._client.patch(Pod, key.name, key.namespace, patch, subresource="status", form=form)
            if step.delete:
                await self._client.delete(Pod, key.name, key.namespace, grace_period=0, uid=uid)
        except (NotFound, Conflict):
            return
        if step.after is not None:
            self._queue.add_after(key, step.after)

    def _address(self, host: _Host, pod: Pod) -> str:
        """The pod's address: the one that it has, the node's own, or the next of the node's range."""
        if pod.spec.hostNetwork:
            return host.ip
        uid = pod.metadata.uid
        if pod.status.podIP:
            host.addresses[uid] = pod.status.podIP
        if uid not in host.addresses:
            host.addresses[uid] = self._next_address(host)
        return host.addresses[uid]

    def _next_address(self, host: _Host) -> str:
        network = ipaddress.ip_network(self._range(host))
        taken = {*host.addresses.values()}
        usable = network.num_addresses - 3
        for step in range(usable):
            turn = (host.turn + step) % usable
            address = str(network.network_address + turn + 2)
            if address not in taken:
                host.turn = turn + 1
                return address
        raise OSError(f"node {host.name} has no address left for a pod")

    def _range(self, host: _Host) -> str:
        node = self._informers.of(Node).lister.get(Key("", host.name))
        if node is not None and node.spec.podCIDR:
            return node.spec.podCIDR
        whole = ipaddress.ip_network(self._config.fallback_pods)
        return f"{whole.network_address + 256 * (host.number % (whole.num_addresses // 256))}/24"


def _node_info(name: str) -> JsonObject:
    return {
        "machineID": name,
        "systemUUID": name,
        "bootID": name,
        "kernelVersion": "simulated",
        "osImage": "simulated",
        "containerRuntimeVersion": "simulated://1",
        "kubeletVersion": node_status.KUBELET_VERSION,
        "kubeProxyVersion": "",
        "operatingSystem": "linux",
        "architecture": "amd64",
    }
