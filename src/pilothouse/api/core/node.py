"""Node: a machine that runs pods."""

from pilothouse.api.machinery.resource import STATUS, Resource, Subresource
from pilothouse.api.types.core_v1 import Node

RESOURCE = Resource(
    kind=Node,
    group="",
    version="v1",
    plural="nodes",
    singular="node",
    namespaced=False,
    short_names=("no",),
    subresources=(
        Subresource("proxy", kind="NodeProxyOptions", verbs=("create", "delete", "get", "patch", "update")),
        STATUS,
    ),
    generation=False,
)
