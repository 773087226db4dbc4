"""DaemonSet: one pod on every node that matches.

Which generation of the template it is at stands in an annotation, where apps/v1 has left a field of older versions.
Sources of the facts: pkg/apis/apps/v1/{defaults,conversion}.go, pkg/apis/apps/validation/validation.go,
pkg/registry/apps/daemonset/strategy.go, pkg/printers/internalversion/printers.go. API page: apps/v1 DaemonSet.
*assumed*: an annotation that is no number counts as none (upstream refuses to read the object).
"""

from pilothouse.api.core.pod.defaults import default_pod_template
from pilothouse.api.core.pod.validation import validate_pod_template
from pilothouse.api.core.pod.warnings import warn_of_template
from pilothouse.api.machinery.columns import AGE, containers, dig, show, show_labels, show_selector
from pilothouse.api.machinery.field import FieldErrors, as_go_shows
from pilothouse.api.machinery.meta import validate_immutable
from pilothouse.api.machinery.number_rules import (
    is_none,
    validate_count,
    validate_counts,
    validate_int_or_percent,
    validate_not_above_all,
    validate_only_grows,
)
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.selector_rules import validate_label_selector
from pilothouse.api.machinery.selectors import from_label_selector
from pilothouse.api.machinery.strategy import keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.machinery.whole_numbers import int_or
from pilothouse.api.types.apps_v1 import DaemonSet

TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
"""The annotation that counts the changes of the template."""

_COUNTS = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady",
           "observedGeneration", "updatedNumberScheduled", "numberAvailable", "numberUnavailable",
           "collisionCount")  # fmt: skip
_STRATEGY = {"Type": "", "RollingUpdate": {"MaxUnavailable": 0, "MaxSurge": 0}}
_FRESH = {"currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0}


def default(obj: JsonObject) -> None:
    """Pods are replaced one after the other; ten revisions to go back to."""
    spec = obj.setdefault("spec", {})
    if spec.get("updateStrategy") is None:
        spec["updateStrategy"] = {}
    strategy = spec["updateStrategy"]
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
    if strategy["type"] == "RollingUpdate":
        if strategy.get("rollingUpdate") is None:
            strategy["rollingUpdate"] = {}
        for name, value in (("maxUnavailable", 1), ("maxSurge", 0)):
            if strategy["rollingUpdate"].get(name) is None:
                strategy["rollingUpdate"][name] = value
    if spec.get("revisionHistoryLimit") is None:
        spec["revisionHistoryLimit"] = 10
    default_pod_template(spec.setdefault("template", {}))


def template_generation(obj: JsonObject) -> int:
    """How often the template has changed, the first time included; 0 where nobody has counted."""
    text = (dig(obj, "metadata", "annotations") or {}).get(TEMPLATE_GENERATION) or ""
    return int_or(0, text)


def _set_template_generation(obj: JsonObject, generation: int) -> None:
    metadata = obj.setdefault("metadata", {})
    metadata["annotations"] = {**(metadata.get("annotations") or {}), TEMPLATE_GENERATION: str(generation)}


def prepare_for_create(obj: JsonObject) -> None:
    """Nothing runs yet, and the template is the first."""
    obj["status"] = dict(_FRESH)
    _set_template_generation(obj, max(template_generation(obj), 1))


def prepare_for_update(obj: JsonObject, old: JsonObject) -> None:
    """The count of templates is ours, as the status is."""
    keep_status(obj, old)
    changed = dig(obj, "spec", "template") != dig(old, "spec", "template")
    _set_template_generation(obj, template_generation(old) + changed)


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """The selector selects what the template makes, pods run for ever, and an update can make progress."""
    spec = obj.get("spec") or {}
    template = spec.get("template") or {}
    _validate_selector(spec, errors, "spec.selector")
    validate_pod_template(template, errors, "spec.template")
    pod = template.get("spec") or {}
    if (policy := pod.get("restartPolicy") or "") != "Always":
        errors.not_supported("spec.template.spec.restartPolicy", policy, ("Always",))
    if pod.get("activeDeadlineSeconds") is not None:
        why = "activeDeadlineSeconds in DaemonSet is not Supported"
        errors.forbidden("spec.template.spec.activeDeadlineSeconds", why)
    validate_count(spec.get("minReadySeconds"), errors, "spec.minReadySeconds")
    validate_count(template_generation(obj), errors, "spec.templateGeneration")
    _validate_strategy(spec.get("updateStrategy") or {}, errors, "spec.updateStrategy")
    validate_count(spec.get("revisionHistoryLimit"), errors, "spec.revisionHistoryLimit")


def _validate_selector(spec: JsonObject, errors: FieldErrors, path: str) -> None:
    selector = spec.get("selector")
    before = len(errors)
    validate_label_selector(selector, errors, path)
    labels = dig(spec, "template", "metadata", "labels")
    if len(errors) == before and not from_label_selector(selector).matches(labels or {}):
        why = "`selector` does not match template `labels`"
        errors.invalid("spec.template.metadata.labels", labels or None, why)
    if selector is not None and not selector.get("matchLabels") and not selector.get("matchExpressions"):
        errors.invalid(path, selector, "empty selector is invalid for daemonset")


def _validate_strategy(strategy: JsonObject, errors: FieldErrors, path: str) -> None:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind == "OnDelete":
        return
    if kind != "RollingUpdate":
        errors.not_supported(path, as_go_shows(strategy, _STRATEGY), ("RollingUpdate", "OnDelete"))
    elif rolling is None:
        errors.required(f"{path}.rollingUpdate")
    else:
        _validate_rolling(rolling, errors, f"{path}.rollingUpdate")


def _validate_rolling(rolling: JsonObject, errors: FieldErrors, path: str) -> None:
    unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    for rule in (validate_int_or_percent, validate_not_above_all):
        rule(unavailable, errors, f"{path}.maxUnavailable")
        rule(surge, errors, f"{path}.maxSurge")
    if not is_none(unavailable) and not is_none(surge):
        errors.invalid(f"{path}.maxSurge", surge, "may not be set when maxUnavailable is non-zero")
    elif is_none(unavailable) and is_none(surge):
        errors.required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0")


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Another selector would leave the pods it has."""
    validate_immutable(dig(obj, "spec", "selector"), dig(old, "spec", "selector"), errors, "spec.selector")


def validate_status(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Counts are not negative, and that of name collisions only grows."""
    validate_counts(obj.get("status") or {}, _COUNTS, errors, "status")
    validate_only_grows(obj, old, errors, "status.collisionCount")


RESOURCE = Resource(
    kind=DaemonSet,
    group="apps",
    version="v1",
    plural="daemonsets",
    singular="daemonset",
    short_names=("ds",),
    categories=("all",),
    subresources=(STATUS,),
    default=default,
    prepare_for_create=prepare_for_create,
    prepare_for_update=prepare_for_update,
    validate=validate,
    validate_update=validate_update,
    validate_status=validate_status,
    warn=warn_of_template,
    columns=(
        Column("Desired", show("status", "desiredNumberScheduled", absent=0), type="integer"),
        Column("Current", show("status", "currentNumberScheduled", absent=0), type="integer"),
        Column("Ready", show("status", "numberReady", absent=0), type="integer"),
        Column("Up-to-date", show("status", "updatedNumberScheduled", absent=0), type="integer"),
        Column("Available", show("status", "numberAvailable", absent=0), type="integer"),
        Column("Node Selector", show_labels("spec", "template", "spec", "nodeSelector")),
        AGE,
        *containers("spec", "template", "spec"),
        Column("Selector", show_selector("spec", "selector"), priority=1),
    ),
)
