"""Endpoints: the addresses behind a Service; EndpointSlice has replaced it."""

from pilothouse.api.machinery.resource import Resource
from pilothouse.api.types.core_v1 import Endpoints

RESOURCE = Resource(
    kind=Endpoints,
    group="",
    version="v1",
    plural="endpoints",
    singular="endpoints",
    short_names=("ep",),
    generation=False,
)
