"""What of a Job may change: how many pods run at once, and where they run as long as none does.

Source of the facts: ValidateJobSpecUpdate in pkg/apis/batch/validation/validation.go, validationOptionsForJob in
pkg/registry/batch/job/strategy.go; KEP-2926 and KEP-5440 for suspended Jobs.
"""

from typing import Any

from pilothouse.api.batch.job.strategy import NAME_LABEL, UID_LABEL
from pilothouse.api.batch.job.validation import validate_generated_selector
from pilothouse.api.machinery import conditions
from pilothouse.api.machinery.columns import dig
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.meta import validate_immutable
from pilothouse.api.machinery.view import JsonObject

_FIXED = ("completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy")
_PLACEMENT = ("nodeSelector", "tolerations", "schedulingGates")
_LABELS = ("labels", "annotations")


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Everything stays but parallelism, deadlines and limits; more while the Job is suspended."""
    spec, before = obj.get("spec") or {}, old.get("spec") or {}
    labels = dig(before, "template", "metadata", "labels") or {}
    validate_generated_selector(obj, errors, prefixed=NAME_LABEL in labels and UID_LABEL in labels)
    _validate_completions(spec, before, errors, "spec.completions")
    validate_immutable(spec.get("selector"), before.get("selector"), errors, "spec.selector")
    template = spec.get("template") or {}
    validate_immutable(template, _as_it_may_be(template, old), errors, "spec.template")
    for name in _FIXED:
        validate_immutable(spec.get(name), before.get(name), errors, f"spec.{name}")


def _validate_completions(spec: JsonObject, before: JsonObject, errors: FieldErrors, path: str) -> None:
    completions = spec.get("completions")
    if spec.get("completionMode") != "Indexed":
        validate_immutable(completions, before.get("completions"), errors, path)
    elif completions not in (None, before.get("completions"), spec.get("parallelism")):
        errors.invalid(path, completions, "can only be modified in tandem with spec.parallelism")


def _as_it_may_be(template: JsonObject, old: JsonObject) -> JsonObject:
    """The stored template with those parts of the new one that may change in the state the Job is in."""
    kept: JsonObject = dig(old, "spec", "template") or {}
    if not dig(old, "spec", "suspend"):
        return kept
    status = old.get("status") or {}
    stopped = conditions.is_true(status.get("conditions") or (), "Suspended") and not status.get("active")
    if stopped or not status.get("startTime"):
        kept = _with_placement(kept, template)
    return _with_resources(kept, template) if stopped else kept


def _with_placement(kept: JsonObject, template: JsonObject) -> JsonObject:
    pod, new = kept.get("spec") or {}, template.get("spec") or {}
    placed = {**_with(pod, new, _PLACEMENT), "affinity": _affinity(pod.get("affinity"), new.get("affinity"))}
    if placed["affinity"] is None:
        del placed["affinity"]
    labelled = _with(kept.get("metadata") or {}, template.get("metadata") or {}, _LABELS)
    whole: JsonObject = {**kept, "metadata": labelled, "spec": placed}
    if not labelled and "metadata" not in template:
        del whole["metadata"]
    return whole


def _affinity(old: JsonObject | None, new: JsonObject | None) -> JsonObject | None:
    """Node affinity may change, that between pods may not."""
    if old is None and new is None:
        return None
    merged = _with(old or {}, new or {}, ("nodeAffinity",))
    return merged if merged or new is not None else None


def _with_resources(kept: JsonObject, template: JsonObject) -> JsonObject:
    pod, new = kept.get("spec") or {}, template.get("spec") or {}
    changed: JsonObject = dict(pod)
    for kind in ("containers", "initContainers"):
        old_ones, new_ones = pod.get(kind) or [], new.get(kind) or []
        if old_ones and len(old_ones) == len(new_ones):
            pairs = zip(old_ones, new_ones, strict=True)
            changed[kind] = [_with(one, other, ("resources",)) for one, other in pairs]
    return {**kept, "spec": changed}


def _with(obj: JsonObject, other: JsonObject, names: tuple[str, ...]) -> JsonObject:
    """`obj` with the fields `names` of `other`, absent where they are absent there."""
    others: dict[str, Any] = {name: other[name] for name in names if name in other}
    return {name: value for name, value in obj.items() if name not in names} | others
