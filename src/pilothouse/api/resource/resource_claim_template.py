"""ResourceClaimTemplate: makes a ResourceClaim for each pod."""

from pilothouse.api.machinery.resource import Resource
from pilothouse.api.types.resource_v1 import ResourceClaimTemplate

RESOURCE = Resource(
    kind=ResourceClaimTemplate,
    group="resource.k8s.io",
    version="v1",
    plural="resourceclaimtemplates",
    singular="resourceclaimtemplate",
    generation=False,
)
