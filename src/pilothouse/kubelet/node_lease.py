"""The node's lease: one small object, renewed every ten seconds, by which the cluster knows that the node lives.

KEP-589; API page: Leases.
"""

from pilothouse.api.machinery.errors import NotFound
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.coordination_v1 import Lease
from pilothouse.api.types.core_v1 import Node
from pilothouse.client.client import Client
from pilothouse.runtime.clock import Clock, format_micro_time

NAMESPACE = "kube-node-lease"
SECONDS = 40
"""How long a lease lasts of its own accord."""
RENEWALS = 4
"""How often it is renewed while it lasts."""
JITTER = 0.04


async def renew(client: Client, clock: Clock, name: str, seconds: int = SECONDS) -> None:
    """Renew a node's lease, or make it, owned by the node. Raises StatusError, OSError, TimeoutError."""
    spec: JsonObject = {
        "holderIdentity": name,
        "leaseDurationSeconds": seconds,
        "renewTime": format_micro_time(clock.now()),
    }
    try:
        await client.patch(Lease, name, NAMESPACE, {"spec": spec})
    except NotFound:
        node = await client.get(Node, name)
        owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": node.metadata.uid}
        meta = {"name": name, "namespace": NAMESPACE, "ownerReferences": [owner]}
        await client.create(Lease, {"metadata": meta, "spec": spec})
