"""Status: what a Deployment reports of its rollout.

`kubectl rollout status` waits for these very numbers, and gives up at the reason ProgressDeadlineExceeded. Progress is
an updated, ready or available pod more, or an old one less; the deadline counts from the last progress. Upstream:
pkg/controller/deployment/progress.go.
"""

from collections.abc import Sequence

from pilothouse.api.machinery.conditions import FALSE, TRUE, UNKNOWN, condition, find, remove_condition
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.apps_v1 import Deployment, ReplicaSet
from pilothouse.controllers.deployment.revisions import replicas_of, wanted
from pilothouse.controllers.deployment.rollout import max_unavailable, total
from pilothouse.runtime.clock import Instant, format_time, parse_time

AVAILABLE, PROGRESSING, REPLICA_FAILURE = "Available", "Progressing", "ReplicaFailure"
COMPLETE, TIMED_OUT = "NewReplicaSetAvailable", "ProgressDeadlineExceeded"
PAUSED, RESUMED = "DeploymentPaused", "DeploymentResumed"
_NEVER = 2**31 - 1


def put(conditions: list[JsonObject], new: JsonObject, now: Instant) -> None:
    """Set a condition, unless it has this status and reason already: then it keeps its message and times."""
    old = find(conditions, new["type"])
    if old is not None and old["status"] == new["status"] and old.get("reason") == new.get("reason"):
        return
    stamp = format_time(now)
    kept = old["lastTransitionTime"] if old is not None and old["status"] == new["status"] else stamp
    remove_condition(conditions, new["type"])
    conditions.append({"lastUpdateTime": stamp, "lastTransitionTime": kept, **new})


def deadline_of(deployment: Deployment) -> int | None:
    """Seconds without progress after which a rollout has failed."""
    seconds = deployment.spec.progressDeadlineSeconds
    return None if seconds == _NEVER else seconds


def conditions_of(deployment: Deployment, now: Instant) -> list[JsonObject]:
    """The conditions as they are, where being paused or resumed has been noted."""
    conditions = [dict(found.raw) for found in deployment.status.conditions]
    progressing = find(conditions, PROGRESSING) or {}
    reason = progressing.get("reason")
    if deadline_of(deployment) is None or reason == TIMED_OUT:
        return conditions
    if deployment.spec.paused and reason != PAUSED:
        put(conditions, condition(PROGRESSING, UNKNOWN, PAUSED, "Deployment is paused"), now)
    elif not deployment.spec.paused and reason == PAUSED:
        put(conditions, condition(PROGRESSING, UNKNOWN, RESUMED, "Deployment is resumed"), now)
    return conditions


