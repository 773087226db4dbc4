"""CronJob: Jobs at the times of a schedule.

Sources of the facts: pkg/apis/batch/v1/defaults.go, pkg/registry/batch/cronjob/strategy.go,
pkg/printers/internalversion/printers.go. API page: batch/v1 CronJob.
"""

from pilothouse.api.batch.cron_job.validation import validate, validate_create, validate_update
from pilothouse.api.batch.job.strategy import drop_disabled, warn_of_spec
from pilothouse.api.core.pod.defaults import default_pod_template
from pilothouse.api.core.pod.warnings import warn_of_name
from pilothouse.api.machinery.columns import AGE, NONE, containers, count, dig, show, show_bool, show_selector, since
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.strategy import keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.batch_v1 import CronJob
from pilothouse.runtime.clock import Instant


def _last_schedule(obj: JsonObject, now: Instant) -> str:
    last = dig(obj, "status", "lastScheduleTime")
    return since(last, now) if last else NONE


def default(obj: JsonObject) -> None:
    """Jobs may overlap; three that succeeded and one that failed are kept."""
    spec = obj.setdefault("spec", {})
    for name, value in (
        ("concurrencyPolicy", "Allow"),
        ("suspend", False),
        ("successfulJobsHistoryLimit", 3),
        ("failedJobsHistoryLimit", 1),
    ):
        if spec.get(name) in (None, ""):
            spec[name] = value
    job = spec.setdefault("jobTemplate", {}).setdefault("spec", {})
    default_pod_template(job.setdefault("template", {}))


def prepare_for_create(obj: JsonObject) -> None:
    """Nothing has run yet."""
    obj["status"] = {}
    drop_disabled(dig(obj, "spec", "jobTemplate", "spec") or {}, {})


def prepare_for_update(obj: JsonObject, old: JsonObject) -> None:
    """The status is not ours to write through the main resource."""
    keep_status(obj, old)
    drop_disabled(*(dig(one, "spec", "jobTemplate", "spec") or {} for one in (obj, old)))


def warn(obj: JsonObject, old: JsonObject | None) -> list[str]:
    """As of a Job, and that a time zone in the schedule is nothing to rely on."""
    spec = obj.get("spec") or {}
    told = [] if old is not None else [*warn_of_name(obj, "Pod names and hostnames")]
    if old is None or dig(obj, "metadata", "generation") != dig(old, "metadata", "generation"):
        told += warn_of_spec(dig(spec, "jobTemplate", "spec") or {}, "spec.jobTemplate.spec")
    if old is not None and "TZ" in (spec.get("schedule") or ""):
        more = "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"
        told.append(f"CRON_TZ or TZ used in spec.spec.schedule is not officially supported, see {more}")
    return told


RESOURCE = Resource(
    kind=CronJob,
    group="batch",
    version="v1",
    plural="cronjobs",
    singular="cronjob",
    short_names=("cj",),
    categories=("all",),
    subresources=(STATUS,),
    default=default,
    prepare_for_create=prepare_for_create,
    prepare_for_update=prepare_for_update,
    validate=validate,
    validate_create=validate_create,
    validate_update=validate_update,
    warn=warn,
    columns=(
        Column("Schedule", show("spec", "schedule")),
        Column("Timezone", show("spec", "timeZone", absent=NONE)),
        Column("Suspend", show_bool("spec", "suspend"), type="boolean"),
        Column("Active", count("status", "active"), type="integer"),
        Column("Last Schedule", _last_schedule),
        AGE,
        *containers("spec", "jobTemplate", "spec", "template", "spec"),
        Column("Selector", show_selector("spec", "jobTemplate", "spec", "selector"), priority=1),
    ),
)
