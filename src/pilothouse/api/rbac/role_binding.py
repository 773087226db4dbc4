"""RoleBinding: gives a role to subjects, in one namespace.

Sources of the facts: pkg/apis/rbac/v1/defaults.go, pkg/apis/rbac/validation/validation.go,
pkg/printers/internalversion/printers.go. API page: rbac.authorization.k8s.io/v1 RoleBinding.
"""

from pilothouse.api.machinery.columns import AGE, Cell
from pilothouse.api.machinery.field import FieldErrors, as_go_shows, at, index
from pilothouse.api.machinery.names import dns_subdomain, path_segment
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.rbac_v1 import RoleBinding
from pilothouse.runtime.clock import Instant

GROUP = "rbac.authorization.k8s.io"
_ROLE_REF = {"APIGroup": "", "Kind": "", "Name": ""}
_SUBJECT_GROUPS = {"User": GROUP, "Group": GROUP, "ServiceAccount": ""}


def default(obj: JsonObject) -> None:
    """Roles, users and groups are of this API group."""
    role = obj.setdefault("roleRef", {})
    if not role.get("apiGroup"):
        role["apiGroup"] = GROUP
    for subject in obj.get("subjects") or ():
        if not subject.get("apiGroup") and (group := _SUBJECT_GROUPS.get(subject.get("kind") or "")):
            subject["apiGroup"] = group


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """It binds a Role of its namespace, or a ClusterRole."""
    validate_binding(obj, ("Role", "ClusterRole"), errors, namespaced=True)


def validate_binding(obj: JsonObject, kinds: tuple[str, ...], errors: FieldErrors, *, namespaced: bool) -> None:
    """A reference to a role of one of `kinds`, and subjects."""
    role = obj.get("roleRef") or {}
    if (group := role.get("apiGroup") or "") != GROUP:
        errors.not_supported("roleRef.apiGroup", group, (GROUP,))
    if (kind := role.get("kind") or "") not in kinds:
        errors.not_supported("roleRef.kind", kind, kinds)
    name = role.get("name") or ""
    if not name:
        errors.required("roleRef.name")
    for wrong in path_segment(name) if name else ():
        errors.invalid("roleRef.name", name, wrong)
    for position, subject in enumerate(obj.get("subjects") or ()):
        _validate_subject(subject, errors, index("subjects", position), namespaced=namespaced)


def _validate_subject(subject: JsonObject, errors: FieldErrors, path: str, *, namespaced: bool) -> None:
    kind, name, group = subject.get("kind") or "", subject.get("name") or "", subject.get("apiGroup") or ""
    if not name:
        errors.required(at(path, "name"))
    if kind not in _SUBJECT_GROUPS:
        errors.not_supported(at(path, "kind"), kind, ("ServiceAccount", "User", "Group"))
        return
    if kind == "ServiceAccount":
        for wrong in dns_subdomain(name) if name else ():
            errors.invalid(at(path, "name"), name, wrong)
    elif not name:
        errors.invalid(at(path, "name"), name, f"{kind.lower()} name cannot be empty")
    if group != _SUBJECT_GROUPS[kind]:
        errors.not_supported(at(path, "apiGroup"), group, (_SUBJECT_GROUPS[kind],))
    if kind == "ServiceAccount" and not namespaced and not subject.get("namespace"):
        errors.required(at(path, "namespace"))


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Whoever may change subjects must not be able to change what they get."""
    if obj.get("roleRef") != old.get("roleRef"):
        errors.invalid("roleRef", as_go_shows(obj.get("roleRef") or {}, _ROLE_REF), "cannot change roleRef")


def _role(obj: JsonObject, _now: Instant) -> str:
    role = obj.get("roleRef") or {}
    return f"{role.get('kind', '')}/{role.get('name', '')}"


def _subjects(kind: str) -> Cell:
    def cell(obj: JsonObject, _now: Instant) -> str:
        found = [subject for subject in obj.get("subjects") or () if subject.get("kind") == kind]
        prefix = kind == "ServiceAccount"
        return ", ".join(f"{s.get('namespace', '')}/{s['name']}" if prefix else s["name"] for s in found)

    return cell


COLUMNS = (
    Column("Role", _role),
    AGE,
    Column("Users", _subjects("User"), priority=1),
    Column("Groups", _subjects("Group"), priority=1),
    Column("ServiceAccounts", _subjects("ServiceAccount"), priority=1),
)

RESOURCE = Resource(
    kind=RoleBinding,
    group=GROUP,
    version="v1",
    plural="rolebindings",
    singular="rolebinding",
    generation=False,
    create_on_update=True,
    default=default,
    validate=validate,
    validate_update=validate_update,
    validate_name=path_segment,
    columns=COLUMNS,
)
