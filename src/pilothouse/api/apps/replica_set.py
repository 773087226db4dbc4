"""ReplicaSet: a number of pods of one template.

Sources of the facts: pkg/apis/apps/v1/defaults.go, pkg/apis/apps/validation/validation.go,
pkg/registry/apps/replicaset/strategy.go, pkg/printers/internalversion/printers.go. API page: apps/v1 ReplicaSet.
"""

from collections.abc import Sequence
from typing import Any

from pilothouse.api.core.pod.defaults import default_pod_template
from pilothouse.api.core.pod.validation import validate_pod_template
from pilothouse.api.core.pod.warnings import warn_of_workload
from pilothouse.api.machinery.columns import AGE, containers, dig, field_text, show, show_selector
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.meta import validate_immutable
from pilothouse.api.machinery.number_rules import validate_count, validate_counts
from pilothouse.api.machinery.resource import STATUS, Column, Resource, ScalePaths, Subresource
from pilothouse.api.machinery.selector_rules import validate_label_selector
from pilothouse.api.machinery.selectors import from_label_selector
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.apps_v1 import ReplicaSet

_COUNTS = ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "terminatingReplicas",
           "observedGeneration")  # fmt: skip
_PARTS = ("fullyLabeledReplicas", "readyReplicas", "availableReplicas")


def default(obj: JsonObject) -> None:
    """One replica."""
    spec = obj.setdefault("spec", {})
    if spec.get("replicas") is None:
        spec["replicas"] = 1
    default_pod_template(spec.setdefault("template", {}))


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """Numbers are not negative, and the selector selects what the template makes."""
    spec = obj.get("spec") or {}
    validate_count(spec.get("replicas"), errors, "spec.replicas")
    validate_count(spec.get("minReadySeconds"), errors, "spec.minReadySeconds")
    validate_pods(spec, errors)


def validate_pods(spec: JsonObject, errors: FieldErrors) -> None:
    """A selector that is neither absent nor empty, and a template it selects, whose pods run for ever."""
    selector, path = spec.get("selector"), "spec.selector"
    before = len(errors)
    validate_label_selector(selector, errors, path)
    good = len(errors) == before
    if selector is None:
        errors.required(path)
    elif not selector.get("matchLabels") and not selector.get("matchExpressions"):
        errors.invalid(path, selector, "empty selector is invalid for deployment")
    if good:
        _validate_template(spec.get("template") or {}, selector, errors, "spec.template")
    else:
        errors.invalid(path, selector, "invalid label selector")


def _validate_template(template: JsonObject, selector: JsonObject | None, errors: FieldErrors, path: str) -> None:
    labels = dig(template, "metadata", "labels") or {}
    if not from_label_selector(selector).matches(labels):
        errors.invalid(f"{path}.metadata.labels", labels or None, "`selector` does not match template `labels`")
    validate_pod_template(template, errors, path)
    pod = template.get("spec") or {}
    if (policy := pod.get("restartPolicy")) != "Always":
        errors.not_supported(f"{path}.spec.restartPolicy", policy, ("Always",))
    if pod.get("activeDeadlineSeconds") is not None:
        why = "activeDeadlineSeconds in ReplicaSet is not Supported"
        errors.forbidden(f"{path}.spec.activeDeadlineSeconds", why)


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Another selector would leave the pods it has."""
    validate_immutable(dig(obj, "spec", "selector"), dig(old, "spec", "selector"), errors, "spec.selector")


def validate_status(obj: JsonObject, _old: JsonObject, errors: FieldErrors) -> None:
    """No part is larger than the whole."""
    validate_replica_counts(obj.get("status") or {}, _COUNTS, _PARTS, errors)


def validate_replica_counts(
    status: JsonObject,
    counts: Sequence[str],
    parts: Sequence[str],
    errors: FieldErrors,
    ready_name: str = "readyReplicas",
) -> None:
    """The counts in the status of a workload, of which `parts` are at most the replicas."""
    validate_counts(status, counts, errors, "status")
    replicas: Any = status.get("replicas") or 0
    for name in parts:
        if (value := status.get(name) or 0) > replicas:
            errors.invalid(f"status.{name}", value, "cannot be greater than status.replicas")
    available = status.get("availableReplicas") or 0
    if available > (status.get("readyReplicas") or 0):
        errors.invalid("status.availableReplicas", available, f"cannot be greater than {ready_name}")


RESOURCE = Resource(
    kind=ReplicaSet,
    group="apps",
    version="v1",
    plural="replicasets",
    singular="replicaset",
    short_names=("rs",),
    categories=("all",),
    subresources=(
        Subresource("scale", kind="Scale", group="autoscaling", version="v1", scale=ScalePaths()),
        STATUS,
    ),
    default=default,
    prepare_for_create=fresh_status(replicas=0),
    prepare_for_update=keep_status,
    validate=validate,
    validate_update=validate_update,
    validate_status=validate_status,
    warn=warn_of_workload,
    columns=(
        Column("Desired", show("spec", "replicas", absent=0), type="integer"),
        Column("Current", show("status", "replicas", absent=0), type="integer"),
        Column("Ready", show("status", "readyReplicas", absent=0), type="integer"),
        AGE,
        *containers("spec", "template", "spec"),
        Column("Selector", show_selector("spec", "selector"), priority=1),
    ),
    selectable_fields={"status.replicas": field_text("status", "replicas", absent="0")},
)
