"""Rules for the status of a Job, which controllers other than ours may write, too: counts add up, ends are final.

A rule looks at what a write changes; what was wrong before may stay, so that the next write can mend it. Source of the
facts: validateJobStatus and ValidateJobStatusUpdate in pkg/apis/batch/validation/validation.go,
getStatusValidationOptions in pkg/registry/batch/job/strategy.go.
"""

from collections.abc import Iterator
from typing import Any

from pilothouse.api.batch.job.indexes import count_indexes, first_in_both
from pilothouse.api.machinery import conditions
from pilothouse.api.machinery.field import OMITTED, FieldErrors, as_go_shows, index
from pilothouse.api.machinery.number_rules import validate_counts
from pilothouse.api.machinery.view import JsonObject

_COUNTS = ("active", "succeeded", "failed", "ready", "terminating")
_UNCOUNTED = {"Succeeded": None, "Failed": None}
_FINAL = ("Failed", "Complete", "FailureTarget")
_WHERE = "status.conditions"


class _State:
    """A status, and which of the conditions that matter are true in it."""

    def __init__(self, obj: JsonObject) -> None:
        self.status: JsonObject = obj.get("status") or {}
        given = self.status.get("conditions") or ()
        self.complete = conditions.is_true(given, "Complete")
        self.failed = conditions.is_true(given, "Failed")
        self.failing = conditions.is_true(given, "FailureTarget")
        self.succeeding = conditions.is_true(given, "SuccessCriteriaMet")
        self.finished = self.complete or self.failed

    def get(self, name: str) -> Any:
        return self.status.get(name)

    def number(self, name: str) -> int:
        value: int = self.status.get(name) or 0
        return value

    def uncounted(self) -> Iterator[tuple[str, str]]:
        for kind in ("succeeded", "failed"):
            for position, uid in enumerate((self.get("uncountedTerminatedPods") or {}).get(kind) or ()):
                yield index(f"status.uncountedTerminatedPods.{kind}", position), uid


