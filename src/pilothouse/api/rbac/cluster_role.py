"""ClusterRole: what may be done in the whole cluster."""

from pilothouse.api.machinery.columns import show
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.types.rbac_v1 import ClusterRole

RESOURCE = Resource(
    kind=ClusterRole,
    group="rbac.authorization.k8s.io",
    version="v1",
    plural="clusterroles",
    singular="clusterrole",
    namespaced=False,
    generation=False,
    columns=(Column("Created At", show("metadata", "creationTimestamp"), type="date"),),
)
