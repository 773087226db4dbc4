"""Namespace: the scope of names."""

from pilothouse.api.machinery.resource import STATUS, Resource, Subresource
from pilothouse.api.types.core_v1 import Namespace

RESOURCE = Resource(
    kind=Namespace,
    group="",
    version="v1",
    plural="namespaces",
    singular="namespace",
    namespaced=False,
    short_names=("ns",),
    verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
    subresources=(STATUS, Subresource("finalize", verbs=("update",))),
    generation=False,
)
