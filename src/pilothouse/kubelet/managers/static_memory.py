"""Binds guaranteed containers to the NUMA nodes that have the memory which they ask for, and keeps that for them.

What init containers had that have ended serves the pod's others: then their blocks are told as so much smaller.
Upstream: pkg/kubelet/cm/memorymanager/policy_static.go, AddContainer in memory_manager.go.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

from pilothouse.api.machinery.quantity import parse_quantity
from pilothouse.api.types.core_v1 import Container, Pod
from pilothouse.kubelet.containers import is_sidecar, main_and_init
from pilothouse.kubelet.managers.hints import Hint, Hints, Nodes, Unavailable
from pilothouse.kubelet.managers.memory_choice import choose, possible
from pilothouse.kubelet.managers.memory_ledger import Block, untouched
from pilothouse.kubelet.managers.memory_nodes import NodeMemory
from pilothouse.kubelet.managers.memory_policy import Kept, is_memory
from pilothouse.kubelet.managers.memory_record import MemoryRecord
from pilothouse.kubelet.resources.qos import GUARANTEED, qos_class

_Reusable = dict[tuple[Nodes, str], int]


def own_memory(pod: Pod, container: Container) -> dict[str, int]:
    """Bytes by kind that a container is to have from certain nodes."""
    if pod.spec.resources or qos_class(pod) != GUARANTEED:
        return {}
    asked = {**container.resources.limits, **container.resources.requests}
    return {name: parse_quantity(asked[name]).value() for name in sorted(asked) if is_memory(name)}


def pod_memory(pod: Pod) -> dict[str, int]:
    """What all its containers together are to have, of what the main ones ask for."""
    sidecars, most, main = dict[str, int](), dict[str, int](), dict[str, int]()
    for container in pod.spec.initContainers:
        for kind, size in own_memory(pod, container).items():
            if is_sidecar(container):
                sidecars[kind] = sidecars.get(kind, 0) + size
            else:
                most[kind] = max(most.get(kind, 0), sidecars.get(kind, 0) + size)
    for container in pod.spec.containers:
        for kind, size in own_memory(pod, container).items():
            main[kind] = main.get(kind, 0) + size
    return {kind: max(most.get(kind, 0), sidecars.get(kind, 0) + size) for kind, size in main.items()}


class StaticMemory:
    """Of one node. `active` are the uids of the pods that may have some; None: not all are known yet.

    With `strict`, as some topology policies have it, a container gets no more nodes than it needs.
    """

    def __init__(
        self, nodes: Sequence[NodeMemory], kept: Kept, directory: Path, active: Callable[[], Collection[str] | None],
        *, strict: bool = False,
    ) -> None:  # fmt: skip
        """Raises ValueError when the last kubelet's record does not fit."""
        self._active = active
        self._strict = strict
        self._reusable: tuple[str, _Reusable] = "", {}
        self.asked = self.failed = 0
        """How often a container was to have some from certain nodes, and could not have it."""
        self._record = MemoryRecord.read(directory)
        self._record.check(untouched(nodes, kept))
        self._record.save()

    # Where.

    def hints(self, pod: Pod, container: Container) -> Hints:
        """Where the container may have its memory; nothing where it may not: that is told when it is to be given."""
        asked = own_memory(pod, container)
        if not asked:
            return {}
        self._free_unused(pod)
        return self._told(pod, asked, self._blocks(pod, container))

    def pod_hints(self, pod: Pod) -> Hints:
        """Where the pod's containers may have theirs together."""
        asked = pod_memory(pod)
        if not asked:
            return {}
        self._free_unused(pod)
        held = next((blocks for one in main_and_init(pod) if (blocks := self._blocks(pod, one)) is not None), None)
        return self._told(pod, asked, held)

    def _told(self, pod: Pod, asked: Mapping[str, int], held: Sequence[Block] | None) -> Hints:
        """`held`: what they have already."""
        if held is None:
            found = possible(self._record.ledger, asked, self._spare(pod))
            return dict.fromkeys(asked, found) if found else {}
        if {block.kind: block.size for block in held} != asked:
            return {}
        return {block.kind: [Hint(frozenset(block.nodes), preferred=True)] for block in held}

    # When the node takes a pod.

    async def allocate(self, pod: Pod, container: Container, affinity: Nodes | None) -> None:
        """Give the container its memory, unless it has it. Raises Unavailable."""
        asked, uid = own_memory(pod, container), pod.metadata.uid
        if not asked:
            return
        self._free_unused(pod)
        if container.name == next(main_and_init(pod)).name:
            self._reusable = "", {}
        blocks = self._blocks(pod, container)
        if blocks is not None:
            self._mark_reusable(pod, container, blocks)
            return
        spare = self._spare(pod)
        self.asked += 1
        try:
            nodes = choose(self._record.ledger, asked, spare, affinity, preferred=self._strict)
        except Unavailable:
            self.failed += 1
            raise
        blocks = tuple(Block(nodes, kind, size) for kind, size in asked.items())
        fresh = {one.kind: max(one.size - spare(frozenset(nodes), one.kind), 0) for one in blocks}
        self._record.give(uid, container.name, blocks, fresh)
        self._shrink_earlier(pod, container, blocks)
        self._mark_reusable(pod, container, blocks)
        self._record.save()

    def _spare(self, pod: Pod) -> Callable[[Nodes, str], int]:
        reusable = self._reusable[1] if self._reusable[0] == pod.metadata.uid else {}
        return lambda nodes, kind: reusable.get((nodes, kind), 0)

    def _mark_reusable(self, pod: Pod, container: Container, blocks: Iterable[Block]) -> None:
        """Others of the pod may have what an init container has that will have ended; what they have, no one else."""
        uid = pod.metadata.uid
        reusable = dict(self._reusable[1]) if self._reusable[0] == uid else {}
        initial = any(one.name == container.name for one in _ending(pod))
        for block in blocks:
            key = (frozenset(block.nodes), block.kind)
            left = reusable.get(key, 0)
            reusable[key] = max(left, block.size) if initial else max(left - block.size, 0)
        self._reusable = uid, reusable

    def _shrink_earlier(self, pod: Pod, container: Container, blocks: Iterable[Block]) -> None:
        """Have the sum over a pod's containers be what the pod has."""
        theirs, left = self._record.own[pod.metadata.uid], {(one.nodes, one.kind): one.size for one in blocks}
        for earlier in takewhile(lambda one: one.name != container.name, pod.spec.initContainers):
            if is_sidecar(earlier) or earlier.name not in theirs:
                continue
            shrunk = []
            for block in theirs[earlier.name]:
                less = min(block.size, left.get((block.nodes, block.kind), 0))
                shrunk.append(replace(block, size=block.size - less))
                if less:
                    left[block.nodes, block.kind] -= less
            theirs[earlier.name] = tuple(shrunk)

    def _blocks(self, pod: Pod, container: Container) -> tuple[Block, ...] | None:
        return self._record.own.get(pod.metadata.uid, {}).get(container.name)

    def _free_unused(self, pod: Pod) -> None:
        """Take back what pods have that are over."""
        active = self._active()
        if active is not None:
            self._record.keep({pod.metadata.uid, *active})

    # When a container runs.

    def begin(self, pod: Pod, container: Container) -> tuple[int, ...]:
        """The NUMA nodes of a container that is about to start; init containers before it have ended."""
        names = {one.name for one in pod.spec.initContainers}
        if container.name in names or any(one.name == container.name for one in pod.spec.containers):
            for before in takewhile(lambda one: one.name != container.name, pod.spec.initContainers):
                if not is_sidecar(before):
                    self._record.take_back(pod.metadata.uid, before.name)
        return tuple(sorted({node for block in self._blocks(pod, container) or () for node in block.nodes}))

    # Who has what.

    def own(self, uid: str, container: str) -> tuple[Block, ...]:
        """What a container has."""
        return self._record.own.get(uid, {}).get(container, ())

    def allocatable(self) -> list[Block]:
        """What containers may have, whether one has it or not."""
        return [
            Block((node,), kind, amounts.allocatable)
            for node, place in sorted(self._record.ledger.items())
            for kind, amounts in sorted(place.kinds.items())
            if amounts.allocatable
        ]

    def refresh(self) -> None:
        """Take back what pods have that are over."""
        active = self._active()
        if active is not None:
            self._record.keep(active)


def _ending(pod: Pod) -> Iterable[Container]:
    return (one for one in pod.spec.initContainers if not is_sidecar(one))
