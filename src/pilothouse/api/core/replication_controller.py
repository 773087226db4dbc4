"""ReplicationController: keeps a number of pods running; ReplicaSet has replaced it.

Sources of the facts: pkg/apis/core/v1/defaults.go, pkg/apis/core/validation/validation.go,
pkg/registry/core/replicationcontroller/strategy.go, pkg/printers/internalversion/printers.go. API page: core/v1
ReplicationController.
"""

from pilothouse.api.apps.replica_set import validate_replica_counts
from pilothouse.api.core.pod.defaults import default_pod_template
from pilothouse.api.core.pod.validation import validate_pod_template
from pilothouse.api.core.pod.warnings import warn_of_workload
from pilothouse.api.machinery.columns import AGE, containers, dig, field_text, show, show_labels
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.number_rules import validate_count
from pilothouse.api.machinery.resource import STATUS, Column, Resource, ScalePaths, Subresource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import ReplicationController


def default(obj: JsonObject) -> None:
    """One replica; the template's labels are its selector, and its own."""
    spec = obj.setdefault("spec", {})
    if spec.get("replicas") is None:
        spec["replicas"] = 1
    if labels := dig(spec, "template", "metadata", "labels"):
        if not spec.get("selector"):
            spec["selector"] = dict(labels)
        metadata = obj.setdefault("metadata", {})
        if not metadata.get("labels"):
            metadata["labels"] = dict(labels)
    if spec.get("template") is not None:
        default_pod_template(spec["template"])


_COUNTS = ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration")
_PARTS = ("fullyLabeledReplicas", "readyReplicas", "availableReplicas")


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """Numbers are not negative, and the labels it selects by are those of its template."""
    spec = obj.get("spec") or {}
    validate_count(spec.get("minReadySeconds"), errors, "spec.minReadySeconds")
    if not spec.get("selector"):
        errors.required("spec.selector")
    validate_count(spec.get("replicas"), errors, "spec.replicas")
    if spec.get("template") is None:
        errors.required("spec.template")
    else:
        _validate_template(spec["template"], spec.get("selector") or {}, errors, "spec.template")


def _validate_template(template: JsonObject, selector: JsonObject, errors: FieldErrors, path: str) -> None:
    labels = dig(template, "metadata", "labels") or {}
    if any(labels.get(key) != value for key, value in selector.items()):
        errors.invalid(f"{path}.metadata.labels", labels or None, "`selector` does not match template `labels`")
    validate_pod_template(template, errors, path)
    pod = template.get("spec") or {}
    if (policy := pod.get("restartPolicy") or "") != "Always":
        errors.not_supported(f"{path}.spec.restartPolicy", policy, ("Always",))
    if pod.get("activeDeadlineSeconds") is not None:
        why = "activeDeadlineSeconds in ReplicationController is not Supported"
        errors.forbidden(f"{path}.spec.activeDeadlineSeconds", why)


def validate_status(obj: JsonObject, _old: JsonObject, errors: FieldErrors) -> None:
    """No part is larger than the whole."""
    validate_replica_counts(obj.get("status") or {}, _COUNTS, _PARTS, errors)


RESOURCE = Resource(
    kind=ReplicationController,
    group="",
    version="v1",
    plural="replicationcontrollers",
    singular="replicationcontroller",
    short_names=("rc",),
    categories=("all",),
    subresources=(Subresource("scale", kind="Scale", group="autoscaling", version="v1", scale=ScalePaths()), STATUS),
    default=default,
    prepare_for_create=fresh_status(replicas=0),
    prepare_for_update=keep_status,
    validate=validate,
    validate_status=validate_status,
    warn=warn_of_workload,
    orphans_dependents=True,
    columns=(
        Column("Desired", show("spec", "replicas", absent=0), type="integer"),
        Column("Current", show("status", "replicas", absent=0), type="integer"),
        Column("Ready", show("status", "readyReplicas", absent=0), type="integer"),
        AGE,
        *containers("spec", "template", "spec"),
        Column("Selector", show_labels("spec", "selector"), priority=1),
    ),
    selectable_fields={"status.replicas": field_text("status", "replicas", absent="0")},
)
