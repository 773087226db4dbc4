"""TokenReview: whose token is this; answered, never stored."""

from pilothouse.api.machinery.resource import Resource
from pilothouse.api.types.authentication_v1 import TokenReview

RESOURCE = Resource(
    kind=TokenReview,
    group="authentication.k8s.io",
    version="v1",
    plural="tokenreviews",
    singular="tokenreview",
    namespaced=False,
    verbs=("create",),
    generation=False,
)
