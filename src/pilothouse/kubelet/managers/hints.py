"""Where on the machine containers may have what they ask for, and how what several givers say of it is made one: pure.

A hint is a set of NUMA nodes that can serve a request, preferred when no smaller set could. The best that all givers
agree on is the container's affinity, and the policy says whether less than a preferred one will do.
API page: "Control Topology Management Policies on a node". Upstream: pkg/kubelet/cm/topologymanager/policy*.go.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Protocol

from pilothouse.api.types.core_v1 import Container, Pod

NONE, BEST_EFFORT, RESTRICTED, SINGLE = "none", "best-effort", "restricted", "single-numa-node"
Nodes = frozenset[int]
Distance = Callable[[Nodes], float]
"""How far nodes are from each other."""


class Unavailable(Exception):
    """A container cannot have what it asks for. `reason` is the pod's."""

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message if reason else f"Allocate failed due to {message}, which is unexpected")
        self.reason = reason or "UnexpectedAdmissionError"


@dataclass(frozen=True, slots=True)
class Hint:
    """One possibility."""

    nodes: Nodes | None
    """None: any."""
    preferred: bool


Hints = Mapping[str, Sequence[Hint]]
"""By resource; without possibilities where there are none, and nothing of resources that can be had anywhere."""


class HintProvider(Protocol):
    """Gives containers something that lies somewhere on the machine."""

    def hints(self, pod: Pod, container: Container) -> Hints:
        """Where the container may have what it asks for."""
        ...

    def pod_hints(self, pod: Pod) -> Hints:
        """Where all containers of the pod may have it together."""
        ...

    async def allocate(self, pod: Pod, container: Container, affinity: Nodes | None) -> None:
        """Give it, near these NUMA nodes if possible; once is enough. Raises Unavailable."""
        ...


def node_sets(nodes: Sequence[int]) -> Iterator[Nodes]:
    """All that can be made of the nodes, small ones first."""
    for size in range(1, len(nodes) + 1):
        yield from map(frozenset, combinations(nodes, size))


def nobody_else(_nodes: Nodes, _smallest: int) -> bool:
    """No other sets are preferred."""
    return False


def all_alike(_nodes: Nodes) -> float:
    """No nodes are nearer to each other than others."""
    return 0.0


def possibilities(
    nodes: Sequence[int], most: Callable[[Nodes], int], now: Callable[[Nodes], int], asked: int,
    also: Callable[[Nodes, int], bool] = nobody_else,
) -> list[Hint]:  # fmt: skip
    """Sets of nodes that have as much as is asked for `now`; preferred if of the size that would do were all free.

    `also` may prefer others, when it hears of that size.
    """
    smallest = next((len(some) for some in node_sets(nodes) if most(some) >= asked), len(nodes))
    found = [some for some in node_sets(nodes) if now(some) >= asked]
    return [Hint(some, len(some) == smallest or also(some, smallest)) for some in found]


def merge(
    policy: str, nodes: Sequence[int], told: Iterable[Hints], distance: Distance = all_alike
) -> tuple[Nodes | None, bool]:
    """The affinity, and whether the policy lets a pod have it. Of sets of a size the least `distance` is best."""
    if policy == NONE:
        return None, True
    listed = [list(some) for hints in told for some in _choices(hints)]
    if policy == SINGLE:
        listed = [[hint for hint in some if hint.preferred and _is_single(hint)] for some in listed]
    best = _best(frozenset(nodes), listed, distance)
    if policy == BEST_EFFORT:
        return best.nodes, True
    if policy == SINGLE and best.nodes == frozenset(nodes):
        return None, best.preferred
    return best.nodes, best.preferred


def _choices(hints: Hints) -> list[Sequence[Hint]]:
    if not hints:
        return [[Hint(None, preferred=True)]]
    return [some or [Hint(None, preferred=False)] for some in hints.values()]


def _is_single(hint: Hint) -> bool:
    return hint.nodes is None or len(hint.nodes) == 1


def _best(everywhere: Nodes, listed: Sequence[Sequence[Hint]], distance: Distance) -> Hint:
    """The best of what can be agreed on."""
    needed = max(
        (min(map(len, sets)) for some in listed if (sets := [one.nodes for one in some if one.nodes])), default=0
    )
    agreed: set[tuple[Nodes | None, Nodes, bool]] = {(None, everywhere, True)}
    for some in listed:
        agreed = {_agree(before, hint) for before in agreed for hint in some}
    found = [Hint(nodes, preferred) for _, nodes, preferred in agreed if nodes]
    return min(found, key=lambda hint: _rank(hint, needed, distance), default=Hint(everywhere, preferred=False))


def _agree(before: tuple[Nodes | None, Nodes, bool], hint: Hint) -> tuple[Nodes | None, Nodes, bool]:
    """What is left of both; preferred while all that said something have said the same."""
    first, nodes, preferred = before
    if hint.nodes is None:
        return first, nodes, preferred and hint.preferred
    same = first is None or first == hint.nodes
    return first if first is not None else hint.nodes, nodes & hint.nodes, preferred and hint.preferred and same


def _rank(hint: Hint, needed: int, distance: Distance) -> tuple[int, int, float, int]:
    """The better the lower. What is not preferred should have the nodes that the neediest giver needs, and no more."""
    nodes = hint.nodes or frozenset()
    size, mask = len(nodes), sum(1 << node for node in nodes)
    if hint.preferred:
        return 0, size, distance(nodes), mask
    return (1, needed - size, distance(nodes), mask) if size <= needed else (2, size, distance(nodes), mask)
