"""PriorityClass: how important pods are."""

from pilothouse.api.machinery.resource import Resource
from pilothouse.api.types.scheduling_v1 import PriorityClass

RESOURCE = Resource(
    kind=PriorityClass,
    group="scheduling.k8s.io",
    version="v1",
    plural="priorityclasses",
    singular="priorityclass",
    namespaced=False,
    short_names=("pc",),
)
