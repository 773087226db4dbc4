"""Replicas: as many pods of one template as were asked for, by a ReplicaSet or a ReplicationController.

Counts the active pods it controls, creates what is missing and deletes what is too many, those first whose loss hurts
least, and reports. What it has done and not yet seen is in its expectations. The kinds differ in how their selector is
written, which `selector_of` knows, and in one count of their status. Upstream: pkg/controller/replicaset.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pilothouse.api.machinery.conditions import TRUE, condition, find, remove_condition
from pilothouse.api.machinery.errors import NotFound, StatusError
from pilothouse.api.machinery.selectors import from_labels
from pilothouse.api.machinery.view import JsonObject, View
from pilothouse.api.types.apps_v1 import ReplicaSet
from pilothouse.api.types.core_v1 import Pod, ReplicationController
from pilothouse.client.informer import Lister
from pilothouse.client.key import Key
from pilothouse.reconcile.controller import Again, Controller, Tools
from pilothouse.reconcile.expectations import Expectations
from pilothouse.reconcile.ownership import (
    CONTROLLER,
    candidates,
    claim,
    controller_of,
    index_by_controller,
    selector_of,
)
from pilothouse.reconcile.pod_control import PodControl, all_at_once, is_namespace_terminating, slow_start
from pilothouse.reconcile.pods import available_at, deletion_order, is_active, is_available, is_ready, is_terminating
from pilothouse.reconcile.status import update_status
from pilothouse.runtime.clock import Instant, format_time

Replicated = ReplicaSet | ReplicationController
BURST = 500
"""At most so many pods are created or deleted before it looks again."""
FAILURE = "ReplicaFailure"


@dataclass(frozen=True, slots=True)
class Scaling:
    """What is to be done: create so many, or delete these."""

    create: int = 0
    delete: tuple[Pod, ...] = ()


def plan_scaling(wanted: int, pods: Sequence[Pod], related: Sequence[Pod], now: Instant) -> Scaling:
    """From the active pods to the wanted number. `related` are the pods of all that have the same owner."""
    missing = wanted - len(pods)
    if missing >= 0:
        return Scaling(create=min(missing, BURST))
    return Scaling(delete=tuple(deletion_order(pods, related, now)[: min(-missing, BURST)]))


def plan_status(
    replicated: Replicated,
    pods: Sequence[Pod],
    terminating: int | None,
    failure: str | None,
    now: Instant,
) -> JsonObject:
    """The status to report. `failure` is why the last scaling failed; `terminating` is None where it is not told."""
    spec = replicated.spec
    min_ready = spec.minReadySeconds or 0
    labels = from_labels(spec.template.metadata.labels)
    status: JsonObject = {
        "replicas": len(pods),
        "fullyLabeledReplicas": sum(labels.matches(pod.metadata.labels) for pod in pods),
        "readyReplicas": sum(is_ready(pod) for pod in pods),
        "availableReplicas": sum(is_available(pod, min_ready, now) for pod in pods),
        "observedGeneration": replicated.metadata.generation or 0,
    }
    if terminating is not None:
        status["terminatingReplicas"] = terminating
    conditions = [dict(found.raw) for found in replicated.status.conditions]
    if failure is None:
        remove_condition(conditions, FAILURE)
    elif find(conditions, FAILURE) is None:
        reason = "FailedCreate" if len(pods) < wanted_replicas(replicated) else "FailedDelete"
        conditions.append(condition(FAILURE, TRUE, reason, failure) | {"lastTransitionTime": format_time(now)})
    if conditions:
        status["conditions"] = conditions
    return status


def plan_look_again(pods: Sequence[Pod], min_ready: int, now: Instant) -> Again | None:
    """When the next ready pod will have been ready for long enough."""
    if not min_ready:
        return None
    times = [at for pod in pods if (at := available_at(pod, min_ready)) is not None and at > now]
    return Again(min(times) - now) if times else None


def wanted_replicas(replicated: Replicated) -> int:
    """How many pods were asked for."""
    return 1 if replicated.spec.replicas is None else replicated.spec.replicas


class ReplicasController(Controller):
    """Keeps the number of pods for the objects of one kind."""

    kind: ClassVar[type[Replicated]]
    """Whose pods they are."""
    tells_terminating: ClassVar[bool] = True
    """Whether the status of the kind has a place for the pods that are on their way out."""

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self._sets: Lister[Any] = self.informers.of(self.kind).lister
        self._pods = self.informers.of(Pod).lister
        self.informers.of(self.kind).add_index(CONTROLLER, index_by_controller)
        self.informers.of(Pod).add_index(CONTROLLER, index_by_controller)
        self._expectations = Expectations(self.clock)
        self._control = PodControl(self.client, self.events)
        self._kind_name = self.client.resource(self.kind).name

    def observe(self, old: View | None, new: View | None) -> None:
        """Meet expectations: a pod has come, or has gone or been told to go."""
        pod = new if new is not None else old
        if not isinstance(pod, Pod):
            return
        reference = controller_of(pod)
        if reference.kind != self._kind_name:
            return
        key = Key(pod.metadata.namespace, reference.name)
        if new is None or pod.metadata.deletionTimestamp is not None:
            self._expectations.deleted(key, Key.of(pod))
        elif old is None:
            self._expectations.created(key)

    async def reconcile(self, key: Key) -> Again | None:
        """Create, delete, report."""
        replicated: Replicated | None = self._sets.get(key)
        if replicated is None:
            self._expectations.forget(key)
            return None
        may_scale = self._expectations.satisfied(key) and replicated.metadata.deletionTimestamp is None
        pods = await self._claim(replicated)
        failure: Exception | None = None
        if may_scale:
            failure = await self._scale(key, replicated, pods)
        now = self.clock.now()
        said = None if failure is None else getattr(failure, "message", str(failure))
        status = plan_status(replicated, pods, self._terminating(replicated), said, now)
        try:
            await update_status(self.client, self.kind, replicated, status)
        except NotFound:
            return None
        if failure is not None:
            raise failure
        patience = self._expectations.patience(key)
        return plan_look_again(pods, replicated.spec.minReadySeconds or 0, now) or (
            Again(patience) if patience else None
        )

    def _terminating(self, replicated: Replicated) -> int | None:
        if not self.tells_terminating:
            return None
        return sum(is_terminating(pod) for pod in self._pods.by_index(CONTROLLER, replicated.metadata.uid))

    async def _claim(self, replicated: Replicated) -> list[Pod]:
        active = [pod for pod in candidates(self._pods, replicated) if is_active(pod)]
        return await claim(self.client, Pod, replicated, selector_of(replicated), active)

    async def _scale(self, key: Key, replicated: Replicated, pods: list[Pod]) -> StatusError | OSError | None:
        wanted = wanted_replicas(replicated)
        related = self._related(replicated) if len(pods) > wanted else []
        scaling = plan_scaling(wanted, pods, related, self.clock.now())
        if scaling.create:
            return await self._create(key, replicated, scaling.create)
        if scaling.delete:
            return await self._delete(key, replicated, scaling.delete)
        return None

    async def _create(self, key: Key, replicated: Replicated, count: int) -> StatusError | OSError | None:
        self._expectations.expect_creations(key, count)
        done, failure = await slow_start(count, self._control.creation(replicated, replicated.spec.template))
        if done < count:
            self._expectations.created(key, count - done)
        gone = isinstance(failure, StatusError) and is_namespace_terminating(failure)
        return None if gone else failure

    async def _delete(self, key: Key, replicated: Replicated, pods: Sequence[Pod]) -> StatusError | OSError | None:
        self._expectations.expect_deletions(key, [Key.of(pod) for pod in pods])

        async def delete(pod: Pod) -> None:
            try:
                await self._control.delete(replicated, pod)
            except NotFound:
                self._expectations.deleted(key, Key.of(pod))
            except (StatusError, OSError):
                self._expectations.deleted(key, Key.of(pod))
                raise

        failures = await all_at_once([lambda pod=pod: delete(pod) for pod in pods])  # type: ignore[misc]
        return failures[0] if failures else None

    def _related(self, replicated: Replicated) -> list[Pod]:
        """The pods of all ReplicaSets that have the same owner: a Deployment's old and new ones share nodes."""
        reference = controller_of(replicated)
        siblings = self._sets.by_index(CONTROLLER, reference.uid) if reference else [replicated]
        return [pod for sibling in siblings for pod in self._pods.by_index(CONTROLLER, sibling.metadata.uid)]
