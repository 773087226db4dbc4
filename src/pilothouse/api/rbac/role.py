"""Role: what may be done in a namespace.

Source of the facts: pkg/apis/rbac/validation/validation.go. API page: rbac.authorization.k8s.io/v1 Role.
"""

from pilothouse.api.machinery.columns import show
from pilothouse.api.machinery.field import FieldErrors, at, index
from pilothouse.api.machinery.names import path_segment
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.rbac_v1 import Role


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """Rules of a Role are about resources alone."""
    validate_rules(obj, errors, namespaced=True)


def validate_rules(obj: JsonObject, errors: FieldErrors, *, namespaced: bool) -> None:
    """Every rule has verbs, and is either about resources or about other URLs."""
    for position, rule in enumerate(obj.get("rules") or ()):
        _validate_rule(rule, errors, index("rules", position), namespaced=namespaced)


def _validate_rule(rule: JsonObject, errors: FieldErrors, path: str, *, namespaced: bool) -> None:
    groups, resources = rule.get("apiGroups") or (), rule.get("resources") or ()
    names, urls = rule.get("resourceNames") or (), rule.get("nonResourceURLs") or ()
    if not rule.get("verbs"):
        errors.required(at(path, "verbs"), "verbs must contain at least one value")
    if urls:
        where = at(path, "nonResourceURLs")
        if namespaced:
            errors.invalid(where, urls, "namespaced rules cannot apply to non-resource URLs")
        if groups or resources or names:
            errors.invalid(where, urls, "rules cannot apply to both regular resources and non-resource URLs")
        return
    if not groups:
        errors.required(at(path, "apiGroups"), "resource rules must supply at least one api group")
    if not resources:
        errors.required(at(path, "resources"), "resource rules must supply at least one resource")


RESOURCE = Resource(
    kind=Role,
    group="rbac.authorization.k8s.io",
    version="v1",
    plural="roles",
    singular="role",
    generation=False,
    create_on_update=True,
    validate=validate,
    validate_name=path_segment,
    columns=(Column("Created At", show("metadata", "creationTimestamp"), type="date"),),
)
