"""DeviceTaintRule: taints devices that match."""

from pilothouse.api.machinery.resource import STATUS, Resource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.types.resource_v1 import DeviceTaintRule

RESOURCE = Resource(
    kind=DeviceTaintRule,
    group="resource.k8s.io",
    version="v1",
    plural="devicetaintrules",
    singular="devicetaintrule",
    namespaced=False,
    subresources=(STATUS,),
    prepare_for_create=fresh_status(),
    prepare_for_update=keep_status,
)
