"""ServiceAccount: an identity for pods."""

from pilothouse.api.machinery.resource import Resource, Subresource
from pilothouse.api.types.core_v1 import ServiceAccount

RESOURCE = Resource(
    kind=ServiceAccount,
    group="",
    version="v1",
    plural="serviceaccounts",
    singular="serviceaccount",
    short_names=("sa",),
    subresources=(
        Subresource("token", kind="TokenRequest", group="authentication.k8s.io", version="v1", verbs=("create",)),
    ),
    generation=False,
)
