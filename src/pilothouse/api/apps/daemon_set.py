"""DaemonSet: one pod on every node that matches."""

from pilothouse.api.machinery.columns import AGE, containers, show, show_labels, show_selector
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.types.apps_v1 import DaemonSet

RESOURCE = Resource(
    kind=DaemonSet,
    group="apps",
    version="v1",
    plural="daemonsets",
    singular="daemonset",
    short_names=("ds",),
    categories=("all",),
    subresources=(STATUS,),
    prepare_for_create=fresh_status(
        currentNumberScheduled=0, desiredNumberScheduled=0, numberMisscheduled=0, numberReady=0
    ),
    prepare_for_update=keep_status,
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
