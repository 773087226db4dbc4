"""ClusterRole: what may be done in the whole cluster, or in each namespace it is bound in.

Source of the facts: pkg/apis/rbac/validation/validation.go. API page: rbac.authorization.k8s.io/v1 ClusterRole.
"""

from pilothouse.api.machinery.columns import show
from pilothouse.api.machinery.field import FieldErrors, index
from pilothouse.api.machinery.names import path_segment
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.selector_rules import validate_label_selector
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.rbac.role import validate_rules
from pilothouse.api.types.rbac_v1 import ClusterRole


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """Rules as in a Role, and selectors where it is put together from others."""
    validate_rules(obj, errors, namespaced=False)
    aggregation = obj.get("aggregationRule")
    if aggregation is None:
        return
    path, selectors = "aggregationRule.clusterRoleSelectors", aggregation.get("clusterRoleSelectors") or ()
    if not selectors:
        errors.required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil")
    for position, selector in enumerate(selectors):
        validate_label_selector(selector, errors, index(path, position))


RESOURCE = Resource(
    kind=ClusterRole,
    group="rbac.authorization.k8s.io",
    version="v1",
    plural="clusterroles",
    singular="clusterrole",
    namespaced=False,
    generation=False,
    create_on_update=True,
    validate=validate,
    validate_name=path_segment,
    columns=(Column("Created At", show("metadata", "creationTimestamp"), type="date"),),
)
