"""Service: a stable address for a set of pods."""

from pilothouse.api.machinery.resource import STATUS, Resource, Subresource
from pilothouse.api.types.core_v1 import Service

RESOURCE = Resource(
    kind=Service,
    group="",
    version="v1",
    plural="services",
    singular="service",
    short_names=("svc",),
    categories=("all",),
    subresources=(
        Subresource("proxy", kind="ServiceProxyOptions", verbs=("create", "delete", "get", "patch", "update")),
        STATUS,
    ),
    generation=False,
)
