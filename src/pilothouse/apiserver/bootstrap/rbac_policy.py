"""The default roles and bindings, written at every start: roles before the bindings that name them.

Existing objects are only ever added to, and left alone where `autoupdate` says "false". Source: "Auto-reconciliation"
of the RBAC reference.
"""

from collections.abc import Callable, Iterable

from pilothouse.api.machinery.errors import AlreadyExists, NotFound
from pilothouse.api.machinery.view import JsonObject, View
from pilothouse.api.types.rbac_v1 import ClusterRole, ClusterRoleBinding, Role, RoleBinding
from pilothouse.apiserver.bootstrap import manifests
from pilothouse.client.client import Client
from pilothouse.client.retry import retry_on_conflict
from pilothouse.runtime.clock import Clock

Merge = Callable[[JsonObject, JsonObject], JsonObject | None]


async def make_policy(client: Client, clock: Clock) -> None:
    """Write the policy. The client is a member of system:masters; the system namespaces are there."""
    await _all(client, clock, ClusterRole, manifests.cluster_roles(), manifests.merged_role)
    await _all(client, clock, ClusterRoleBinding, manifests.cluster_role_bindings(), manifests.merged_binding)
    await _all(client, clock, Role, manifests.roles(), manifests.merged_role)
    await _all(client, clock, RoleBinding, manifests.role_bindings(), manifests.merged_binding)


async def _all(client: Client, clock: Clock, kind: type[View], wanted: Iterable[JsonObject], merge: Merge) -> None:
    for manifest in wanted:
        await _ensure(client, clock, kind, manifest, merge)


async def _ensure(client: Client, clock: Clock, kind: type[View], wanted: JsonObject, merge: Merge) -> None:
    """Create the object, or add what it lacks. Another API server may be doing the same."""
    name, namespace = wanted["metadata"]["name"], wanted["metadata"].get("namespace", "")

    async def attempt() -> None:
        try:
            existing = await client.get(kind, name, namespace)
        except NotFound:
            try:
                await client.create(kind, wanted, namespace)
            except AlreadyExists:
                return
            return
        changed = merge(dict(existing.raw), wanted)
        if changed is not None:
            await client.update(kind, changed)

    await retry_on_conflict(clock, attempt)
