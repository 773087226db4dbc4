"""ClusterRoleBinding: gives a ClusterRole to subjects, everywhere."""

from pilothouse.api.machinery.resource import Resource
from pilothouse.api.types.rbac_v1 import ClusterRoleBinding

RESOURCE = Resource(
    kind=ClusterRoleBinding,
    group="rbac.authorization.k8s.io",
    version="v1",
    plural="clusterrolebindings",
    singular="clusterrolebinding",
    namespaced=False,
    generation=False,
)
