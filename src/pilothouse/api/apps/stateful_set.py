"""StatefulSet: pods with stable names and storage.

Sources of the facts: pkg/apis/apps/v1/defaults.go, pkg/printers/internalversion/printers.go. API page: apps/v1
StatefulSet.
"""

from pilothouse.api.core.persistent_volume_claim import default as default_claim
from pilothouse.api.core.pod.defaults import default_pod_template
from pilothouse.api.core.pod.warnings import warn_of_workload
from pilothouse.api.machinery.columns import AGE, containers, dig
from pilothouse.api.machinery.resource import STATUS, Column, Resource, ScalePaths, Subresource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.apps_v1 import StatefulSet
from pilothouse.runtime.clock import Instant


def default(obj: JsonObject) -> None:
    """One replica, pods one after the other, claims kept, ten revisions to go back to."""
    spec = obj.setdefault("spec", {})
    for name, value in (("replicas", 1), ("revisionHistoryLimit", 10), ("podManagementPolicy", "OrderedReady")):
        if spec.get(name) in (None, ""):
            spec[name] = value
    if spec.get("updateStrategy") is None:
        spec["updateStrategy"] = {}
    strategy = spec["updateStrategy"]
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
        if strategy.get("rollingUpdate") is None:
            strategy["rollingUpdate"] = {}
    rolling = strategy.get("rollingUpdate")
    if strategy["type"] == "RollingUpdate" and rolling is not None and rolling.get("partition") is None:
        rolling["partition"] = 0
    if spec.get("persistentVolumeClaimRetentionPolicy") is None:
        spec["persistentVolumeClaimRetentionPolicy"] = {}
    for name in ("whenDeleted", "whenScaled"):
        if not spec["persistentVolumeClaimRetentionPolicy"].get(name):
            spec["persistentVolumeClaimRetentionPolicy"][name] = "Retain"
    for claim in spec.get("volumeClaimTemplates") or ():
        claim.update(apiVersion="v1", kind="PersistentVolumeClaim")
        default_claim(claim)
    default_pod_template(spec.setdefault("template", {}))


def _ready(obj: JsonObject, _now: Instant) -> str:
    return f"{dig(obj, 'status', 'readyReplicas') or 0}/{dig(obj, 'spec', 'replicas') or 0}"


RESOURCE = Resource(
    kind=StatefulSet,
    group="apps",
    version="v1",
    plural="statefulsets",
    singular="statefulset",
    short_names=("sts",),
    categories=("all",),
    subresources=(
        Subresource("scale", kind="Scale", group="autoscaling", version="v1", scale=ScalePaths()),
        STATUS,
    ),
    default=default,
    prepare_for_create=fresh_status(availableReplicas=0, replicas=0),
    prepare_for_update=keep_status,
    warn=warn_of_workload,
    columns=(Column("Ready", _ready), AGE, *containers("spec", "template", "spec")),
)
