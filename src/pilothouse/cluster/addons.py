"""Addons: what a cluster gets besides its components' own objects. The API server makes what is missing."""

from pilothouse.api.machinery.view import JsonObject
from pilothouse.cluster.pki import SIMULATED
from pilothouse.cluster.settings import Settings
from pilothouse.dns.manifests import manifests

_GROUP = "rbac.authorization.k8s.io"
_RBAC = f"{_GROUP}/v1"


def addons(settings: Settings) -> list[JsonObject]:
    """The DNS's Service and permissions, and those of simulated nodes."""
    found = manifests(settings.dns_address) if settings.node else []
    return found + (_simulated_nodes() if settings.simulated_nodes else [])


def _simulated_nodes() -> list[JsonObject]:
    """What the one process that plays all simulated nodes may do."""
    metadata = {"name": SIMULATED}
    write = ["get", "list", "watch", "create", "update", "patch"]
    rules = [
        {"apiGroups": [""], "resources": ["nodes", "nodes/status", "pods/status", "events"], "verbs": write},
        {"apiGroups": [""], "resources": ["pods"], "verbs": [*write, "delete"]},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": write},
    ]
    role = {"apiVersion": _RBAC, "kind": "ClusterRole", "metadata": metadata, "rules": rules}
    binding = {
        "apiVersion": _RBAC,
        "kind": "ClusterRoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": _GROUP, "kind": "ClusterRole", "name": SIMULATED},
        "subjects": [{"apiGroup": _GROUP, "kind": "User", "name": SIMULATED}],
    }
    return [role, binding]
