"""Nobody gives away what they do not hold. Read from pkg/registry/rbac and component-helpers/auth/rbac/validation."""

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import orjson
import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.authentication.in_process import InProcessAuthenticator
from pilothouse.apiserver.authorization.escalation import Escalation, compacted, covers, grants_of, uncovered
from pilothouse.apiserver.authorization.framework import Chain, Masters
from pilothouse.apiserver.authorization.rbac import Rbac
from pilothouse.apiserver.handlers.authenticate import authenticate
from pilothouse.apiserver.handlers.authorize import authorize
from pilothouse.apiserver.server import ApiServer
from pilothouse.apiserver.user import User
from pilothouse.client.transport import HandlerTransport
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run as run_virtual

ADMIN = User("admin", ("system:masters",))
ANN = User("ann", ("team",))
GROUP = "rbac.authorization.k8s.io"
RBAC = f"/apis/{GROUP}/v1"
SHOP = f"{RBAC}/namespaces/shop"
Rule = dict[str, Any]
Ask = Callable[..., Awaitable[tuple[int, Any]]]
WRITE_RBAC = {
    "apiGroups": [GROUP],
    "resources": ["roles", "clusterroles", "rolebindings", "clusterrolebindings"],
    "verbs": ["get", "create", "update", "patch"],
}
"""What Ann may do everywhere; what else she holds differs."""
READ = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}
EVERYTHING = [
    {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
    {"nonResourceURLs": ["*"], "verbs": ["*"]},
]
WHO = (
    'user "ann" (groups=["team" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n'
)


@cache
def schemas() -> Schemas:
    return Schemas()


def run(story: Callable[[Ask], Awaitable[None]], *held: Rule) -> None:
    async def scenario(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, chance) as server:
            rbac = Rbac(server.cache)
            may = Chain([Masters(), rbac])
            steps = [authenticate(InProcessAuthenticator()), authorize(may)]
            server.assemble(steps=steps, guard=Escalation(rbac, may).check)

            async def ask(user: User, method: str, target: str, body: Any = None) -> tuple[int, Any]:
                sent = orjson.dumps(body) if body is not None else b""
                form = "application/merge-patch+json" if method == "PATCH" else "application/json"
                answer = await HandlerTransport(server.handle, user).send(method, target, {"content-type": form}, sent)
                return answer.status, orjson.loads(answer.body)

            await ask(ADMIN, "POST", f"{RBAC}/clusterroles", role("ann", WRITE_RBAC, *held))
            await ask(ADMIN, "POST", f"{RBAC}/clusterrolebindings", binding("ann", "ann"))
            await story(ask)

    run_virtual(scenario)


def role(name: str, *rules: Rule, **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "rules": list(rules), **more}


def binding(name: str, of: str, kind: str = "ClusterRole") -> dict[str, Any]:
    reference = {"apiGroup": GROUP, "kind": kind, "name": of}
    subjects = [{"kind": "User", "apiGroup": GROUP, "name": "ann"}]
    return {"metadata": {"name": name}, "roleRef": reference, "subjects": subjects}


@pytest.mark.parametrize(
    ("place", "held", "wanted", "missing"),
    [
        (f"{RBAC}/clusterroles", [READ], [READ], None),
        (f"{SHOP}/roles", [READ], [{**READ, "verbs": ["get"]}], None),
        (f"{SHOP}/roles", [], [READ], '{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}'),
        (
            f"{RBAC}/clusterroles",
            [READ],
            [{**READ, "verbs": ["delete", "get", "create"]}],
            '{APIGroups:[""], Resources:["pods"], Verbs:["delete" "create"]}',
        ),
        (
            f"{RBAC}/clusterroles",
            [READ],
            [
                {"apiGroups": ["b"], "resources": ["x"], "verbs": ["*"], "resourceNames": ["n"]},
                {"apiGroups": ["a"], "resources": ["y"], "verbs": ["get"]},
                {"nonResourceURLs": ["/z"], "verbs": ["get"]},
            ],
            (
                '{APIGroups:["a"], Resources:["y"], Verbs:["get"]}\n'
                '{APIGroups:["b"], Resources:["x"], ResourceNames:["n"], Verbs:["*"]}\n'
                '{NonResourceURLs:["/z"], Verbs:["get"]}'
            ),
        ),
    ],
)
def test_roles(place: str, held: list[Rule], wanted: list[Rule], missing: str | None) -> None:
    async def story(ask: Ask) -> None:
        status, answer = await ask(ANN, "POST", place, role("r", *wanted))
        if missing is None:
            assert status == 201, answer
            return
        kind = f"{place.rpartition('/')[2]}.{GROUP}"
        assert (status, answer["reason"]) == (403, "Forbidden")
        assert answer["message"] == f'{kind} "r" is forbidden: {WHO}{missing}'
        assert (await ask(ADMIN, "POST", place, role("r", *wanted)))[0] == 201

    run(story, *held)


def test_updates_are_looked_at_too() -> None:
    async def story(ask: Ask) -> None:
        place = f"{RBAC}/clusterroles"
        await ask(ADMIN, "POST", place, role("r", {**READ, "verbs": ["delete"]}))
        status, answer = await ask(ANN, "PUT", f"{place}/r", role("r", {**READ, "verbs": ["*"]}))
        assert (status, answer["message"].endswith('Verbs:["*"]}')) == (403, True)
        assert (await ask(ANN, "PATCH", f"{place}/r", {"metadata": {"labels": {"a": "b"}}}))[0] == 403
        owner = {"apiVersion": "v1", "kind": "Namespace", "name": "n", "uid": "u"}
        collected = {"metadata": {"finalizers": ["example.com/x"], "ownerReferences": [owner]}}
        assert (await ask(ANN, "PATCH", f"{place}/r", collected))[0] == 200
        assert (await ask(ANN, "PUT", f"{place}/r", role("r", READ)))[0] == 200

    run(story, READ)


def test_the_verb_escalate() -> None:
    async def story(ask: Ask) -> None:
        assert (await ask(ANN, "POST", f"{RBAC}/clusterroles", role("r", *EVERYTHING)))[0] == 201
        assert (await ask(ANN, "POST", f"{SHOP}/roles", role("r", READ)))[0] == 403

    run(story, {"apiGroups": [GROUP], "resources": ["clusterroles"], "verbs": ["escalate"]})


@pytest.mark.parametrize(("held", "status"), [([READ], 403), (EVERYTHING, 201)])
def test_roles_that_gather_others(held: list[Rule], status: int) -> None:
    async def story(ask: Ask) -> None:
        gathering = {"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}}
        found, answer = await ask(ANN, "POST", f"{RBAC}/clusterroles", role("r", READ, **gathering))
        assert found == status
        if status == 403:
            assert answer["message"] == (
                f'clusterroles.{GROUP} "r" is forbidden: must have cluster-admin privileges to use the aggregationRule'
            )

    run(story, *held)


@pytest.mark.parametrize(
    ("held", "place", "kind", "status"),
    [
        ([READ], f"{RBAC}/clusterrolebindings", "ClusterRole", 201),
        ([READ], f"{SHOP}/rolebindings", "ClusterRole", 201),
        ([READ], f"{SHOP}/rolebindings", "Role", 201),
        ([], f"{RBAC}/clusterrolebindings", "ClusterRole", 403),
        ([], f"{SHOP}/rolebindings", "Role", 403),
        ([{"apiGroups": [GROUP], "resources": ["clusterroles"], "verbs": ["bind"]}], f"{SHOP}/rolebindings",
         "ClusterRole", 201),
        ([{"apiGroups": [GROUP], "resources": ["roles"], "verbs": ["bind"], "resourceNames": ["r"]}],
         f"{SHOP}/rolebindings", "Role", 201),
        ([{"apiGroups": [GROUP], "resources": ["roles"], "verbs": ["bind"]}], f"{SHOP}/rolebindings", "ClusterRole",
         403),
    ],
)  # fmt: skip
def test_bindings(held: list[Rule], place: str, kind: str, status: int) -> None:
    async def story(ask: Ask) -> None:
        await ask(ADMIN, "POST", f"{RBAC}/clusterroles", role("r", READ))
        await ask(ADMIN, "POST", f"{SHOP}/roles", role("r", READ))
        found, answer = await ask(ANN, "POST", place, binding("b", "r", kind))
        assert found == status, answer
        if status == 403:
            plural = place.rpartition("/")[2]
            missing = '{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}'
            assert answer["message"] == f'{plural}.{GROUP} "b" is forbidden: {WHO}{missing}'

    run(story, *held)


def test_what_a_gathering_role_gathers_is_bound_with_it() -> None:
    async def story(ask: Ask) -> None:
        part = role("part", {**READ, "verbs": ["delete"]})
        part["metadata"]["labels"] = {"a": "b"}
        gathering = {"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}}
        await ask(ADMIN, "POST", f"{RBAC}/clusterroles", part)
        await ask(ADMIN, "POST", f"{RBAC}/clusterroles", role("whole", **gathering))
        status, answer = await ask(ANN, "POST", f"{SHOP}/rolebindings", binding("b", "whole"))
        assert (status, answer["message"].partition("held:\n")[2]) == (
            403,
            '{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}',
        )

    run(story, READ)


def test_what_one_holds_in_a_namespace_is_given_away_there_alone() -> None:
    async def story(ask: Ask) -> None:
        await ask(ADMIN, "POST", f"{SHOP}/roles", role("own", READ))
        await ask(ADMIN, "POST", f"{SHOP}/rolebindings", binding("own", "own", "Role"))
        assert (await ask(ANN, "POST", f"{SHOP}/roles", role("r", READ)))[0] == 201
        other = SHOP.replace("shop", "other")
        assert (await ask(ANN, "POST", f"{other}/roles", role("r", READ)))[0] == 403
        assert (await ask(ANN, "POST", f"{RBAC}/clusterroles", role("r", READ)))[0] == 403

    run(story)


def test_roles_that_are_not_there() -> None:
    async def story(ask: Ask) -> None:
        status, answer = await ask(ANN, "POST", f"{SHOP}/rolebindings", binding("b", "none", "Role"))
        assert (status, answer["message"]) == (404, f'roles.{GROUP} "none" not found')
        assert (await ask(ADMIN, "POST", f"{SHOP}/rolebindings", binding("b", "none", "Role")))[0] == 201
        assert (await ask(ADMIN, "POST", f"{RBAC}/clusterrolebindings", binding("c", "none")))[0] == 201
        _, answer = await ask(ANN, "GET", "/api/v1/namespaces/shop/pods")
        assert answer["message"].endswith(
            f'in the namespace "shop": RBAC: [clusterrole.{GROUP} "none" not found, role.{GROUP} "none" not found]'
        )
        _, answer = await ask(ANN, "POST", f"{RBAC}/clusterroles", role("r", READ))
        assert answer["message"].endswith(f'; resolution errors: [clusterroles.{GROUP} "none" not found]')

    run(story)


@pytest.mark.parametrize(
    ("held", "wanted", "covered"),
    [
        (READ, READ, True),
        (EVERYTHING[0], READ, True),
        ({**READ, "apiGroups": ["apps"]}, READ, False),
        ({**READ, "resourceNames": ["a"]}, READ, False),
        (READ, {**READ, "resourceNames": ["a"]}, True),
        ({**READ, "resourceNames": ["a", "b"]}, {**READ, "resourceNames": ["a"]}, True),
        (READ, {**READ, "verbs": ["*"]}, False),
        (READ, {**READ, "resources": ["*"]}, False),
        (READ, {**READ, "resources": ["pods/log"]}, False),
        ({**READ, "resources": ["*/log"]}, {**READ, "resources": ["pods/log"]}, True),
        ({**READ, "resources": ["*"]}, {**READ, "resources": ["pods/log"]}, True),
        ({"nonResourceURLs": ["/a/*"], "verbs": ["get"]}, {"nonResourceURLs": ["/a/b"], "verbs": ["get"]}, True),
        ({"nonResourceURLs": ["/a/*"], "verbs": ["get"]}, {"nonResourceURLs": ["/a/*"], "verbs": ["get"]}, True),
        ({"nonResourceURLs": ["/a"], "verbs": ["get"]}, {"nonResourceURLs": ["/a/b"], "verbs": ["get"]}, False),
        (EVERYTHING[0], {"nonResourceURLs": ["/a"], "verbs": ["get"]}, False),
        (EVERYTHING[1], READ, False),
    ],
)  # fmt: skip
def test_what_a_rule_covers(held: Rule, wanted: Rule, covered: bool) -> None:
    assert all(covers(held, grant) for grant in grants_of(wanted)) == covered


def test_several_rules_cover_together_what_none_does_alone() -> None:
    parts = [{**READ, "verbs": ["get"]}, {**READ, "verbs": ["list"]}]
    assert uncovered(parts, [READ]) == []
    wanted = {**READ, "resources": ["pods", "nodes"], "verbs": ["get", "delete"]}
    assert list(compacted(uncovered(parts, [wanted]))) == [
        '{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}',
        '{APIGroups:[""], Resources:["nodes"], Verbs:["get" "delete"]}',
    ]
