"""Addons: what a cluster gets besides its components' own objects. The API server makes what is missing."""

from collections.abc import Iterable

from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.usage.manifests import usage_manifests
from pilothouse.cluster.node_bindings import node_bindings
from pilothouse.cluster.pki import SIMULATED
from pilothouse.cluster.settings import Settings
from pilothouse.dns.manifests import manifests
from pilothouse.kubelet.handlers import detect_handlers

_GROUP = "rbac.authorization.k8s.io"
_RBAC = f"{_GROUP}/v1"
_OVERHEAD = {"kata": {"cpu": "250m", "memory": "160Mi"}}
"""As kata-deploy's own RuntimeClasses have it."""


def addons(settings: Settings) -> list[JsonObject]:
    """The DNS's Service and permissions, runtimes that are installed, permissions of nodes and of who reads metrics."""
    found = manifests(settings.dns_address) if settings.node else []
    # Which handlers somebody else's runtime has, he knows who configured it.
    found += runtime_classes(detect_handlers()) if settings.node and not settings.runtime_endpoint else []
    return found + node_bindings() + usage_manifests() + (_simulated_nodes() if settings.simulated_nodes else [])


def runtime_classes(handlers: Iterable[str]) -> list[JsonObject]:
    """One for each low-level runtime that is installed, of its name; with what it takes beside the pod's containers."""
    return [
        {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": handler}, "handler": handler}
        | ({"overhead": {"podFixed": _OVERHEAD[handler]}} if handler in _OVERHEAD else {})
        for handler in handlers
    ]


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
