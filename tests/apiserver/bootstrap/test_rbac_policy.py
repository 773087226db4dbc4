"""The default policy against a whole API server: what it writes, that it works, that it repeats without harm."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.errors import Forbidden
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.types.core_v1 import ConfigMap, Secret
from pilothouse.api.types.rbac_v1 import ClusterRole, ClusterRoleBinding
from pilothouse.apiserver.authentication.framework import FirstOf
from pilothouse.apiserver.authentication.in_process import InProcessAuthenticator
from pilothouse.apiserver.authorization.framework import Attributes, Chain, Masters
from pilothouse.apiserver.authorization.rbac import Rbac
from pilothouse.apiserver.bootstrap.manifests import AUTOUPDATE, merged_binding, merged_role
from pilothouse.apiserver.bootstrap.notation import rule
from pilothouse.apiserver.bootstrap.rbac_policy import make_policy
from pilothouse.apiserver.handlers.authenticate import authenticate
from pilothouse.apiserver.handlers.authorize import authorize
from pilothouse.apiserver.server import ApiServer
from pilothouse.apiserver.user import User, service_account_user
from pilothouse.client.client import Client
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HandlerTransport
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import SystemClock
from pilothouse.store.memory import MemoryStore

SELF = User("system:apiserver", ("system:masters",))
As = Callable[[User], Client]


@cache
def schemas() -> Schemas:
    return Schemas()


def run(story: Callable[[As, Rbac], Awaitable[None]]) -> None:
    async def scenario() -> None:
        clock, catalogue = SystemClock(), builtin()
        async with MemoryStore(clock) as store, ApiServer(store, catalogue, schemas(), clock, Chance(1)) as server:
            rbac = Rbac(server.cache)
            who = FirstOf([InProcessAuthenticator()])
            server.assemble(steps=[authenticate(who), authorize(Chain([Masters(), rbac]))])

            def client(user: User) -> Client:
                return Client(HandlerTransport(server.handle, user), catalogue, clock, memo=Memo())

            await make_policy(client(SELF), clock)
            await server.cache.reach_latest()
            await story(client, rbac)

    asyncio.run(scenario())


def test_the_default_roles_let_everybody_do_their_work() -> None:
    controller = service_account_user("kube-system", "replicaset-controller", "")
    scheduler, manager = User("system:kube-scheduler"), User("system:kube-controller-manager")
    proxy, kubelet_client = User("system:kube-proxy"), User("kube-apiserver-kubelet-client")
    somebody, nobody = User("ann", ("system:authenticated",)), User("x", ("system:unauthenticated",))
    cases: list[tuple[User, str, dict[str, Any], bool]] = [
        (controller, "create", {"resource": "pods", "namespace": "a"}, True),
        (controller, "update", {"resource": "replicasets", "group": "apps", "subresource": "status"}, True),
        (controller, "get", {"resource": "secrets", "namespace": "a"}, False),
        (scheduler, "create", {"resource": "pods", "subresource": "binding", "namespace": "a"}, True),
        (scheduler, "create", {"resource": "pods", "namespace": "a"}, False),
        (scheduler, "update", {"resource": "leases", "group": "coordination.k8s.io", "name": "kube-scheduler"}, True),
        (scheduler, "update", {"resource": "leases", "group": "coordination.k8s.io", "name": "other"}, False),
        (manager, "list", {"resource": "widgets", "group": "example.com"}, True),
        (manager, "create", {"resource": "serviceaccounts", "subresource": "token", "namespace": "a"}, True),
        (proxy, "watch", {"resource": "endpointslices", "group": "discovery.k8s.io"}, True),
        (kubelet_client, "create", {"resource": "nodes", "subresource": "proxy", "name": "n"}, True),
        (somebody, "create", {"resource": "selfsubjectaccessreviews", "group": "authorization.k8s.io"}, True),
        (somebody, "get", {"path": "/apis/apps/v1", "is_resource": False}, True),
        (nobody, "get", {"path": "/apis/apps/v1", "is_resource": False}, False),
        (nobody, "get", {"path": "/readyz", "is_resource": False}, True),
        (User("system:node:n", ("system:nodes",)), "get", {"resource": "secrets", "namespace": "a"}, False),
    ]

    async def story(_client: As, rbac: Rbac) -> None:
        for user, verb, asked, allowed in cases:
            assert rbac.authorize(Attributes(user, verb, **asked)).allowed is allowed, (user.name, verb, asked)

    run(story)


def test_admin_edit_and_view_are_made_of_their_parts() -> None:
    async def story(client: As, _rbac: Rbac) -> None:
        admin = client(SELF)
        for name in ("admin", "edit", "view"):
            reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
            subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name}
            binding = {"metadata": {"name": f"the-{name}"}, "roleRef": reference, "subjects": [subject]}
            await admin.create(ClusterRoleBinding, binding)
        for name, reads_secrets, writes in (("admin", True, True), ("edit", True, True), ("view", False, False)):
            mine = client(User(name))
            await mine.list(ConfigMap, "default")
            if reads_secrets:
                await mine.list(Secret, "default")
            else:
                with pytest.raises(Forbidden):
                    await mine.list(Secret, "default")
            if writes:
                await mine.create(ConfigMap, {"metadata": {"name": name}}, "default")
            else:
                with pytest.raises(Forbidden):
                    await mine.create(ConfigMap, {"metadata": {"name": name}}, "default")

    run(story)


def test_a_second_start_changes_nothing_and_repairs_what_is_missing() -> None:
    async def story(client: As, _rbac: Rbac) -> None:
        admin, clock = client(SELF), SystemClock()
        before = {role.metadata.name: role.metadata.resourceVersion for role in (await admin.list(ClusterRole)).items}
        await make_policy(admin, clock)
        after = {role.metadata.name: role.metadata.resourceVersion for role in (await admin.list(ClusterRole)).items}
        assert after == before
        role = (await admin.get(ClusterRole, "system:kube-dns")).raw
        mine = rule("get : widgets @ example.com")
        await admin.update(ClusterRole, {**role, "rules": [mine]})
        await admin.delete(ClusterRoleBinding, "system:kube-dns")
        await make_policy(admin, clock)
        repaired = (await admin.get(ClusterRole, "system:kube-dns")).raw
        assert repaired["rules"] == [mine, *role["rules"]]
        assert (await admin.get(ClusterRoleBinding, "system:kube-dns")).raw["subjects"]

    run(story)


def test_what_its_owner_froze_is_left_alone() -> None:
    frozen = {"metadata": {"name": "a", "annotations": {AUTOUPDATE: "false"}}, "rules": [], "subjects": []}
    wanted = {"metadata": {"name": "a", "labels": {"k": "v"}}, "rules": [rule("get : pods @ core")], "subjects": [{}]}
    assert merged_role(frozen, wanted) is None
    assert merged_binding(frozen, wanted) is None


@pytest.mark.parametrize(
    ("held", "wanted", "added"),
    [
        ("get,list : pods,services @ core", "get : pods @ core", False),
        ("* : * @ *", "get : pods @ core", False),
        ("get : pods @ core", "get,list : pods @ core", True),
        ("get : pods @ core = a", "get : pods @ core", True),
        ("get : pods @ core", "get : pods @ core = a", False),
        ("get : pods @ core = a", "get : pods @ core = b", True),
        ("get : /a", "get : /b", True),
        ("get : *", "get : /b", False),
    ],
)
def test_only_rules_that_say_more_are_added(held: str, wanted: str, added: bool) -> None:
    existing = {"metadata": {"name": "a"}, "rules": [rule(held)]}
    merged = merged_role(existing, {"metadata": {"labels": {}}, "rules": [rule(wanted)]})
    assert (merged is not None) is added
