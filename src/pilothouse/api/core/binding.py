"""Binding: says which node a pod goes to; written by schedulers, never stored."""

from pilothouse.api.machinery.resource import Resource
from pilothouse.api.types.core_v1 import Binding

RESOURCE = Resource(
    kind=Binding,
    group="",
    version="v1",
    plural="bindings",
    singular="binding",
    verbs=("create",),
    generation=False,
)
