"""SelfSubjectReview: who am I; answered, never stored."""

from pilothouse.api.machinery.resource import Resource
from pilothouse.api.types.authentication_v1 import SelfSubjectReview

RESOURCE = Resource(
    kind=SelfSubjectReview,
    group="authentication.k8s.io",
    version="v1",
    plural="selfsubjectreviews",
    singular="selfsubjectreview",
    namespaced=False,
    verbs=("create",),
    generation=False,
)
