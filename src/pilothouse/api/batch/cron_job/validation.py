"""What a CronJob must satisfy.

Source of the facts: validateCronJobSpec and its neighbours in pkg/apis/batch/validation/validation.go. Time zones in
the schedule itself are accepted only where they were before.
"""

import re

from pilothouse.api.batch.cron_job.schedule import check_schedule, is_time_zone
from pilothouse.api.batch.job.validation import validate_template_spec
from pilothouse.api.machinery.columns import dig
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.number_rules import validate_count
from pilothouse.api.machinery.view import JsonObject

_POLICIES = ("Allow", "Forbid", "Replace")
_ZONE_PART = re.compile(r"[A-Za-z._0-9+][A-Za-z.\-_0-9+]{0,13}")
_LONGEST_NAME = 52
"""A Job's name may have 63 bytes, and the time of its run takes 11."""


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """The schedule, and the Jobs it makes."""
    spec = obj.get("spec") or {}
    schedule = spec.get("schedule") or ""
    if not schedule:
        errors.required("spec.schedule")
    else:
        try:
            check_schedule(schedule)
        except ValueError as problem:
            errors.invalid("spec.schedule", schedule, str(problem))
    validate_count(spec.get("startingDeadlineSeconds"), errors, "spec.startingDeadlineSeconds")
    policy = spec.get("concurrencyPolicy")
    if not policy:
        errors.required("spec.concurrencyPolicy")
    elif policy not in _POLICIES:
        errors.not_supported("spec.concurrencyPolicy", policy, _POLICIES)
    validate_template_spec(dig(spec, "jobTemplate", "spec") or {}, errors, "spec.jobTemplate.spec")
    for name in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        validate_count(spec.get(name), errors, f"spec.{name}")


def validate_create(obj: JsonObject, errors: FieldErrors) -> None:
    """The name leaves room for the time of a run, and the time zone stands in its own field."""
    spec = obj.get("spec") or {}
    _refuse_zone_in_schedule(spec, errors)
    _validate_time_zone(spec.get("timeZone"), errors, "spec.timeZone")
    name = dig(obj, "metadata", "name") or ""
    if len(name) > _LONGEST_NAME:
        errors.invalid("metadata.name", name, f"must be no more than {_LONGEST_NAME} characters")


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """What was accepted once may stay."""
    spec, before = obj.get("spec") or {}, old.get("spec") or {}
    schedule = spec.get("schedule") or ""
    if "TZ" not in (before.get("schedule") or ""):
        _refuse_zone_in_schedule(spec, errors)
    elif "TZ" in schedule and spec.get("timeZone") is not None:
        words = "cannot use both timeZone field and TZ or CRON_TZ in schedule"
        errors.invalid("spec.schedule", schedule, words)
    if spec.get("timeZone") != before.get("timeZone"):
        _validate_time_zone(spec.get("timeZone"), errors, "spec.timeZone")


def _refuse_zone_in_schedule(spec: JsonObject, errors: FieldErrors) -> None:
    schedule = spec.get("schedule") or ""
    if "TZ" in schedule:
        words = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        errors.invalid("spec.schedule", schedule, words)


def _validate_time_zone(zone: str | None, errors: FieldErrors, path: str) -> None:
    """A name of the IANA database, not one that means something else on every machine."""
    if zone is None:
        return
    unknown = f"unknown time zone {zone}"
    if not zone:
        errors.invalid(path, zone, "timeZone must be nil or non-empty string")
    elif not all(part not in (".", "..") and _ZONE_PART.fullmatch(part) for part in zone.split("/")):
        errors.invalid(path, zone, unknown)
    elif zone.lower() == "local":
        words = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        errors.invalid(path, zone, words)
        if zone != "Local":
            errors.invalid(path, zone, unknown)
    elif not is_time_zone(zone):
        errors.invalid(path, zone, unknown)
