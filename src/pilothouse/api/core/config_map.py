"""ConfigMap: configuration as text and bytes, read by pods."""

from pilothouse.api.machinery.resource import Resource
from pilothouse.api.types.core_v1 import ConfigMap

RESOURCE = Resource(
    kind=ConfigMap,
    group="",
    version="v1",
    plural="configmaps",
    singular="configmap",
    short_names=("cm",),
    generation=False,
)
