"""StatefulSet: pods with stable names and storage."""

from pilothouse.api.machinery.columns import AGE, containers, dig
from pilothouse.api.machinery.resource import STATUS, Column, Resource, ScalePaths, Subresource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.apps_v1 import StatefulSet
from pilothouse.runtime.clock import Instant


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
    subresources=(Subresource("scale", kind="Scale", group="autoscaling", version="v1", scale=ScalePaths()), STATUS),
    prepare_for_create=fresh_status(availableReplicas=0, replicas=0),
    prepare_for_update=keep_status,
    columns=(
        Column("Ready", _ready),
        AGE,
        *containers("spec", "template", "spec"),
    ),
)
