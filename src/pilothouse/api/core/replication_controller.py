"""ReplicationController: keeps a number of pods running; ReplicaSet has replaced it.

Sources of the facts: pkg/apis/core/v1/defaults.go, pkg/printers/internalversion/printers.go. API page: core/v1
ReplicationController.
"""

from pilothouse.api.core.pod.defaults import default_pod_template
from pilothouse.api.core.pod.warnings import warn_of_workload
from pilothouse.api.machinery.columns import AGE, containers, dig, field_text, show, show_labels
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
    selectable_fields={"status.replicas": field_text("status", "replicas")},
)
