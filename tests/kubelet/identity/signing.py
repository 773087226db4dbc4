"""A cluster that signs nodes' certificates, bound as `up` binds it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kubelet.identity.asking import AUTHORITY
from pilothouse.api.types.rbac_v1 import ClusterRoleBinding
from pilothouse.apiserver.user import User
from pilothouse.client.client import Client
from pilothouse.cluster.node_bindings import JOINING, node_bindings
from pilothouse.controllers.main import ControllersConfig
from pilothouse.net.pki import KeyPair
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.testing.cluster import Cluster

NODE = User("system:node:n1", ("system:nodes", "system:authenticated"))
NEWCOMER = User("system:bootstrap:abcdef", ("system:bootstrappers", JOINING, "system:authenticated"))
CONTROLLERS = tuple(f"certificatesigningrequest-{name}-controller" for name in ("approving", "signing"))


@asynccontextmanager
async def signing(clock: Clock, chance: Chance, life: float) -> AsyncIterator[Cluster]:
    """Certificates live so long."""
    config = ControllersConfig(
        controllers=CONTROLLERS, signing=KeyPair(AUTHORITY.certificate, AUTHORITY.key), signing_duration=life
    )
    async with Cluster(clock, chance, manager=config) as cluster:
        await bind(cluster.client())
        yield cluster


async def bind(admin: Client) -> None:
    """Let nodes have certificates."""
    for each in node_bindings():
        await admin.create(ClusterRoleBinding, each)
