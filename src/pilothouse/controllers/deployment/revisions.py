"""Revisions: each template that a Deployment ever had is a ReplicaSet, numbered by an annotation.

The new one is the oldest whose template is the Deployment's, so going back to an earlier template takes up its
ReplicaSet again under a new number. Its name ends in a hash of the template, which is also a label of its pods.
Upstream: pkg/controller/deployment/util/deployment_util.go.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.apps_v1 import Deployment, ReplicaSet
from pilothouse.api.types.core_v1 import PodTemplateSpec

HASH_LABEL = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"
_OWN = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "deprecated.deployment.rollback.to",
    REVISION,
    HISTORY,
    DESIRED,
    MAXIMUM,
)
"""Annotations that a ReplicaSet does not take over from its Deployment."""
_HISTORY_LIMIT = 2000
_NO_LIMIT = 2**31 - 1
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_LONGEST_NAME = 253


def replicas_of(replica_set: ReplicaSet) -> int:
    """The size that a ReplicaSet was asked to have."""
    return 1 if replica_set.spec.replicas is None else replica_set.spec.replicas


def wanted(deployment: Deployment) -> int:
    """How many pods were asked for."""
    return 1 if deployment.spec.replicas is None else deployment.spec.replicas


def template_hash(template: PodTemplateSpec, collisions: int | None) -> str:
    """A short text that differs where templates differ; `collisions` tells apart those that happen not to."""
    data = orjson.dumps(dict(template.raw), option=orjson.OPT_SORT_KEYS)
    if collisions is not None:
        data += collisions.to_bytes(8, "little")
    value = 0x811C9DC5
    for byte in data:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return "".join(_ALPHABET[ord(digit) % len(_ALPHABET)] for digit in str(value))


def same_template(one: PodTemplateSpec, other: PodTemplateSpec) -> bool:
    """Whether both make the same pods; the hash label does not count, nor do an empty list or map and its absence."""
    return bool(_essence(one) == _essence(other))


def _essence(template: PodTemplateSpec) -> Any:
    meta = dict(template.raw.get("metadata") or {})
    for name in ("labels", "annotations"):
        kept = {key: value for key, value in (meta.pop(name, None) or {}).items() if key != HASH_LABEL}
        if kept:
            meta[name] = kept
    return {"metadata": _pruned(meta), "spec": _pruned(template.raw.get("spec") or {})}


def _pruned(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _pruned(part) for name, part in value.items() if part not in (None, [])}
    if isinstance(value, list):
        return [_pruned(item) for item in value]
    return value


def _age(replica_set: ReplicaSet) -> tuple[float, str]:
    return replica_set.metadata.creationTimestamp or 0.0, replica_set.metadata.name


def by_age(sets: Sequence[ReplicaSet]) -> list[ReplicaSet]:
    """The oldest first."""
    return sorted(sets, key=_age)


def new_and_old(deployment: Deployment, sets: Sequence[ReplicaSet]) -> tuple[ReplicaSet | None, list[ReplicaSet]]:
    """The ReplicaSet of the Deployment's template, and the others, the oldest first."""
    ordered = by_age(sets)
    template = deployment.spec.template
    new = next((found for found in ordered if same_template(found.spec.template, template)), None)
    return new, [found for found in ordered if found is not new]


def revision_of(replica_set: ReplicaSet) -> int:
    """Its number; 0 where it has none that can be read."""
    return _number(replica_set.metadata.annotations.get(REVISION, ""))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0


def replicas_annotations(deployment: Deployment, surge: int) -> dict[str, str]:
    """What a ReplicaSet remembers of the Deployment's size, by which scaling is told from rolling out."""
    size = wanted(deployment)
    return {DESIRED: str(size), MAXIMUM: str(size + surge)}


def new_annotations(deployment: Deployment, new: ReplicaSet | None, old: Sequence[ReplicaSet]) -> dict[str, str]:
    """The annotations that the new ReplicaSet lacks: those of its Deployment, and its number and earlier numbers."""
    present: Mapping[str, str] = new.metadata.annotations if new is not None else {}
    copied = {
        name: value
        for name, value in deployment.metadata.annotations.items()
        if name not in _OWN and present.get(name) != value
    }
    revision = max([0, *map(revision_of, old)]) + 1
    before = present.get(REVISION)
    if _number(before or "") < revision:
        copied[REVISION] = str(revision)
        if before is not None:
            copied[HISTORY] = _history(present.get(HISTORY, ""), before)
    return copied


def _history(earlier: str, number: str) -> str:
    """Earlier numbers and this one; the earliest are dropped where the text grows too long."""
    numbers = [*(earlier.split(",") if earlier else ()), number]
    while len(numbers) > 1 and len(",".join(numbers)) > _HISTORY_LIMIT:
        del numbers[0]
    return ",".join(numbers)


def new_replica_set(
    deployment: Deployment, reference: JsonObject, annotations: dict[str, str], size: int
) -> JsonObject:
    """The manifest of the ReplicaSet of the Deployment's template."""
    spec, meta = deployment.spec, deployment.metadata
    digest = template_hash(spec.template, deployment.status.collisionCount)
    template = spec.template.literal()
    labels = {**spec.template.metadata.labels, HASH_LABEL: digest}
    template.setdefault("metadata", {})["labels"] = labels
    selector = spec.selector.literal()
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), HASH_LABEL: digest}
    return {
        "metadata": {
            "name": f"{meta.name[: _LONGEST_NAME - len(digest) - 1]}-{digest}",
            "namespace": meta.namespace,
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [reference],
        },
        "spec": {
            "replicas": size,
            "minReadySeconds": spec.minReadySeconds or 0,
            "selector": selector,
            "template": template,
        },
    }


def plan_cleanup(deployment: Deployment, old: Sequence[ReplicaSet]) -> list[ReplicaSet]:
    """The ReplicaSets beyond the limit of history that have nothing any more, the lowest revisions first."""
    limit = deployment.spec.revisionHistoryLimit
    if limit is None or limit == _NO_LIMIT:
        return []
    alive = [found for found in old if found.metadata.deletionTimestamp is None]
    excess = sorted(alive, key=lambda found: (revision_of(found), _age(found)))[: max(0, len(alive) - limit)]
    return [found for found in excess if _is_idle(found)]


def _is_idle(replica_set: ReplicaSet) -> bool:
    status = replica_set.status
    seen = (status.observedGeneration or 0) >= (replica_set.metadata.generation or 0)
    return seen and not status.replicas and not replicas_of(replica_set)
