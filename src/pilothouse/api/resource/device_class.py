"""DeviceClass: a named choice of devices and their configuration."""

from pilothouse.api.machinery.resource import Resource
from pilothouse.api.types.resource_v1 import DeviceClass

RESOURCE = Resource(
    kind=DeviceClass,
    group="resource.k8s.io",
    version="v1",
    plural="deviceclasses",
    singular="deviceclass",
    namespaced=False,
)
