"""What may change on a pod that exists: little, for a pod is replaced rather than changed.

Source: ValidatePodUpdate and its relatives in pkg/apis/core/validation/validation.go. All functions get the new and the
stored object.
"""

import json
from difflib import unified_diff
from typing import Any

from pilothouse.api.core.pod.validation.annotations import validate_annotation_changes
from pilothouse.api.core.pod.validation.spec import MAX_DEADLINE
from pilothouse.api.machinery import names
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.view import JsonObject

UPDATABLE = (
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)

_CONTEXT = 10
"""Lines that are the same around what differs."""
_COMPARED = 2000
"""Lines that are compared one with another."""
_SHOWN = 500
"""Lines of a longer difference that are shown."""


def validate_update(pod: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Check a change through the main resource."""
    check_annotations(pod, old, errors)
    spec, before = pod.get("spec") or {}, old.get("spec") or {}
    for kind in ("containers", "initContainers"):
        if len(spec.get(kind) or ()) != len(before.get(kind) or ()):
            errors.forbidden(f"spec.{kind}", "pod updates may not add or remove containers")
            return
    if not _validate_deadline(spec, before, errors):
        return
    _validate_tolerations(spec, before, errors)
    _validate_scheduling_gates(spec, before, errors)
    if spec == before:
        return
    rest = _with_allowed_changes_undone(spec, before)
    if before.get("schedulingGates"):
        _allow_gated_changes(rest, before, errors)
    if not same(rest, before):
        errors.forbidden(
            "spec", f"pod updates may not change fields other than {UPDATABLE}\n{difference(before, rest)}"
        )


def check_annotations(pod: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Annotations that mean something may not change."""
    new_annotations = (pod.get("metadata") or {}).get("annotations") or {}
    old_annotations = (old.get("metadata") or {}).get("annotations") or {}
    if new_annotations != old_annotations:
        validate_annotation_changes(new_annotations, old_annotations, errors, "metadata.annotations")


def _validate_deadline(spec: JsonObject, before: JsonObject, errors: FieldErrors) -> bool:
    """It may appear, and shrink. Returns whether checking goes on."""
    new, old = spec.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds")
    where = "spec.activeDeadlineSeconds"
    if new is None:
        if old is not None:
            errors.invalid(where, None, "must not update from a positive integer to nil value")
        return True
    if wrongs := names.in_range(new, 0, MAX_DEADLINE):
        errors.invalid(where, new, wrongs[0])
        return False
    if old is not None and old < new:
        errors.invalid(where, new, "must be less than or equal to previous value")
        return False
    return True


def _validate_tolerations(spec: JsonObject, before: JsonObject, errors: FieldErrors) -> None:
    def without_seconds(toleration: JsonObject) -> JsonObject:
        return {name: value for name, value in toleration.items() if name != "tolerationSeconds" and value}

    new = [without_seconds(toleration) for toleration in spec.get("tolerations") or ()]
    if any(without_seconds(toleration) not in new for toleration in before.get("tolerations") or ()):
        words = "existing toleration can not be modified except its tolerationSeconds"
        errors.forbidden("spec.tolerations", words)


def _validate_scheduling_gates(spec: JsonObject, before: JsonObject, errors: FieldErrors) -> None:
    old = {gate.get("name") for gate in before.get("schedulingGates") or ()}
    for position, gate in enumerate(spec.get("schedulingGates") or ()):
        if gate.get("name") not in old:
            words = f"only deletion is allowed, but found new scheduling gate '{gate.get('name')}'"
            errors.forbidden(f"spec.schedulingGates[{position}].name", words)


def _with_allowed_changes_undone(spec: JsonObject, before: JsonObject) -> JsonObject:
    rest = dict(spec)
    for kind in ("containers", "initContainers"):
        if rest.get(kind):
            rest[kind] = [
                {**container, "image": stored.get("image")}
                for container, stored in zip(rest[kind], before[kind], strict=True)
            ]
    for name in ("activeDeadlineSeconds", "schedulingGates", "tolerations"):
        _put(rest, name, before.get(name))
    grace = before.get("terminationGracePeriodSeconds")
    if grace is not None and grace < 0 and rest.get("terminationGracePeriodSeconds") == 1:
        rest["terminationGracePeriodSeconds"] = grace
    return rest


def _put(obj: JsonObject, name: str, value: Any) -> None:
    if value is None:
        obj.pop(name, None)
    else:
        obj[name] = value


def _allow_gated_changes(rest: JsonObject, before: JsonObject, errors: FieldErrors) -> None:
    """A pod that waits at a gate may be narrowed to fewer nodes."""
    new, old = rest.get("nodeSelector") or {}, before.get("nodeSelector") or {}
    if new != old:
        if any(new.get(key) != value for key, value in old.items()):
            words = "only additions are allowed (no mutations or deletions)"
            errors.invalid("spec.nodeSelector", new, words)
        _put(rest, "nodeSelector", before.get("nodeSelector"))
    affinity, old_affinity = rest.get("affinity") or {}, before.get("affinity") or {}
    new_node, old_node = affinity.get("nodeAffinity"), old_affinity.get("nodeAffinity")
    if new_node != old_node:
        _validate_node_affinity(new_node, old_node or {}, errors)
        affinity = dict(affinity)
        _put(affinity, "nodeAffinity", old_node)
        _put(rest, "affinity", affinity or before.get("affinity"))


def _validate_node_affinity(new: JsonObject | None, old: JsonObject, errors: FieldErrors) -> None:
    field = "requiredDuringSchedulingIgnoredDuringExecution"
    required = old.get(field)
    if not required or not required.get("nodeSelectorTerms"):
        return
    path = f"spec.affinity.nodeAffinity.{field}.nodeSelectorTerms"
    terms = ((new or {}).get(field) or {}).get("nodeSelectorTerms") or []
    before = required["nodeSelectorTerms"]
    if len(terms) != len(before):
        errors.invalid(path, terms, "no additions/deletions to non-empty NodeSelectorTerms list are allowed")
        return
    for position, (term, stored) in enumerate(zip(terms, before, strict=True)):
        for name in ("matchExpressions", "matchFields"):
            kept = stored.get(name) or []
            if (term.get(name) or [])[: len(kept)] != kept:
                words = "only additions are allowed (no mutations or deletions)"
                errors.invalid(f"{path}[{position}]", term, words)
                break


def same(one: Any, other: Any) -> bool:
    """Equal, where absent, null and empty are the same."""
    if isinstance(one, dict) or isinstance(other, dict):
        left, right = one or {}, other or {}
        return all(same(left.get(key), right.get(key)) for key in {**left, **right})
    if isinstance(one, list) or isinstance(other, list):
        left, right = one or [], other or []
        return len(left) == len(right) and all(map(same, left, right))
    return bool(one == other or (not one and not other))


def difference(old: Any, new: Any) -> str:
    """A unified diff of the two as indented JSON, as upstream shows it (under its Go names there).

    What costs the square of its length is done for what people write: of more, all that lies between what begins and
    ends alike is one difference, and its first lines must do.
    """
    before, after = _lines(old), _lines(new)
    if len(before) + len(after) <= _COMPARED:
        return "".join(unified_diff(before, after, "expected", "got", n=_CONTEXT))
    start = _alike(before, after)
    end = _alike(before[start:][::-1], after[start:][::-1])
    first, last = max(0, start - _CONTEXT), min(end, _CONTEXT)
    gone, come = before[start : len(before) - end], after[start : len(after) - end]
    sizes = (f"{first + 1},{start - first + len(part) + last}" for part in (gone, come))
    return "".join((
        "--- expected\n+++ got\n@@ -{} +{} @@\n".format(*sizes),
        *(f" {line}" for line in before[first:start]),
        *_shown("-", gone),
        *_shown("+", come),
        *(f" {line}" for line in after[len(after) - end :][:last]),
    ))  # fmt: skip


def _alike(one: list[str], other: list[str]) -> int:
    """With how many of the same lines the two begin."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))


def _shown(mark: str, lines: list[str]) -> list[str]:
    more = [f"{mark}...\n"] if len(lines) > _SHOWN else []
    return [f"{mark}{line}" for line in lines[:_SHOWN]] + more


def _lines(value: Any) -> list[str]:
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    return [f"{line}\n" for line in text.split("\n")]
