"""Job: pods that run to completion.

Unless its author has chosen a selector, a Job selects its pods by its own uid, which its template therefore carries as
a label. Sources of the facts: pkg/apis/batch/v1/defaults.go, pkg/registry/batch/job/strategy.go,
pkg/printers/internalversion/printers.go. API page: batch/v1 Job.
"""

from pilothouse.api.core.pod.defaults import default_pod_template
from pilothouse.api.core.pod.warnings import warn_of_workload
from pilothouse.api.machinery.columns import AGE, containers, dig, field_text, human_duration, show_selector
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.strategy import keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.batch_v1 import Job
from pilothouse.runtime.clock import Instant, parse_time


def _true_conditions(obj: JsonObject) -> set[str]:
    return {c.get("type", "") for c in dig(obj, "status", "conditions") or () if c.get("status") == "True"}


def _status(obj: JsonObject, _now: Instant) -> str:
    true = _true_conditions(obj)
    if "Complete" in true:
        return "Complete"
    if "Failed" in true:
        return "Failed"
    if dig(obj, "metadata", "deletionTimestamp"):
        return "Terminating"
    return next((word for kind, word in _UNFINISHED if kind in true), "Running")


_UNFINISHED = (("Suspended", "Suspended"), ("FailureTarget", "FailureTarget"))


def _completions(obj: JsonObject, _now: Instant) -> str:
    succeeded = dig(obj, "status", "succeeded") or 0
    wanted = dig(obj, "spec", "completions")
    if wanted is not None:
        return f"{succeeded}/{wanted}"
    parallelism = dig(obj, "spec", "parallelism") or 0
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def _duration(obj: JsonObject, now: Instant) -> str:
    start, end = dig(obj, "status", "startTime"), dig(obj, "status", "completionTime")
    if not start:
        return ""
    return human_duration((parse_time(end) if end else now) - parse_time(start))


_MAX_INT32 = 2**31 - 1
_UID_LABEL = "batch.kubernetes.io/controller-uid"


def default(obj: JsonObject) -> None:
    """One pod once, six attempts; a Job without labels has its template's."""
    spec = obj.setdefault("spec", {})
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    attempts = 6 if spec.get("backoffLimitPerIndex") is None else _MAX_INT32
    replacement = "TerminatingOrFailed" if spec.get("podFailurePolicy") is None else "Failed"
    for name, value in (
        ("parallelism", 1),
        ("backoffLimit", attempts),
        ("completionMode", "NonIndexed"),
        ("suspend", False),
        ("manualSelector", False),
        ("podReplacementPolicy", replacement),
    ):
        if spec.get(name) is None:
            spec[name] = value
    for rule in dig(spec, "podFailurePolicy", "rules") or ():
        for pattern in rule.get("onPodConditions") or ():
            if not pattern.get("status"):
                pattern["status"] = "True"
    default_pod_template(spec.setdefault("template", {}))
    metadata, labels = obj.setdefault("metadata", {}), dig(spec, "template", "metadata", "labels")
    if labels and not metadata.get("labels"):
        metadata["labels"] = dict(labels)


def prepare_for_create(obj: JsonObject) -> None:
    """A new Job has no status; it selects its pods by its uid, which must have been given by now."""
    obj["status"] = {}
    spec = obj.setdefault("spec", {})
    if spec.get("manualSelector"):
        return
    metadata = obj.get("metadata") or {}
    name, uid = metadata.get("name", ""), metadata["uid"]
    template = spec.setdefault("template", {}).setdefault("metadata", {})
    labels = template.get("labels") or {}
    own = {"job-name": name, "batch.kubernetes.io/job-name": name, "controller-uid": uid, _UID_LABEL: uid}
    # Labels that the author has set stay; validation says what is wrong with them.
    template["labels"] = {**own, **labels}
    selector = spec.get("selector") or {}
    selector["matchLabels"] = {_UID_LABEL: uid, **(selector.get("matchLabels") or {})}
    spec["selector"] = selector


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
    prepare_for_update=keep_status,
    warn=warn_of_workload,
    orphans_dependents=True,
    orphaning_warning="child pods are preserved by default when jobs are deleted; set propagationPolicy=Background "
    "to remove them or set propagationPolicy=Orphan to suppress this warning",
    columns=(
        Column("Status", _status),
        Column("Completions", _completions),
        Column("Duration", _duration),
        AGE,
        *containers("spec", "template", "spec"),
        Column("Selector", show_selector("spec", "selector"), priority=1),
    ),
    selectable_fields={"status.successful": field_text("status", "succeeded")},
)
