"""Addons: what a cluster gets besides its components' own objects. Applied by every `up`: present, or made anew."""

from pilothouse.api.machinery.errors import AlreadyExists
from pilothouse.api.machinery.view import JsonObject
from pilothouse.client.client import Client
from pilothouse.cluster.pki import SIMULATED
from pilothouse.cluster.settings import Settings
from pilothouse.dns.manifests import manifests

_GROUP = "rbac.authorization.k8s.io"
_RBAC = f"{_GROUP}/v1"


async def apply_addons(client: Client, settings: Settings) -> None:
    """Have the DNS's Service and permissions, and those of simulated nodes. What is there is the user's, and stays."""
    wanted = manifests(settings.dns_address) if settings.node else []
    if settings.simulated_nodes:
        wanted += _simulated_nodes()
    for manifest in wanted:
        await _ensure(client, manifest)


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


async def _ensure(client: Client, manifest: JsonObject) -> None:
    group, _, version = manifest["apiVersion"].rpartition("/")
    resource = client.catalogue.by_kind(group, version, manifest["kind"])
    if resource is None:
        raise LookupError(f"{manifest['apiVersion']} {manifest['kind']} is not in the catalogue")
    try:
        await client.create(resource, manifest, manifest["metadata"].get("namespace", ""))
    except AlreadyExists:
        return
