"""The Deployment controller: claims its ReplicaSets, carries out the plan, reports.

Nothing here decides how many: see `rollout`. Writes to ReplicaSets carry the resourceVersion that the plan was made
from, so that a plan made from an old copy fails as a Conflict and is made again.
"""

from collections.abc import Iterable, Sequence

from pilothouse.api.machinery.conditions import FALSE, TRUE, condition, find
from pilothouse.api.machinery.errors import AlreadyExists, NotFound, StatusError
from pilothouse.api.machinery.selectors import from_label_selector
from pilothouse.api.machinery.view import JsonObject, View
from pilothouse.api.types.apps_v1 import Deployment, ReplicaSet
from pilothouse.api.types.core_v1 import Pod
from pilothouse.client.informer import Informers
from pilothouse.client.key import Key
from pilothouse.controllers.deployment import revisions, rollout, status
from pilothouse.controllers.deployment.revisions import REVISION, new_and_old, replicas_of, wanted
from pilothouse.controllers.deployment.rollout import Resize
from pilothouse.reconcile.controller import (
    EVENTS,
    Again,
    Controller,
    Tools,
    Watch,
    itself,
    nothing,
    owner,
    rule,
    selecting,
)
from pilothouse.reconcile.ownership import (
    CONTROLLER,
    candidates,
    claim,
    controller_of,
    controller_reference,
    index_by_controller,
    is_controlled_by,
)
from pilothouse.reconcile.pod_control import is_namespace_terminating
from pilothouse.reconcile.status import same_status

_ENDED = ("Succeeded", "Failed")
Sets = tuple[ReplicaSet | None, list[ReplicaSet]]


def recreating(pod: Pod, informers: Informers) -> Iterable[Key]:
    """The Deployment of a pod where that waits for its old pods to go."""
    reference = controller_of(pod)
    if reference.kind != "ReplicaSet":
        return ()
    replica_set = informers.of(ReplicaSet).lister.get(Key(pod.metadata.namespace, reference.name))
    keys = tuple(owner(Deployment)(replica_set, informers)) if replica_set is not None else ()
    found = [informers.of(Deployment).lister.get(key) for key in keys]
    return [Key.of(deployment) for deployment in found if deployment is not None and not rollout.is_rolling(deployment)]


