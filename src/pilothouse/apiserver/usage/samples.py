"""The last two points of everything, and the use that they show. Pure.

CPU time only ever grows, so a rate needs two points of one life: what was restarted between them waits for the next.
A pod that has a container without a rate has none itself. Source: metrics-server, pkg/storage.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pilothouse.apiserver.usage.points import PodName, Point, Points
from pilothouse.runtime.clock import Instant

RESOLUTION = 15.0
"""Seconds from one point to the next."""
_LEAST_LIFE = 10.0
"""Seconds that a container must have run for its start to be as good as a point."""
_NOTHING: Mapping[str, Point] = {}


@dataclass(frozen=True, slots=True)
class Use:
    """What was used at `at`, and over how many seconds before that the CPU's share was measured."""

    at: Instant
    window: float
    nano_cores: int
    memory: int
    swap: int


@dataclass(frozen=True, slots=True)
class _OfNode:
    """The last points of a node and its pods, and those before, each where it is of use."""

    node: tuple[Point | None, Point | None]
    pods: Mapping[PodName, tuple[Mapping[str, Point], Mapping[str, Point]]]


_NEVER_SEEN = _OfNode((None, None), {})


class Samples:
    """By node: what a kubelet says of pods counts for those of its own node alone."""

    def __init__(self) -> None:
        self._nodes: dict[str, _OfNode] = {}

    def take(self, node: str, points: Points) -> None:
        """Take in what a kubelet said."""
        known = self._nodes.get(node, _NEVER_SEEN)
        last, before = known.node
        pods = {}
        for name, containers in points.pods.items():
            once, twice = known.pods.get(name, (_NOTHING, _NOTHING))
            kept = {each: _earlier(new, once.get(each), twice.get(each)) for each, new in containers.items()}
            pods[name] = (containers, {each: point for each, point in kept.items() if point is not None})
        earlier = None if points.node is None else _earlier(points.node, last, before)
        self._nodes[node] = _OfNode((points.node, earlier), pods)

    def forget(self, node: str) -> None:
        """The kubelet did not say anything."""
        self._nodes.pop(node, None)

    def clear(self) -> None:
        """Forget everything."""
        self._nodes.clear()

    @property
    def nodes(self) -> tuple[str, ...]:
        """Those that something is known of."""
        return tuple(self._nodes)

    def of_node(self, name: str) -> Use | None:
        """What a node uses; None where that is not known."""
        return _use(*self._nodes.get(name, _NEVER_SEEN).node)

    def of_pod(self, node: str, name: PodName) -> Mapping[str, Use]:
        """What a pod's containers use, by name; empty where that is not known of all."""
        last, before = self._nodes.get(node, _NEVER_SEEN).pods.get(name, (_NOTHING, _NOTHING))
        used = {container: _use(last[container], before.get(container)) for container in sorted(last)}
        known = {container: use for container, use in used.items() if use is not None}
        return known if len(known) == len(used) else {}


def _earlier(new: Point, last: Point | None, before: Point | None) -> Point | None:
    """The point to compare a new one with: an earlier one of the same life."""
    if new.started and _LEAST_LIFE <= new.at - new.started < RESOLUTION:
        return Point(new.started, 0, new.memory, new.swap, new.started)
    if last is None or new.started >= last.at:
        return None
    if new.at > last.at:
        return last
    return before if before is not None and before.at < new.at else None


def _use(last: Point | None, before: Point | None) -> Use | None:
    if last is None or before is None or last.started < before.started or last.cpu < before.cpu:
        return None
    window = last.at - before.at
    return Use(last.at, window, int((last.cpu - before.cpu) / window), last.memory, last.swap)
