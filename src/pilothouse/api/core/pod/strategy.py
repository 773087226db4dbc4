"""What the API server sets on a Pod whatever its author wrote.

Source: pkg/registry/core/pod/strategy.go. The main resource never changes status, the status subresource never changes
the spec, and `ephemeralcontainers` and `resize` change only what they are named after. Each function gets the new and
the stored object and changes the new one.
"""

from typing import Any

from pilothouse.api.core.pod.qos import qos_class
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.view import JsonObject

TERMINAL_PHASES = ("Succeeded", "Failed")


def prepare_for_create(pod: JsonObject) -> None:
    """A new pod is Pending; its quality of service is fixed for life."""
    status: JsonObject = {"phase": "Pending", "qosClass": qos_class(pod)}
    pod["status"] = status
    spec = pod.get("spec") or {}
    if spec.get("schedulingGates"):
        created = (pod.get("metadata") or {}).get("creationTimestamp")
        status["conditions"] = [
            {
                "type": "PodScheduled",
                "status": "False",
                "lastProbeTime": None,
                "lastTransitionTime": created,
                "reason": "SchedulingGated",
                "message": "Scheduling is blocked due to non-empty scheduling gates",
            }
        ]
    labels = (pod.get("metadata") or {}).get("labels") or {}
    if affinity := spec.get("affinity"):
        _merge_affinity_label_keys(affinity, labels)
    for constraint in spec.get("topologySpreadConstraints") or ():
        _merge_label_keys(constraint, labels)


def prepare_for_update(pod: JsonObject, old: JsonObject) -> None:
    """Status is not ours to write through the main resource."""
    if "status" in old:
        pod["status"] = old["status"]
    else:
        pod.pop("status", None)


def prepare_for_status_update(pod: JsonObject, old: JsonObject) -> None:
    """Spec, owners and the deletion mark stay; what older kubelets leave out of the status is kept."""
    pod["spec"] = old.get("spec") or {}
    _keep(pod.setdefault("metadata", {}), old.get("metadata") or {}, "ownerReferences", "deletionTimestamp")
    status, before = pod.setdefault("status", {}), old.get("status") or {}
    for name in ("qosClass", "observedGeneration"):
        if not status.get(name) and before.get(name):
            status[name] = before[name]
    generations: dict[str, list[Any]] = {}
    for condition in before.get("conditions") or ():
        generations.setdefault(condition.get("type"), []).append(condition.get("observedGeneration"))
    for condition in status.get("conditions") or ():
        earlier = generations.get(condition.get("type"))
        generation = earlier.pop(0) if earlier else None
        if generation and not condition.get("observedGeneration"):
            condition["observedGeneration"] = generation


def leave_to_the_path(pod: JsonObject, old: JsonObject) -> None:
    """Put nothing back: the path itself made the new object out of the stored one."""


def bound_once(pod: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Find no error: a binding that may not be is a conflict, which is found when it is made."""


def prepare_for_ephemeral_containers(pod: JsonObject, old: JsonObject) -> None:
    """Of the new object only `spec.ephemeralContainers` counts."""
    containers = (pod.get("spec") or {}).get("ephemeralContainers")
    pod["spec"] = dict(old.get("spec") or {})
    pod["spec"].pop("ephemeralContainers", None)
    if containers is not None:
        pod["spec"]["ephemeralContainers"] = containers
    prepare_for_update(pod, old)
    _keep_metadata(pod, old)


def prepare_for_resize(pod: JsonObject, old: JsonObject) -> None:
    """Of the new object only resources and resize policies count.

    Added, removed or renamed containers are left in place for validation to refuse.
    """
    new_spec, old_spec = pod.get("spec") or {}, old.get("spec") or {}
    merged: dict[str, Any] = {}
    for name in ("containers", "initContainers"):
        new, before = new_spec.get(name) or [], old_spec.get(name) or []
        if len(new) != len(before):
            return
        if [container.get("name") for container in new] != [container.get("name") for container in before]:
            merged[name] = new
            continue
        merged[name] = [_with_resources(one, other) for one, other in zip(before, new, strict=True)]
    pod["spec"] = {**old_spec, **{name: containers for name, containers in merged.items() if containers}}
    _keep(pod["spec"], new_spec, "resources")
    prepare_for_update(pod, old)
    _keep_metadata(pod, old)


def _with_resources(container: JsonObject, new: JsonObject) -> JsonObject:
    changed = dict(container)
    _keep(changed, new, "resources", "resizePolicy")
    return changed


def _keep_metadata(pod: JsonObject, old: JsonObject) -> None:
    """Resets all metadata that a subresource does not change, as a status update does."""
    _keep(
        pod.setdefault("metadata", {}),
        old.get("metadata") or {},
        "deletionTimestamp", "generation", "selfLink", "labels", "annotations", "finalizers", "ownerReferences",
    )  # fmt: skip


def _keep(new: JsonObject, old: JsonObject, *names: str) -> None:
    for name in names:
        if name in old:
            new[name] = old[name]
        else:
            new.pop(name, None)


def grace_period(pod: JsonObject, asked: int | None) -> int:
    """Seconds a deletion leaves the pod: none where no node runs it, or where it has ended."""
    spec = pod.get("spec") or {}
    period = asked if asked is not None else spec.get("terminationGracePeriodSeconds") or 0
    if not spec.get("nodeName") or (pod.get("status") or {}).get("phase") in TERMINAL_PHASES:
        return 0
    return 1 if period < 0 else period


def _merge_affinity_label_keys(affinity: JsonObject, labels: JsonObject) -> None:
    for kind in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(kind) or {}
        for preferred in rules.get("preferredDuringSchedulingIgnoredDuringExecution") or ():
            if term := preferred.get("podAffinityTerm"):
                _merge_label_keys(term, labels)
        for term in rules.get("requiredDuringSchedulingIgnoredDuringExecution") or ():
            _merge_label_keys(term, labels)


def _merge_label_keys(term: JsonObject, labels: JsonObject) -> None:
    """Write the pod's own values of `matchLabelKeys` and `mismatchLabelKeys` into the term's selector."""
    selector = term.get("labelSelector")
    if selector is None:
        return  # matches nothing, and shall go on doing so
    for field, operator in (("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn")):
        for key in term.get(field) or ():
            if key in labels:
                requirement = {"key": key, "operator": operator, "values": [labels[key]]}
                selector.setdefault("matchExpressions", []).append(requirement)
