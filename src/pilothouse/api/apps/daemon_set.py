"""DaemonSet: one pod on every node that matches.

Sources of the facts: pkg/apis/apps/v1/defaults.go, pkg/printers/internalversion/printers.go. API page: apps/v1
DaemonSet.
"""

from pilothouse.api.core.pod.defaults import default_pod_template
from pilothouse.api.core.pod.warnings import warn_of_template
from pilothouse.api.machinery.columns import AGE, containers, show, show_labels, show_selector
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.apps_v1 import DaemonSet


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
    prepare_for_create=fresh_status(
        currentNumberScheduled=0, desiredNumberScheduled=0, numberMisscheduled=0, numberReady=0
    ),
    prepare_for_update=keep_status,
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