def validate_status(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Check the new status by itself, then against the one it replaces."""
    new, before, spec = _State(obj), _State(old), obj.get("spec") or {}
    validate_counts(new.status, _COUNTS, errors, "status")
    _validate_uncounted(new, errors)
    _validate_ends(new, before, errors)
    _validate_finished(new, before, errors)
    _validate_indexes(new, before, spec, errors)
    _validate_pods(new, before, errors)
    _validate_success(new, spec, errors)
    _validate_progress(new, before, spec, errors)


def _changed(new: _State, before: _State, *names: str) -> bool:
    return any((new.get(name) or None) != (before.get(name) or None) for name in names)


def _validate_uncounted(new: _State, errors: FieldErrors) -> None:
    seen: set[str] = set()
    for path, uid in new.uncounted():
        if not uid:
            errors.invalid(path, uid, "must not be empty")
        elif uid in seen:
            errors.duplicate(path, uid)
        seen.add(uid)


def _validate_ends(new: _State, before: _State, errors: FieldErrors) -> None:
    completes = new.complete != before.complete
    if (completes or new.failed != before.failed) and new.complete and new.failed:
        errors.invalid(_WHERE, OMITTED, "cannot set Complete=True and Failed=true conditions")
    if (completes or new.failing != before.failing) and new.complete and new.failing:
        errors.invalid(_WHERE, OMITTED, "cannot set Complete=True and FailureTarget=true conditions")
    ended, started = new.get("completionTime"), new.get("startTime")
    if completes or _changed(new, before, "completionTime"):
        if ended and not new.complete:
            why = "cannot set completionTime when there is no Complete=True condition"
            errors.invalid("status.completionTime", ended, why)
        if new.complete and not ended:
            errors.required("status.completionTime", "completionTime is required for Complete jobs")
    # Times in UTC and full seconds: as texts they have the order of the moments.
    if _changed(new, before, "startTime", "completionTime") and started and ended and ended < started:
        errors.invalid("status.completionTime", ended, "completionTime cannot be set before startTime")
    if (new.failed != before.failed or new.failing != before.failing) and new.failed and not new.failing:
        why = "cannot set Failed=True condition without the FailureTarget=true condition"
        errors.invalid(_WHERE, OMITTED, why)
    if (completes or new.succeeding != before.succeeding) and new.complete and not new.succeeding:
        why = "cannot set Complete=True condition without the SuccessCriteriaMet=true condition"
        errors.invalid(_WHERE, OMITTED, why)


def _validate_finished(new: _State, before: _State, errors: FieldErrors) -> None:
    if not new.finished:
        return
    finishes = not before.finished
    if new.number("active") > 0 and (finishes or _changed(new, before, "active")):
        errors.invalid("status.active", new.get("active"), "active>0 is invalid for finished job")
    if not new.get("startTime") and (finishes or _changed(new, before, "startTime")):
        errors.required("status.startTime", "startTime is required for finished job")
    if any(new.uncounted()) and (finishes or _changed(new, before, "uncountedTerminatedPods")):
        shown = as_go_shows(new.status["uncountedTerminatedPods"], _UNCOUNTED)
        why = "uncountedTerminatedPods needs to be empty for finished job"
        errors.invalid("status.uncountedTerminatedPods", shown, why)


def _validate_indexes(new: _State, before: _State, spec: JsonObject, errors: FieldErrors) -> None:
    completed, failed = new.get("completedIndexes") or "", new.get("failedIndexes")
    completions, limit = spec.get("completions"), spec.get("backoffLimitPerIndex")
    completed_changed = _changed(new, before, "completedIndexes")
    failed_changed = failed != before.get("failedIndexes")
    if completed_changed and completions is not None:
        _validate_index_text(completed, completions, errors, "completedIndexes")
    if failed_changed and completions is not None and limit is not None and failed is not None:
        _validate_index_text(failed, completions, errors, "failedIndexes")
    if completed_changed and completed and spec.get("completionMode") != "Indexed":
        why = "cannot set non-empty completedIndexes when non-indexed completion mode"
        errors.invalid("status.completedIndexes", completed, why)
    if failed_changed and failed is not None and limit is None:
        why = "cannot set non-null failedIndexes when backoffLimitPerIndex is null"
        errors.invalid("status.failedIndexes", failed, why)
    if (failed_changed or completed_changed) and completions is not None and failed is not None:
        shared = first_in_both(completed, failed, completions)
        if shared is not None:
            why = f"failedIndexes and completedIndexes overlap at index: {shared}"
            errors.invalid("status.failedIndexes", failed, why)


def _validate_index_text(text: str, completions: int, errors: FieldErrors, name: str) -> None:
    try:
        count_indexes(text, completions)
    except ValueError as problem:
        errors.invalid(f"status.{name}", text, f"error parsing {name}: {problem}")


def _validate_pods(new: _State, before: _State, errors: FieldErrors) -> None:
    leaves = new.finished != before.finished or _changed(new, before, "terminating")
    if leaves and new.finished and new.number("terminating") > 0:
        errors.invalid("status.terminating", new.get("terminating"), "terminating>0 is invalid for finished job")
    if _changed(new, before, "ready", "active") and new.number("ready") > new.number("active"):
        errors.invalid("status.ready", new.get("ready"), "cannot set more ready pods than active")


def _validate_success(new: _State, spec: JsonObject, errors: FieldErrors) -> None:
    if new.succeeding and new.failed:
        errors.invalid(_WHERE, OMITTED, "cannot set SuccessCriteriaMet=True and Failed=true conditions")
    if new.succeeding and new.failing:
        errors.invalid(_WHERE, OMITTED, "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions")
    if spec.get("successPolicy") is not None and new.complete and not new.succeeding:
        why = "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True"
        errors.invalid(_WHERE, OMITTED, why)


def _validate_progress(new: _State, before: _State, spec: JsonObject, errors: FieldErrors) -> None:
    """What has been reached stays reached."""
    for kind in _FINAL:
        was, is_still = (conditions.is_true(state.get("conditions") or (), kind) for state in (before, new))
        if was and not is_still:
            errors.invalid(_WHERE, OMITTED, f"cannot disable the terminal {kind}=True condition")
    if new.number("failed") < before.number("failed"):
        errors.invalid("status.failed", new.number("failed"), "cannot decrease the failed counter")
    elastic = spec.get("completionMode") == "Indexed" and spec.get("completions") == spec.get("parallelism")
    if not elastic and new.number("succeeded") < before.number("succeeded"):
        errors.invalid("status.succeeded", new.number("succeeded"), "cannot decrease the succeeded counter")
    ended, ended_before = new.get("completionTime"), before.get("completionTime")
    if ended and ended_before and ended != ended_before:
        errors.invalid("status.completionTime", ended, "completionTime cannot be mutated")
    started = before.get("startTime")
    if started and started != new.get("startTime") and not spec.get("suspend"):
        errors.required("status.startTime", "startTime cannot be removed for unsuspended job")
    if before.succeeding and not new.succeeding:
        errors.invalid(_WHERE, OMITTED, "cannot disable the SuccessCriteriaMet=True condition")
    if before.complete and not before.succeeding and new.succeeding:
        why = "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions"
        errors.invalid(_WHERE, OMITTED, why)
