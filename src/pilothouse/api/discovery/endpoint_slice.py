"""EndpointSlice: a part of the addresses behind a Service."""

from pilothouse.api.machinery.resource import Resource
from pilothouse.api.types.discovery_v1 import EndpointSlice

RESOURCE = Resource(
    kind=EndpointSlice,
    group="discovery.k8s.io",
    version="v1",
    plural="endpointslices",
    singular="endpointslice",
)
