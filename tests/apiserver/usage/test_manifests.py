"""Who may see what pods use."""

import pytest

from apiserver.usage.stage import schemas
from pilothouse.api.catalogue import with_addons
from pilothouse.api.types.rbac_v1 import RoleBinding
from pilothouse.apiserver.authorization.framework import Attributes
from pilothouse.apiserver.authorization.rbac import Rbac
from pilothouse.apiserver.bootstrap.manifests import GROUP
from pilothouse.apiserver.bootstrap.objects import make_manifests
from pilothouse.apiserver.bootstrap.rbac_policy import make_policy
from pilothouse.apiserver.server import ApiServer
from pilothouse.apiserver.usage.manifests import usage_manifests
from pilothouse.apiserver.user import User
from pilothouse.client.client import Client
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HandlerTransport
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run

ME = User("me")


@pytest.mark.parametrize("role", ["view", "edit", "admin"])
def test_whoever_has_one_of_the_roles_may_read_and_nothing_else(role: str) -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, with_addons(), schemas(), clock, chance) as server:
            server.assemble()
            rbac = Rbac(server.cache)
            client = Client(HandlerTransport(server.handle, None), with_addons(), clock, memo=Memo())
            await make_policy(client, clock)
            binding = {
                "metadata": {"name": "mine"},
                "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": role},
                "subjects": [{"apiGroup": GROUP, "kind": "User", "name": ME.name}],
            }
            await client.create(RoleBinding, binding, "shop")

            def may(verb: str, namespace: str) -> bool:
                of = Attributes(ME, verb, "metrics.k8s.io", "v1beta1", "pods", "", namespace, "", "", is_resource=True)
                return rbac.authorize(of).allowed

            assert not may("list", "shop")
            await make_manifests(client, usage_manifests())
            assert may("list", "shop")
            assert may("get", "shop")
            assert not may("create", "shop")
            assert not may("list", "other")

    run(story)
