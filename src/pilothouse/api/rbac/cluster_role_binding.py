"""ClusterRoleBinding: gives a ClusterRole to subjects, everywhere.

Source of the facts: pkg/apis/rbac/validation/validation.go. API page: rbac.authorization.k8s.io/v1 ClusterRoleBinding.
"""

from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.names import path_segment
from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.rbac.role_binding import COLUMNS, GROUP, default, validate_binding, validate_update
from pilothouse.api.types.rbac_v1 import ClusterRoleBinding


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """It binds a ClusterRole; its service accounts say of which namespace they are."""
    validate_binding(obj, ("ClusterRole",), errors, namespaced=False)


RESOURCE = Resource(
    kind=ClusterRoleBinding,
    group=GROUP,
    version="v1",
    plural="clusterrolebindings",
    singular="clusterrolebinding",
    namespaced=False,
    generation=False,
    create_on_update=True,
    default=default,
    validate=validate,
    validate_update=validate_update,
    validate_name=path_segment,
    columns=COLUMNS,
)
