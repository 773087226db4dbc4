"""Gives guaranteed containers that ask for whole processors some of their own; all others share the rest.

What init containers had that have ended serves the pod's others. Upstream: pkg/kubelet/cm/cpumanager/policy_static.go.
"""

import math
from collections.abc import Callable, Collection
from pathlib import Path

from pilothouse.api.machinery.quantity import Quantity, parse_quantity
from pilothouse.api.types.core_v1 import Container, Pod
from pilothouse.kubelet.containers import is_sidecar, main_and_init
from pilothouse.kubelet.managers.cpu_balance import take_balanced
from pilothouse.kubelet.managers.cpu_caches import by_cache
from pilothouse.kubelet.managers.cpu_choice import nothing_between, take
from pilothouse.kubelet.managers.cpu_list import Cpus
from pilothouse.kubelet.managers.cpu_record import CpuRecord
from pilothouse.kubelet.managers.hints import Hint, Hints, Nodes, Unavailable, nobody_else, possibilities
from pilothouse.kubelet.managers.policy import Exclusive
from pilothouse.kubelet.managers.policy_options import (
    ACROSS_CORES,
    ACROSS_NODES,
    BY_CACHE,
    BY_SOCKET,
    FULL_CORES,
    STRICT_RESERVATION,
)
from pilothouse.kubelet.managers.topology import Topology
from pilothouse.kubelet.resources.qos import GUARANTEED, qos_class

_NONE: Cpus = frozenset()


def own_cpus(pod: Pod, container: Container) -> int:
    """How many processors of its own a container is to have."""
    asked = parse_quantity(container.resources.requests.get("cpu") or container.resources.limits.get("cpu") or "0")
    if pod.spec.resources or qos_class(pod) != GUARANTEED or asked.milli() % 1000:
        return 0
    return asked.value()


def pod_cpus(pod: Pod) -> int:
    """How many all its containers together are to have."""
    sidecars = most = 0
    for container in pod.spec.initContainers:
        asked = own_cpus(pod, container)
        most = max(most, sidecars + asked)
        sidecars += asked if is_sidecar(container) else 0
    return max(most, sidecars + sum(own_cpus(pod, one) for one in pod.spec.containers))


def reserved_cpus(topology: Topology, policy: Exclusive, amount: Quantity) -> Cpus:
    """Those that no container has for itself. Raises ValueError."""
    count = math.ceil(amount.milli() / 1000)
    if not count:
        raise ValueError(
            "[cpumanager] the static policy requires systemreserved.cpu + kubereserved.cpu to be greater than zero"
        )
    if named := policy.reserved:
        if not named <= topology.ids:
            raise ValueError(f"unable to reserve CPUs that are not there: {policy.reserved_cpus}")
        return named
    try:
        return chosen(topology, policy, topology.ids, count)
    except Unavailable as error:
        raise ValueError(f"[cpumanager] unable to reserve the required amount of CPUs: {error}") from error


def chosen(topology: Topology, policy: Exclusive, available: Collection[int], count: int) -> Cpus:
    """Choose so many of the available ones, as the policy's options have it. Raises Unavailable."""
    if policy.has(ACROSS_NODES):
        return take_balanced(topology, available, count, topology.threads if policy.has(FULL_CORES) else 1)
    between = by_cache if policy.has(BY_CACHE) else nothing_between
    return take(topology, available, count, between=between, spread=policy.has(ACROSS_CORES))


