"""SelfSubjectRulesReview: what may I do in a namespace; answered, never stored."""

from pilothouse.api.machinery.resource import Resource
from pilothouse.api.types.authorization_v1 import SelfSubjectRulesReview

RESOURCE = Resource(
    kind=SelfSubjectRulesReview,
    group="authorization.k8s.io",
    version="v1",
    plural="selfsubjectrulesreviews",
    singular="selfsubjectrulesreview",
    namespaced=False,
    verbs=("create",),
    generation=False,
)
