"""Secret: confidential configuration."""

from pilothouse.api.machinery.resource import Resource
from pilothouse.api.types.core_v1 import Secret

RESOURCE = Resource(
    kind=Secret,
    group="",
    version="v1",
    plural="secrets",
    singular="secret",
    generation=False,
)
