"""ReplicaSet: a number of pods of one template."""

from pilothouse.api.machinery.resource import STATUS, Resource, ScalePaths, Subresource
from pilothouse.api.types.apps_v1 import ReplicaSet

RESOURCE = Resource(
    kind=ReplicaSet,
    group="apps",
    version="v1",
    plural="replicasets",
    singular="replicaset",
    short_names=("rs",),
    categories=("all",),
    subresources=(Subresource("scale", kind="Scale", group="autoscaling", version="v1", scale=ScalePaths()), STATUS),
)
