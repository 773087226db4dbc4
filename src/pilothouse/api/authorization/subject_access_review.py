"""SubjectAccessReview: may somebody do this; answered, never stored."""

from pilothouse.api.machinery.resource import Resource
from pilothouse.api.types.authorization_v1 import SubjectAccessReview

RESOURCE = Resource(
    kind=SubjectAccessReview,
    group="authorization.k8s.io",
    version="v1",
    plural="subjectaccessreviews",
    singular="subjectaccessreview",
    namespaced=False,
    verbs=("create",),
    generation=False,
)
