"""Role: what may be done in a namespace."""

from pilothouse.api.machinery.columns import show
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.types.rbac_v1 import Role

RESOURCE = Resource(
    kind=Role,
    group="rbac.authorization.k8s.io",
    version="v1",
    plural="roles",
    singular="role",
    generation=False,
    columns=(Column("Created At", show("metadata", "creationTimestamp"), type="date"),),
)
