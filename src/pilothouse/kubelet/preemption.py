"""Which pods make room for a critical one: pure.

As few as possible, the best-effort ones first and the guaranteed ones last; among those that leave as little lacking,
the one that asks for less. Upstream: pkg/kubelet/preemption.
"""

from collections.abc import Sequence

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.admit_handler import Shortage
from pilothouse.kubelet.critical import may_displace
from pilothouse.kubelet.resources.needs import Units, pod_needs
from pilothouse.kubelet.resources.qos import BEST_EFFORT, BURSTABLE, GUARANTEED, qos_class

_Needing = tuple[Pod, Units]


class NoVictims(Exception):
    """All pods that could be ended together hold too little."""


def victims(pod: Pod, others: Sequence[Pod], shortages: Sequence[Shortage]) -> list[Pod]:
    """The pods to be ended. Raises NoVictims."""
    able: dict[str, list[_Needing]] = {BEST_EFFORT: [], BURSTABLE: [], GUARANTEED: []}
    for other in others:
        if may_displace(pod, other):
            able[qos_class(other)].append((other, pod_needs(other)))
    lacking = {shortage.resource: shortage.missing for shortage in shortages}
    if unmet := _less(lacking, [one for kind in able.values() for one in kind]):
        raise NoVictims(f"no set of running pods found to reclaim resources: {_describe(unmet)}")
    guaranteed = _nearest(able[GUARANTEED], _less(lacking, [*able[BEST_EFFORT], *able[BURSTABLE]]))
    burstable = _nearest(able[BURSTABLE], _less(lacking, [*able[BEST_EFFORT], *guaranteed]))
    best_effort = _nearest(able[BEST_EFFORT], _less(lacking, [*burstable, *guaranteed]))
    return [other for other, _ in (*best_effort, *burstable, *guaranteed)]


def _less(lacking: Units, ended: Sequence[_Needing]) -> Units:
    """What is still lacking when some pods have been ended."""
    rest = {name: amount - sum(needs.get(name, 0) for _, needs in ended) for name, amount in lacking.items()}
    return {name: amount for name, amount in rest.items() if amount > 0}


def _nearest(pods: Sequence[_Needing], lacking: Units) -> list[_Needing]:
    """Of pods that are enough together, as few as cover what is lacking."""
    left, chosen = list(pods), list[_Needing]()
    while lacking:
        best = min(left, key=lambda one: (_distance(lacking, one[1]), one[1].get("memory", 0), one[1].get("cpu", 0)))
        left.remove(best)
        chosen.append(best)
        lacking = _less(lacking, [best])
    return chosen


def _distance(lacking: Units, needs: Units) -> float:
    """How much would still be lacking, each resource counting alike."""
    return sum((max(amount - needs.get(name, 0), 0) / amount) ** 2 for name, amount in lacking.items())


def _describe(lacking: Units) -> str:
    return f"[{''.join(f'(res: {name}, q: {amount}), ' for name, amount in lacking.items())}]"
