"""RoleBinding: gives a role to subjects, in one namespace."""

from pilothouse.api.machinery.resource import Resource
from pilothouse.api.types.rbac_v1 import RoleBinding

RESOURCE = Resource(
    kind=RoleBinding,
    group="rbac.authorization.k8s.io",
    version="v1",
    plural="rolebindings",
    singular="rolebinding",
    generation=False,
)
