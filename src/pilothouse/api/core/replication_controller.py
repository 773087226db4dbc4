"""ReplicationController: keeps a number of pods running; ReplicaSet has replaced it."""

from pilothouse.api.machinery.columns import AGE, containers, field_text, show, show_labels
from pilothouse.api.machinery.resource import STATUS, Column, Resource, ScalePaths, Subresource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.types.core_v1 import ReplicationController

RESOURCE = Resource(
    kind=ReplicationController,
    group="",
    version="v1",
    plural="replicationcontrollers",
    singular="replicationcontroller",
    short_names=("rc",),
    categories=("all",),
    subresources=(Subresource("scale", kind="Scale", group="autoscaling", version="v1", scale=ScalePaths()), STATUS),
    prepare_for_create=fresh_status(replicas=0),
    prepare_for_update=keep_status,
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
