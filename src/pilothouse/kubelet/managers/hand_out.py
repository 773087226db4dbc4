"""Gives each container of a pod what it lacks, near to each other as the policy wants it; then others give theirs.

Whether it can be near is asked of all givers before one gives, container by container or for the pod as a whole.
Upstream: pkg/kubelet/cm/topologymanager/scope_container.go, scope_pod.go.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from pilothouse.api.types.core_v1 import Container, Pod
from pilothouse.kubelet.admit_handler import Refusal
from pilothouse.kubelet.containers import main_and_init
from pilothouse.kubelet.contribution import Contribution, Contributor
from pilothouse.kubelet.handout import Handout
from pilothouse.kubelet.managers.cpu_list import text
from pilothouse.kubelet.managers.hints import Distance, HintProvider, Hints, Nodes, Unavailable, all_alike, merge
from pilothouse.kubelet.managers.policy import POD, Exclusive
from pilothouse.kubelet.managers.static_cpus import StaticCpus
from pilothouse.kubelet.managers.static_memory import StaticMemory

_NOT_NEAR = Refusal("TopologyAffinityError", "Resources cannot be allocated with Topology locality")


class Affinities:
    """The NUMA nodes that containers are bound to."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, Nodes | None]] = {}

    def near(self, uid: str, container: str) -> Nodes | None:
        """Those of one container; None: it may be anywhere."""
        return self._known.get(uid, {}).get(container)

    def bind(self, uid: str, container: str, nodes: Nodes | None) -> None:
        """Have a container be near these."""
        self._known.setdefault(uid, {})[container] = nodes

    def keep(self, uids: Collection[str]) -> None:
        """Forget all other pods."""
        self._known = {uid: known for uid, known in self._known.items() if uid in uids}


class AlignedHandout:
    """Of one node, whose NUMA nodes are `nodes`. `then` and `more` give what is not ours to give."""

    def __init__(
        self, policy: Exclusive, nodes: Sequence[int], providers: Sequence[HintProvider], cpus: StaticCpus | None,
        then: Handout, more: Contributor, active: Callable[[], Collection[str] | None],
        affinities: Affinities, memory: StaticMemory | None = None,
        distance: Distance = all_alike,
    ) -> None:  # fmt: skip
        self._policy = policy
        self._nodes = nodes
        self._providers = providers
        self.cpus = cpus
        self._memory = memory
        self._distance = distance
        self._then = then
        self._more = more
        self._active = active
        self._affinities = affinities
        self._one_at_a_time = asyncio.Lock()

    async def hand_out(self, pod: Pod) -> Refusal | None:
        """Give the containers what they lack; why not."""
        async with self._one_at_a_time:
            self._forget_others(pod.metadata.uid)
            try:
                if not await self._give(pod):
                    return _NOT_NEAR
            except Unavailable as error:
                return Refusal(error.reason, str(error))
        return await self._then.hand_out(pod)

    async def _give(self, pod: Pod) -> bool:
        """False when it cannot be near enough. Raises Unavailable."""
        whole = self._policy.topology_scope == POD
        affinity, near_enough = self._affinity(one.pod_hints(pod) for one in self._providers) if whole else (None, True)
        for container in main_and_init(pod):
            if not whole:
                affinity, near_enough = self._affinity(one.hints(pod, container) for one in self._providers)
            if not near_enough:
                return False
            self._affinities.bind(pod.metadata.uid, container.name, affinity)
            for provider in self._providers:
                await provider.allocate(pod, container, affinity)
        return True

    def _affinity(self, told: Iterable[Hints]) -> tuple[Nodes | None, bool]:
        """Told one by one: without a policy nobody is asked, who would try all sets of a machine's many nodes."""
        return merge(self._policy.topology_policy, self._nodes, told, self._distance)

    def known_to(self, pod: Pod, allocatable: Mapping[str, str]) -> Mapping[str, str]:
        """What the node offers, as far as this pod is concerned."""
        return self._then.known_to(pod, allocatable)

    async def contribute(self, pod: Pod, container: Container) -> Contribution:
        """What the others give it, its processors, and where its memory is to be. Raises ConfigError."""
        given = await self._more.contribute(pod, container)
        if self.cpus is not None:
            unthrottled = container.name in self.cpus.unthrottled(pod.metadata.uid)
            cpus = text(self.cpus.begin(pod, container))
            given = replace(given, cpuset_cpus=cpus, unthrottled=unthrottled)
        if self._memory is not None:
            given = replace(given, cpuset_mems=",".join(map(str, self._memory.begin(pod, container))))
        return given

    def _forget_others(self, uid: str) -> None:
        active = self._active()
        if active is not None:
            self._affinities.keep({uid, *active})
