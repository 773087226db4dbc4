"""What the API server sets on a Job: defaults, and the labels by which it knows its pods.

Unless its author has chosen a selector, a Job selects its pods by its own uid, which its template therefore carries as
a label. Sources of the facts: pkg/apis/batch/v1/defaults.go, pkg/registry/batch/job/strategy.go.
"""

from pilothouse.api.core.pod.defaults import default_pod_template
from pilothouse.api.core.pod.warnings import warn_of_name, warn_of_pods
from pilothouse.api.machinery.columns import dig
from pilothouse.api.machinery.strategy import keep_status
from pilothouse.api.machinery.view import JsonObject

_MAX_INT32 = 2**31 - 1
NAME_LABEL, UID_LABEL = "batch.kubernetes.io/job-name", "batch.kubernetes.io/controller-uid"
OLD_NAME_LABEL, OLD_UID_LABEL = "job-name", "controller-uid"
_MANY_COMPLETIONS, _MANY_AT_ONCE = 100_000, 10_000


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
    drop_disabled(spec, {})
    if spec.get("manualSelector"):
        return
    metadata = obj.get("metadata") or {}
    name, uid = metadata.get("name", ""), metadata["uid"]
    template = spec.setdefault("template", {}).setdefault("metadata", {})
    labels = template.get("labels") or {}
    own = {OLD_NAME_LABEL: name, NAME_LABEL: name, OLD_UID_LABEL: uid, UID_LABEL: uid}
    # Labels that the author has set stay; validation says what is wrong with them.
    template["labels"] = {**own, **labels}
    selector = spec.get("selector") or {}
    selector["matchLabels"] = {UID_LABEL: uid, **(selector.get("matchLabels") or {})}
    spec["selector"] = selector


def prepare_for_update(obj: JsonObject, old: JsonObject) -> None:
    """The status is not ours to write through the main resource."""
    keep_status(obj, old)
    drop_disabled(obj.get("spec") or {}, old.get("spec") or {})


def drop_disabled(spec: JsonObject, old: JsonObject) -> None:
    """Take out what is behind a feature gate that is off (WorkloadWithJob), unless it is there already."""
    if old.get("scheduling") is None:
        spec.pop("scheduling", None)


def warn(obj: JsonObject, old: JsonObject | None) -> list[str]:
    """What the author of a Job is told: of its name when it is new, of its spec whenever that has changed."""
    if old is not None and dig(obj, "metadata", "generation") == dig(old, "metadata", "generation"):
        return []
    named = [] if old is not None else warn_of_name(obj, "Pod names and hostnames")
    return [*named, *warn_of_spec(obj.get("spec") or {}, "spec")]


def warn_of_spec(spec: JsonObject, path: str) -> list[str]:
    """The warnings for the spec of a Job, here or in a CronJob."""
    many = (spec.get("completions") or 0) > _MANY_COMPLETIONS and (spec.get("parallelism") or 0) > _MANY_AT_ONCE
    told = []
    if spec.get("completionMode") == "Indexed" and many:
        words = (
            "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, "
            "Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
        )
        told.append(f"{path}: {words}")
    return [*told, *warn_of_pods(spec.get("template") or {}, f"{path}.template.")]