class StaticCpus:
    """Of one node. `active` are the uids of the pods that may have some; None: not all are known yet."""

    def __init__(
        self, topology: Topology, reserved: Cpus, policy: Exclusive, directory: Path,
        active: Callable[[], Collection[str] | None],
    ) -> None:  # fmt: skip
        """Raises ValueError when the last kubelet's record does not fit."""
        self._topology = topology
        self._reserved = reserved
        self._policy = policy
        self._active = active
        self._reusable: tuple[str, Cpus] = "", _NONE
        self.asked = self.failed = 0
        """How often a container was to have some of its own, and could not have them."""
        self._record = CpuRecord.read(directory)
        allowed = topology.ids - reserved if policy.has(STRICT_RESERVATION) else topology.ids
        self._record.check(topology.ids, allowed, reserved)
        self._record.save()

    # Where.

    def hints(self, pod: Pod, container: Container) -> Hints:
        """Where the container may have its processors."""
        count = own_cpus(pod, container)
        if not count:
            return {}
        self._free_unused(pod)
        held = self._record.own.get(pod.metadata.uid, {}).get(container.name)
        return {"cpu": self._possible(pod, count, held)}

    def pod_hints(self, pod: Pod) -> Hints:
        """Where the pod's containers may have theirs together."""
        count = pod_cpus(pod)
        if not count:
            return {}
        self._free_unused(pod)
        theirs = self._record.own.get(pod.metadata.uid, {})
        return {"cpu": self._possible(pod, count, _NONE.union(*theirs.values()) if theirs else None)}

    def _possible(self, pod: Pod, count: int, held: Cpus | None) -> list[Hint]:
        """`held`: what they have already."""
        if held is not None and len(held) != count:
            return []
        free = self._free if held is None else held
        reusable = self._reusable_by(pod.metadata.uid) if held is None else _NONE
        must = {cpu.node for cpu in self._topology.cpus if cpu.id in reusable}

        def now(nodes: Nodes) -> int:
            """Less than nothing without the processors that the pod has already."""
            return len((free | reusable) & self._topology.near(nodes)) if must <= nodes else -1

        also = self._fewest_sockets if self._policy.has(BY_SOCKET) else nobody_else
        return possibilities(self._topology.nodes, lambda nodes: len(self._topology.near(nodes)), now, count, also)

    def _fewest_sockets(self, nodes: Nodes, smallest: int) -> bool:
        """Whether no fewer sockets have as many nodes as are needed."""
        each = len(self._topology.nodes) // self._topology.sockets
        return bool(each) and len(self._topology.sockets_of(nodes)) == -(-smallest // each)

    # When the node takes a pod.

    async def allocate(self, pod: Pod, container: Container, affinity: Nodes | None) -> None:
        """Give the container its processors, unless it has them. Raises Unavailable."""
        count, uid = own_cpus(pod, container), pod.metadata.uid
        if not count:
            return
        self._free_unused(pod)
        cpus = self._record.own.get(uid, {}).get(container.name)
        if cpus is None:
            self.asked += 1
            try:
                cpus = self._choose(uid, count, affinity)
            except Unavailable:
                self.failed += 1
                raise
            self._record.give(uid, container.name, cpus)
        initial = any(one.name == container.name for one in pod.spec.initContainers) and not is_sidecar(container)
        reusable = self._reusable_by(uid)
        self._reusable = uid, reusable | cpus if initial else reusable - cpus

    def _choose(self, uid: str, count: int, affinity: Nodes | None) -> Cpus:
        """Raises Unavailable."""
        free = self._free | self._reusable_by(uid)
        self._check_cores(count, free)
        near = free & self._near(affinity) if affinity is not None else _NONE
        first = chosen(self._topology, self._policy, near, min(count, len(near)))
        return first | chosen(self._topology, self._policy, free - first, count - len(first))

    def _near(self, nodes: Nodes) -> Cpus:
        topology = self._topology
        return topology.on_sockets_of(nodes) if self._policy.has(BY_SOCKET) else topology.near(nodes)

    def _check_cores(self, count: int, free: Cpus) -> None:
        """Whether it can have whole cores, if it must. Raises Unavailable."""
        if not self._policy.has(FULL_CORES):
            return
        threads = self._topology.threads
        if count % threads:
            found = f"requested {count} cpus not multiple cpus per core = {threads}"
            raise Unavailable(f"SMT Alignment Error: {found}", "SMTAlignmentError")
        # Beside a reserved thread there are no whole cores.
        whole = len(free - self._topology.siblings(self._reserved))
        if count > whole:
            found = f"available physical CPUs = {whole}, requested CPUs = {count}, CPUs per core = {threads}"
            raise Unavailable(f"SMT Alignment Error: not enough free physical CPUs: {found}", "SMTAlignmentError")

    @property
    def _free(self) -> Cpus:
        return self._record.shared - self._reserved

    def _reusable_by(self, uid: str) -> Cpus:
        return self._reusable[1] if self._reusable[0] == uid else _NONE

    def _free_unused(self, pod: Pod) -> None:
        """Take back what pods have that are over."""
        active = self._active()
        if active is not None:
            self._record.keep({pod.metadata.uid, *active})

    # When a container runs.

    def begin(self, pod: Pod, container: Container) -> Cpus:
        """The processors of a container that is about to start; init containers before it have ended."""
        for before in main_and_init(pod):
            if before.name == container.name or before.name not in {one.name for one in pod.spec.initContainers}:
                break
            if not is_sidecar(before):
                self._record.take_back(pod.metadata.uid, before.name)
        return self.of(pod.metadata.uid, container.name)

    def of(self, uid: str, container: str) -> Cpus:
        """What a container may use."""
        return self._record.own.get(uid, {}).get(container, self._record.shared)

    def own(self, uid: str, container: str) -> Cpus:
        """What no other container may use."""
        return self._record.own.get(uid, {}).get(container, _NONE)

    @property
    def shared(self) -> Cpus:
        """What all others use."""
        return self._record.shared

    def owned_by_node(self) -> dict[int, int]:
        """How many containers have for themselves, by NUMA node."""
        every = _NONE.union(*(cpus for each in self._record.own.values() for cpus in each.values()))
        return {node: len(every & self._topology.near((node,))) for node in self._topology.nodes}

    def unthrottled(self, uid: str) -> frozenset[str]:
        """The containers of a pod that have all the time of their processors."""
        return frozenset(self._record.own.get(uid, ()) if self._policy.unthrottled else ())

    @property
    def allocatable(self) -> Cpus:
        """What containers may have for themselves, whether one has it or not."""
        return self._topology.ids - self._reserved

    def refresh(self) -> None:
        """Share again what pods had that are over."""
        active = self._active()
        if active is not None:
            self._record.keep(active)
