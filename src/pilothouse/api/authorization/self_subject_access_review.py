"""SelfSubjectAccessReview: may I do this; answered, never stored."""

from pilothouse.api.machinery.resource import Resource
from pilothouse.api.types.authorization_v1 import SelfSubjectAccessReview

RESOURCE = Resource(
    kind=SelfSubjectAccessReview,
    group="authorization.k8s.io",
    version="v1",
    plural="selfsubjectaccessreviews",
    singular="selfsubjectaccessreview",
    namespaced=False,
    verbs=("create",),
    generation=False,
)
