"""An ordinary user, and the rights that she has by twenty bindings: of Roles and ClusterRoles, to her and her groups.

None makes her an administrator. What the benchmarks ask for stands neither first nor in one place.
"""

from collections.abc import Awaitable, Callable

USER, GROUPS = "jane", ("developers", "operators", "on-call")

_RBAC = "rbac.authorization.k8s.io"
_READ, _WRITE = ("get", "list", "watch"), ("create", "update", "patch", "delete", "deletecollection")
_ROLES = {
    "reads-configuration": ("", ("configmaps",), _READ),
    "writes-configuration": ("", ("configmaps",), _WRITE),
    "reads-pods": ("", ("pods", "pods/log", "pods/status"), _READ),
    "writes-pods": ("", ("pods",), _WRITE),
    "reports-pods": ("", ("pods/status",), ("update", "patch")),
    "reads-services": ("", ("services", "endpoints"), _READ),
    "leads": ("coordination.k8s.io", ("leases",), (*_READ, *_WRITE)),
    "scales": ("apps", ("deployments/scale", "statefulsets/scale"), ("get", "update", "patch")),
    "reads-events": ("", ("events",), _READ),
    "routes": ("networking.k8s.io", ("ingresses", "networkpolicies"), (*_READ, *_WRITE)),
}
"""In the namespace `default`: API group, resources, verbs."""
_CLUSTER_ROLES = {
    "reads-nodes": ("", ("nodes", "persistentvolumes", "namespaces"), _READ),
    "reads-classes": ("storage.k8s.io", ("storageclasses", "csidrivers"), _READ),
    "reads-priorities": ("scheduling.k8s.io", ("priorityclasses",), _READ),
}
_BINDINGS = (
    ("default", "Role", "reads-services", "Group", "developers"),
    ("default", "Role", "leads", "Group", "operators"),
    ("default", "Role", "reads-events", "Group", "on-call"),
    ("default", "Role", "routes", "User", USER),
    ("default", "Role", "scales", "Group", "operators"),
    ("default", "Role", "reads-configuration", "Group", "developers"),
    ("default", "Role", "writes-configuration", "User", USER),
    ("default", "Role", "reads-pods", "Group", "on-call"),
    ("default", "Role", "writes-pods", "Group", "developers"),
    ("default", "Role", "reports-pods", "User", USER),
    ("default", "ClusterRole", "view", "Group", "on-call"),
    ("kube-system", "ClusterRole", "view", "Group", "on-call"),
    ("kube-system", "ClusterRole", "edit", "Group", "operators"),
    ("kube-public", "ClusterRole", "view", "Group", "developers"),
    ("kube-public", "ClusterRole", "edit", "User", USER),
    ("kube-node-lease", "ClusterRole", "view", "Group", "operators"),
    ("", "ClusterRole", "reads-nodes", "Group", "on-call"),
    ("", "ClusterRole", "reads-classes", "Group", "operators"),
    ("", "ClusterRole", "reads-priorities", "User", USER),
    ("", "ClusterRole", "system:public-info-viewer", "Group", "developers"),
)
"""Namespace, role, subject."""

Post = Callable[[str, object], Awaitable[object]]


async def grant(post: Post) -> None:
    """Make the roles and the bindings, as an administrator."""
    for roles, place in ((_ROLES, "namespaces/default/roles"), (_CLUSTER_ROLES, "clusterroles")):
        for name, (group, resources, verbs) in roles.items():
            rule = {"apiGroups": [group], "resources": resources, "verbs": verbs}
            await post(f"/apis/{_RBAC}/v1/{place}", {"metadata": {"name": name}, "rules": [rule]})
    for number, (namespace, kind, role, subject, name) in enumerate(_BINDINGS):
        place = f"namespaces/{namespace}/rolebindings" if namespace else "clusterrolebindings"
        binding = {
            "metadata": {"name": f"bench-{number}"},
            "roleRef": {"apiGroup": _RBAC, "kind": kind, "name": role},
            "subjects": [{"apiGroup": _RBAC, "kind": subject, "name": name}],
        }
        await post(f"/apis/{_RBAC}/v1/{place}", binding)
