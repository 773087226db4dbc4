"""LocalSubjectAccessReview: may somebody do this in this namespace; answered, never stored."""

from pilothouse.api.machinery.resource import Resource
from pilothouse.api.types.authorization_v1 import LocalSubjectAccessReview

RESOURCE = Resource(
    kind=LocalSubjectAccessReview,
    group="authorization.k8s.io",
    version="v1",
    plural="localsubjectaccessreviews",
    singular="localsubjectaccessreview",
    verbs=("create",),
    generation=False,
)
