"""Job: pods that run to completion. API page: batch/v1 Job."""

from pilothouse.api.batch.job.columns import COLUMNS
from pilothouse.api.batch.job.status_update import validate_status
from pilothouse.api.batch.job.strategy import default, prepare_for_create, prepare_for_update, warn
from pilothouse.api.batch.job.update import validate_update
from pilothouse.api.batch.job.validation import validate, validate_create
from pilothouse.api.machinery.columns import field_text
from pilothouse.api.machinery.resource import STATUS, Resource
from pilothouse.api.types.batch_v1 import Job

RESOURCE = Resource(
    kind=Job,
    group="batch",
    version="v1",
    plural="jobs",
    singular="job",
    categories=("all",),
    subresources=(STATUS,),
    default=default,
    prepare_for_create=prepare_for_create,
    prepare_for_update=prepare_for_update,
    validate=validate,
    validate_create=validate_create,
    validate_update=validate_update,
    validate_status=validate_status,
    warn=warn,
    orphans_dependents=True,
    orphaning_warning="child pods are preserved by default when jobs are deleted; set propagationPolicy=Background "
    "to remove them or set propagationPolicy=Orphan to suppress this warning",
    columns=COLUMNS,
    selectable_fields={"status.successful": field_text("status", "succeeded", absent="0")},
)
