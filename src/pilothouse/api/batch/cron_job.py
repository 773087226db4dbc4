"""CronJob: Jobs at the times of a schedule."""

from pilothouse.api.machinery.columns import AGE, NONE, containers, count, dig, show, show_bool, show_selector, since
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.batch_v1 import CronJob
from pilothouse.runtime.clock import Instant


def _last_schedule(obj: JsonObject, now: Instant) -> str:
    last = dig(obj, "status", "lastScheduleTime")
    return since(last, now) if last else NONE


RESOURCE = Resource(
    kind=CronJob,
    group="batch",
    version="v1",
    plural="cronjobs",
    singular="cronjob",
    short_names=("cj",),
    categories=("all",),
    subresources=(STATUS,),
    prepare_for_create=fresh_status(),
    prepare_for_update=keep_status,
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