class DeploymentController(Controller):
    """Rolls templates out."""

    name = "deployment-controller"
    watches = (
        Watch(Deployment, itself),
        Watch(ReplicaSet, owner(Deployment)),
        Watch(ReplicaSet, selecting(Deployment)),
        Watch(Pod, nothing),
    )
    rules = (
        rule(("apps", "extensions"), ("deployments",), ("get", "list", "watch", "update")),
        rule(("apps", "extensions"), ("deployments/status",), ("update",)),
        rule(("apps", "extensions"), ("deployments/finalizers",), ("update",)),
        rule(
            ("apps", "extensions"),
            ("replicasets",),
            ("get", "list", "watch", "create", "update", "patch", "delete"),
        ),
        rule(("",), ("pods",), ("get", "list", "update", "watch")),
        EVENTS,
    )

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self._deployments = self.informers.of(Deployment).lister
        self._sets = self.informers.of(ReplicaSet).lister
        self._pods = self.informers.of(Pod).lister
        self.informers.of(ReplicaSet).add_index(CONTROLLER, index_by_controller)
        self.informers.of(Pod).add_index(CONTROLLER, index_by_controller)

    def observe(self, old: View | None, new: View | None) -> None:
        """Queue the Deployment that may have waited for this pod to go, or to end."""
        pod = new if new is not None else old
        if isinstance(pod, Pod) and (new is None or pod.status.phase in _ENDED):
            for key in recreating(pod, self.informers):
                self.queue.add(key)

    async def reconcile(self, key: Key) -> Again | None:
        """One step of the rollout, or of a change of size."""
        deployment = self._deployments.get(key)
        if deployment is None:
            return None
        selector = from_label_selector(deployment.spec.selector)
        if selector.everything:
            message = "This deployment is selecting all pods. A non-empty selector is required."
            self.events.event(deployment, "Warning", "SelectingAll", message)
            return None
        claimed = await claim(self.client, ReplicaSet, deployment, selector, candidates(self._sets, deployment))
        new, old = new_and_old(deployment, claimed)
        conditions = status.conditions_of(deployment, self.clock.now())
        if deployment.metadata.deletionTimestamp is not None:
            return await self._report(deployment, (new, old), conditions, rolling=False)
        if new is not None:
            new = await self._annotate(deployment, new, old, conditions)
        paused = bool(deployment.spec.paused)
        if paused or rollout.is_scaling(deployment, [*old, *([new] if new is not None else [])]):
            sets = await self._resize(deployment, (new, old), rollout.plan_scaling(deployment, new, old))
            if paused:
                await self._clean_up(deployment, sets[1])
            return await self._report(deployment, sets, conditions, rolling=False)
        sets = await self._roll(deployment, (new, old), conditions)
        return await self._report(deployment, sets, conditions, rolling=True)

    async def _roll(self, deployment: Deployment, sets: Sets, conditions: list[JsonObject]) -> Sets:
        new, old = sets
        if not rollout.is_rolling(deployment):
            down = [Resize(found, 0) for found in rollout.active(old)]
            if down:
                return await self._resize(deployment, sets, down)
            if self._has_pods(old):
                return sets
        if new is None:
            new = await self._create(deployment, old, conditions)
        if rollout.is_rolling(deployment):
            steps = rollout.plan_rolling(deployment, new, old)
        else:
            steps = [Resize(new, wanted(deployment))] if replicas_of(new) != wanted(deployment) else []
        if not steps and status.is_complete(deployment, dict(deployment.status.raw)):
            await self._clean_up(deployment, old)
        return await self._resize(deployment, (new, old), steps)

    def _has_pods(self, old: Sequence[ReplicaSet]) -> bool:
        """Whether any pod of an old ReplicaSet has not ended."""
        pods = [pod for found in old for pod in self._pods.by_index(CONTROLLER, found.metadata.uid)]
        ended = all(pod.status.phase in _ENDED for pod in pods)
        return not ended or any(found.status.replicas for found in old)

    async def _annotate(
        self, deployment: Deployment, new: ReplicaSet, old: Sequence[ReplicaSet], conditions: list[JsonObject]
    ) -> ReplicaSet:
        """Bring the new ReplicaSet's annotations and its patience up to date."""
        changes = revisions.new_annotations(deployment, new, old)
        min_ready = deployment.spec.minReadySeconds or 0
        if changes or (new.spec.minReadySeconds or 0) != min_ready:
            new = await self._change(new, changes, {"minReadySeconds": min_ready})
        if status.deadline_of(deployment) is not None and find(conditions, status.PROGRESSING) is None:
            message = f'Found new replica set "{new.metadata.name}"'
            told = condition(status.PROGRESSING, TRUE, "FoundNewReplicaSet", message)
            status.put(conditions, told, self.clock.now())
        return new

    async def _create(
        self, deployment: Deployment, old: Sequence[ReplicaSet], conditions: list[JsonObject]
    ) -> ReplicaSet:
        annotations = {
            **revisions.new_annotations(deployment, None, old),
            **revisions.replicas_annotations(deployment, rollout.max_surge(deployment)),
        }
        reference = controller_reference(deployment, self.client.resource(Deployment))
        size = rollout.first_size(deployment, old)
        manifest = revisions.new_replica_set(deployment, reference, annotations, size)
        try:
            new = await self.client.create(ReplicaSet, manifest)
        except AlreadyExists:
            return await self._created_before(deployment, manifest)
        except StatusError as error:
            if not is_namespace_terminating(error):
                await self._tell_failure(deployment, conditions, manifest["metadata"]["name"], error)
            raise
        if size:
            message = f"Scaled up replica set {new.metadata.name} from 0 to {size}"
            self.events.event(deployment, "Normal", "ScalingReplicaSet", message)
        if status.deadline_of(deployment) is not None:
            message = f'Created new replica set "{new.metadata.name}"'
            told = condition(status.PROGRESSING, TRUE, "NewReplicaSetCreated", message)
            status.put(conditions, told, self.clock.now())
        return new

    async def _created_before(self, deployment: Deployment, manifest: JsonObject) -> ReplicaSet:
        """The name is taken: by what our copy does not show yet, or by a template with the same hash."""
        meta = deployment.metadata
        found = await self.client.get(ReplicaSet, manifest["metadata"]["name"], meta.namespace)
        if is_controlled_by(found, deployment) and revisions.same_template(
            found.spec.template, deployment.spec.template
        ):
            return found
        collisions = (deployment.status.collisionCount or 0) + 1
        await self._write(deployment, {**deployment.status.literal(), "collisionCount": collisions}, {})
        raise AlreadyExists(f'hash collision of replica set "{found.metadata.name}", taking the next')

    async def _tell_failure(
        self, deployment: Deployment, conditions: list[JsonObject], name: str, error: StatusError
    ) -> None:
        message = f'Failed to create new replica set "{name}": {error.message}'
        self.events.event(deployment, "Warning", "ReplicaSetCreateError", message)
        if status.deadline_of(deployment) is not None:
            told = condition(status.PROGRESSING, FALSE, "ReplicaSetCreateError", message)
            status.put(conditions, told, self.clock.now())
            await self._write(deployment, {**deployment.status.literal(), "conditions": conditions}, {})

    async def _resize(self, deployment: Deployment, sets: Sets, steps: Sequence[Resize]) -> Sets:
        """Carry out the steps. Returns the sets as they are then."""
        annotations = revisions.replicas_annotations(deployment, rollout.max_surge(deployment))
        changed: dict[str, ReplicaSet] = {}
        for step in steps:
            known = step.replica_set
            resized = replicas_of(known) != step.replicas
            if resized or any(known.metadata.annotations.get(name) != text for name, text in annotations.items()):
                fresh = await self._change(known, annotations, {"replicas": step.replicas})
                changed[fresh.metadata.name] = fresh
            if resized:
                words = status.size_words(known, step.replicas)
                self.events.event(deployment, "Normal", "ScalingReplicaSet", words)
        new, old = sets
        if new is not None:
            new = changed.get(new.metadata.name, new)
        return new, [changed.get(found.metadata.name, found) for found in old]

    async def _change(self, replica_set: ReplicaSet, annotations: dict[str, str], spec: JsonObject) -> ReplicaSet:
        meta = replica_set.metadata
        metadata: JsonObject = {"resourceVersion": meta.resourceVersion, "annotations": annotations}
        return await self.client.patch(ReplicaSet, meta.name, meta.namespace, {"metadata": metadata, "spec": spec})

    async def _clean_up(self, deployment: Deployment, old: Sequence[ReplicaSet]) -> None:
        for found in revisions.plan_cleanup(deployment, old):
            try:
                await self.client.delete(
                    ReplicaSet, found.metadata.name, found.metadata.namespace, uid=found.metadata.uid
                )
            except NotFound:
                continue

    async def _report(
        self, deployment: Deployment, sets: Sets, conditions: list[JsonObject], *, rolling: bool
    ) -> Again | None:
        new, old = sets
        now = self.clock.now()
        planned = status.plan_status(deployment, new, old, conditions, now)
        if rolling:
            status.note_progress(deployment, new, old, planned, now)
        revision = new.metadata.annotations.get(REVISION, "") if new is not None else ""
        await self._write(deployment, planned, {REVISION: revision} if revision else {})
        seconds = status.seconds_to_deadline(deployment, planned, now)
        return None if seconds is None else Again(seconds)

    async def _write(self, deployment: Deployment, planned: JsonObject, annotations: dict[str, str]) -> None:
        """Write status and annotations in one go: a Deployment's status endpoint takes both."""
        meta = deployment.metadata
        known = all(meta.annotations.get(name) == text for name, text in annotations.items())
        if known and same_status(deployment, planned):
            return
        metadata = {**deployment.raw["metadata"], "annotations": {**meta.annotations, **annotations}}
        manifest = {**deployment.raw, "metadata": metadata, "status": planned}
        try:
            await self.client.update(Deployment, manifest, subresource="status")
        except NotFound:
            return
