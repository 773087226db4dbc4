"""Preemption: which less important pods would have to go to make room, and what is said where that would not help.

Pure. A node is tried without all its less important pods; if the pod would run there, they are let back one by one, the
most important first, as long as it still would: those left are the victims. Budgets (PodDisruptionBudget) are respected
where possible. Upstream: pkg/scheduler/framework/preemption; API page: Pod Priority and Preemption.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pilothouse.api.machinery.selectors import LabelSelector
from pilothouse.api.types.core_v1 import Pod
from pilothouse.scheduler.framework import Diagnosis, Refuses, Room
from pilothouse.scheduler.nodes import NodeInfo
from pilothouse.scheduler.pod_info import PodInfo

NEVER = "not eligible due to preemptionPolicy=Never."
TERMINATING = "not eligible due to a terminating pod on the nominated node."
NOBODY = "No preemption victims found for incoming pod"
USELESS = "Preemption is not helpful for scheduling"
LEAST_CANDIDATES = 100
CANDIDATES_PERCENTAGE = 10
_LIFT = 2**31
"""Makes any priority positive, so that more pods always weigh more."""
_NEWEST = float("inf")


@dataclass(slots=True)
class Budget:
    """How many more pods of a selection may be disrupted."""

    namespace: str
    selector: LabelSelector
    allowed: int
    disrupted: frozenset[str] = frozenset()
    """Names of pods that count already."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node, and who would have to go there."""

    node: str
    victims: tuple[PodInfo, ...]
    """The most important first."""
    violations: int
    """How many of them a budget protects."""


def ineligible(pod: PodInfo, nominated: NodeInfo | None) -> str:
    """Why a pod may not have others removed; empty if it may. `nominated` is where room was made for it before."""
    if pod.pod.spec.preemptionPolicy == "Never":
        return NEVER
    if nominated is not None:
        for other in nominated.pods.values():
            if other.priority < pod.priority and leaves_for_another(other.pod):
                return TERMINATING
    return ""


def leaves_for_another(pod: Pod) -> bool:
    """Whether a pod is being deleted by preemption."""
    if pod.metadata.deletionTimestamp is None:
        return False
    told = next((one for one in pod.status.conditions if one.type == "DisruptionTarget"), None)
    return told is not None and told.status == "True" and told.reason == "PreemptionByScheduler"


def find_room(
    pod: PodInfo, places: Sequence[NodeInfo], nodes: int, budgets: Sequence[Budget], refuses: Refuses
) -> Room:
    """Try some of `nodes` nodes, in this order, until there are enough to choose from."""
    wanted = min(max(len(places) * CANDIDATES_PERCENTAGE // 100, LEAST_CANDIDATES), len(places))
    gentle: list[Candidate] = []
    violating: list[Candidate] = []
    diagnosis = Diagnosis(nodes)
    for place in places:
        found = select_victims(pod, place, budgets, refuses)
        if isinstance(found, Candidate):
            (violating if found.violations else gentle).append(found)
            if gentle and len(gentle) + len(violating) >= wanted:
                break
        else:
            diagnosis.reasons.update(found)
    candidates = gentle + violating
    if candidates:
        chosen = min(candidates, key=_cost)
        return Room(node=chosen.node, victims=chosen.victims)
    return _no_room(diagnosis, nodes - len(places))


def nobody_to_remove(places: int, nodes: int) -> Room:
    """What to say where all pods are as important, without looking at `places` of `nodes` nodes."""
    return _no_room(Diagnosis(nodes, Counter({NOBODY: places} if places else {})), nodes - places)


def _no_room(diagnosis: Diagnosis, elsewhere: int) -> Room:
    if elsewhere:
        diagnosis.reasons[USELESS] += elsewhere
    return Room(message=diagnosis.message, node="")


def select_victims(
    pod: PodInfo, place: NodeInfo, budgets: Sequence[Budget], refuses: Refuses
) -> Candidate | tuple[str, ...]:
    """Who would have to go, or why that would not help."""
    lesser = sorted((one for one in place.pods.values() if one.priority < pod.priority), key=importance)
    if not lesser:
        return (NOBODY,)
    without = place.having(less=lesser)
    refusal = refuses(pod, without)
    if refusal is not None:
        return refusal.reasons
    protected = violating(lesser, budgets)
    victims: list[PodInfo] = []
    for one in sorted(lesser, key=lambda other: other.uid not in protected):
        without.put(one)
        if refuses(pod, without) is not None:
            without.take(one)
            victims.append(one)
    violations = sum(one.uid in protected for one in victims)
    return Candidate(place.name, tuple(sorted(victims, key=importance)), violations)


def violating(pods: Sequence[PodInfo], budgets: Sequence[Budget]) -> dict[str, None]:
    """The uids of those whose removal, one after the other, a budget does not allow."""
    allowed = [one.allowed for one in budgets]
    found: dict[str, None] = {}
    for pod in pods:
        labels = pod.pod.metadata.labels
        for number, budget in enumerate(budgets) if labels else ():
            if (
                budget.namespace != pod.key.namespace
                or budget.selector.everything
                or pod.key.name in budget.disrupted
                or not budget.selector.matches(labels)
            ):
                continue
            allowed[number] -= 1
            if allowed[number] < 0:
                found[pod.uid] = None
    return found


def importance(pod: PodInfo) -> tuple[int, float]:
    """Sorts the more important pod first: by priority, then by age."""
    return -pod.priority, _started(pod)


def _cost(candidate: Candidate) -> tuple[int, int, int, int, float]:
    """Sorts the node first on which the least is lost."""
    highest = candidate.victims[0].priority if candidate.victims else -_LIFT
    priorities = sum(one.priority + _LIFT for one in candidate.victims)
    oldest = min((_started(one) for one in candidate.victims if one.priority == highest), default=_NEWEST)
    return candidate.violations, highest, priorities, len(candidate.victims), -oldest


def _started(pod: PodInfo) -> float:
    """When it began to run; what has not yet is the newest."""
    started = pod.pod.status.startTime
    return _NEWEST if started is None else started