def plan_status(
    deployment: Deployment,
    new: ReplicaSet | None,
    old: Sequence[ReplicaSet],
    conditions: list[JsonObject],
    now: Instant,
) -> JsonObject:
    """Count, and say whether enough is available. `conditions` are those to begin with; they are changed."""
    everything = [*old, *([new] if new is not None else [])]
    available = sum(found.status.availableReplicas or 0 for found in everything)
    if available >= wanted(deployment) - max_unavailable(deployment):
        told = condition(AVAILABLE, TRUE, "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        message = "Deployment does not have minimum availability."
        told = condition(AVAILABLE, FALSE, "MinimumReplicasUnavailable", message)
    put(conditions, told, now)
    status: JsonObject = {
        "observedGeneration": deployment.metadata.generation or 0,
        "replicas": sum(found.status.replicas or 0 for found in everything),
        "updatedReplicas": (new.status.replicas or 0) if new is not None else 0,
        "readyReplicas": sum(found.status.readyReplicas or 0 for found in everything),
        "availableReplicas": available,
        "unavailableReplicas": max(0, total(everything) - available),
        "conditions": conditions,
    }
    terminating = [found.status.terminatingReplicas for found in everything]
    if None not in terminating:
        status["terminatingReplicas"] = sum(count or 0 for count in terminating)
    if deployment.status.collisionCount is not None:
        status["collisionCount"] = deployment.status.collisionCount
    return status


def note_progress(
    deployment: Deployment, new: ReplicaSet | None, old: Sequence[ReplicaSet], status: JsonObject, now: Instant
) -> None:
    """Add what a rollout says of itself to a planned status: complete, getting on, timed out, failing."""
    conditions: list[JsonObject] = status["conditions"]
    current = find(conditions, PROGRESSING) or {}
    if deadline_of(deployment) is None:
        remove_condition(conditions, PROGRESSING)
    elif status["replicas"] != status["updatedReplicas"] or current.get("reason") != COMPLETE:
        _judge(deployment, new, status, now)
    failure = _failure(new, old)
    if failure is None:
        remove_condition(conditions, REPLICA_FAILURE)
    else:
        put(conditions, failure, now)


def _judge(deployment: Deployment, new: ReplicaSet | None, status: JsonObject, now: Instant) -> None:
    conditions: list[JsonObject] = status["conditions"]
    current = find(conditions, PROGRESSING)
    name = f'ReplicaSet "{new.metadata.name}"' if new is not None else f'Deployment "{deployment.metadata.name}"'
    if is_complete(deployment, status):
        put(conditions, condition(PROGRESSING, TRUE, COMPLETE, f"{name} has successfully progressed."), now)
    elif _gets_on(deployment, status):
        told = condition(PROGRESSING, TRUE, "ReplicaSetUpdated", f"{name} is progressing.")
        if current is not None and current["status"] == TRUE:
            told["lastTransitionTime"] = current["lastTransitionTime"]
        remove_condition(conditions, PROGRESSING)
        put(conditions, told, now)
    elif _timed_out(deployment, conditions, now):
        put(conditions, condition(PROGRESSING, FALSE, TIMED_OUT, f"{name} has timed out progressing."), now)


def is_complete(deployment: Deployment, status: JsonObject) -> bool:
    """Whether all pods are new and available, and nobody has asked for anything else since."""
    counts = (status.get("updatedReplicas") or 0, status.get("replicas") or 0, status.get("availableReplicas") or 0)
    seen = (status.get("observedGeneration") or 0) >= (deployment.metadata.generation or 0)
    return seen and all(count == wanted(deployment) for count in counts)


def _gets_on(deployment: Deployment, status: JsonObject) -> bool:
    before = deployment.status
    left = (before.replicas or 0) - (before.updatedReplicas or 0)
    return bool(
        status["updatedReplicas"] > (before.updatedReplicas or 0)
        or status["replicas"] - status["updatedReplicas"] < left
        or status["readyReplicas"] > (before.readyReplicas or 0)
        or status["availableReplicas"] > (before.availableReplicas or 0)
    )


def _timed_out(deployment: Deployment, conditions: Sequence[JsonObject], now: Instant) -> bool:
    current = find(conditions, PROGRESSING)
    if current is None or current.get("reason") == COMPLETE:
        return False
    deadline = deadline_of(deployment) or 0
    return current.get("reason") == TIMED_OUT or parse_time(current["lastUpdateTime"]) + deadline < now


def _failure(new: ReplicaSet | None, old: Sequence[ReplicaSet]) -> JsonObject | None:
    """A ReplicaSet's failure to create or delete pods, that of the new one first."""
    for found in [*([new] if new is not None else []), *old]:
        failed = find([entry.raw for entry in found.status.conditions], REPLICA_FAILURE)
        if failed is not None:
            return {**failed, "lastUpdateTime": failed.get("lastTransitionTime")}
    return None


def seconds_to_deadline(deployment: Deployment, status: JsonObject, now: Instant) -> float | None:
    """When to look whether the rollout has stalled; None where that cannot be or has been found out."""
    current = find(status["conditions"], PROGRESSING)
    deadline = deadline_of(deployment)
    if current is None or deadline is None or current.get("reason") in (TIMED_OUT, COMPLETE):
        return None
    if deployment.spec.paused or is_complete(deployment, status):
        return None
    return max(0.0, parse_time(current["lastUpdateTime"]) + deadline - now) + 1.0


def size_words(replica_set: ReplicaSet, replicas: int) -> str:
    """How an event tells a change of size."""
    before = replicas_of(replica_set)
    direction = "up" if replicas > before else "down"
    return f"Scaled {direction} replica set {replica_set.metadata.name} from {before} to {replicas}"
