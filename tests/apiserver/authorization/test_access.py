"""Who is it and may they, through the whole chain."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from typing import Any

import orjson
import pytest
from cryptography.x509 import load_pem_x509_certificate

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.authentication.framework import FirstOf
from pilothouse.apiserver.authentication.in_process import InProcessAuthenticator
from pilothouse.apiserver.authentication.x509 import CertificateAuthenticator
from pilothouse.apiserver.authorization.framework import Attributes, Chain, Masters
from pilothouse.apiserver.authorization.rbac import Rbac, allows
from pilothouse.apiserver.handlers.authenticate import authenticate
from pilothouse.apiserver.handlers.authorize import authorize
from pilothouse.apiserver.server import ApiServer
from pilothouse.apiserver.user import User, service_account_user
from pilothouse.client.transport import HandlerTransport
from pilothouse.net.http import Peer, Request
from pilothouse.net.pki import Authority, Usage
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import SystemClock
from pilothouse.store.memory import MemoryStore

ADMIN = User("admin", ("system:masters",))
ANN = User("ann", ("readers",))
RBAC = "/apis/rbac.authorization.k8s.io/v1"
Ask = Callable[..., Awaitable[tuple[int, Any]]]


@cache
def schemas() -> Schemas:
    return Schemas()


def run(story: Callable[[Ask], Awaitable[None]]) -> None:
    async def scenario() -> None:
        clock = SystemClock()
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, Chance(1)) as server:
            who = FirstOf([InProcessAuthenticator(), CertificateAuthenticator(clock)])
            server.assemble(steps=[authenticate(who), authorize(Chain([Masters(), Rbac(server.cache)]))])

            async def ask(user: User | None, method: str, target: str, body: Any = None) -> tuple[int, Any]:
                sent = orjson.dumps(body) if body is not None else b""
                answer = await HandlerTransport(server.handle, user).send(method, target, {}, sent)
                return answer.status, orjson.loads(answer.body)

            await story(ask)

    asyncio.run(scenario())


def role(name: str, *rules: dict[str, Any], namespace: str = "") -> tuple[str, dict[str, Any]]:
    place = f"{RBAC}/namespaces/{namespace}/roles" if namespace else f"{RBAC}/clusterroles"
    return place, {"metadata": {"name": name}, "rules": list(rules)}


def binding(name: str, of: str, subject: dict[str, str], namespace: str = "", kind: str = "") -> tuple[str, Any]:
    place = f"{RBAC}/namespaces/{namespace}/rolebindings" if namespace else f"{RBAC}/clusterrolebindings"
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind or "ClusterRole", "name": of}
    return place, {"metadata": {"name": name}, "roleRef": reference, "subjects": [subject]}


def group(name: str) -> dict[str, str]:
    return {"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": name}


READ = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}


def test_what_no_role_allows_is_forbidden_in_upstreams_words() -> None:
    async def story(ask: Ask) -> None:
        status, error = await ask(ANN, "GET", "/api/v1/namespaces/default/configmaps")
        assert (status, error["reason"]) == (403, "Forbidden")
        assert error["message"] == (
            'configmaps is forbidden: User "ann" cannot list resource "configmaps" in API group "" '
            'in the namespace "default"'
        )
        _, error = await ask(ANN, "GET", "/apis/apps/v1/deployments")
        assert error["message"] == (
            'deployments.apps is forbidden: User "ann" cannot list resource "deployments" in API group "apps" '
            "at the cluster scope"
        )
        _, error = await ask(ANN, "GET", "/api/v1/namespaces/default/pods/web/log")
        assert error["message"] == (
            'pods "web" is forbidden: User "ann" cannot get resource "pods/log" in API group "" '
            'in the namespace "default"'
        )
        _, error = await ask(None, "GET", "/metrics")
        assert error["message"] == 'forbidden: User "system:anonymous" cannot get path "/metrics"'

    run(story)


def test_bindings_give_and_take() -> None:
    async def story(ask: Ask) -> None:
        await ask(ADMIN, "POST", *role("read", READ))
        await ask(ADMIN, "POST", *binding("readers", "read", group("readers"), namespace="default"))
        assert (await ask(ANN, "GET", "/api/v1/namespaces/default/configmaps"))[0] == 200
        assert (await ask(ANN, "GET", "/api/v1/namespaces/other/configmaps"))[0] == 403
        assert (await ask(ANN, "GET", "/api/v1/configmaps"))[0] == 403
        await ask(ADMIN, "POST", *binding("readers", "read", group("readers")))
        assert (await ask(ANN, "GET", "/api/v1/configmaps"))[0] == 200
        assert (await ask(ANN, "GET", "/api/v1/configmaps?watch=1"))[0] == 403
        await ask(ADMIN, "DELETE", f"{RBAC}/clusterrolebindings/readers")
        assert (await ask(ANN, "GET", "/api/v1/configmaps"))[0] == 403
        account = {"kind": "ServiceAccount", "name": "me", "namespace": "ns"}
        await ask(ADMIN, "POST", *binding("account", "read", account))
        me = service_account_user("ns", "me", "")
        assert (await ask(me, "GET", "/api/v1/configmaps"))[0] == 200
        assert (await ask(service_account_user("ns", "you", ""), "GET", "/api/v1/configmaps"))[0] == 403

    run(story)


def test_aggregated_roles() -> None:
    async def story(ask: Ask) -> None:
        place, part = role("part", READ)
        part["metadata"]["labels"] = {"to-view": "true"}
        await ask(ADMIN, "POST", place, part)
        rule = {"clusterRoleSelectors": [{"matchLabels": {"to-view": "true"}}]}
        labels = {"to-view": "true"}  # it gathers itself, which must not go round for ever
        for name in ("view", "also"):
            await ask(ADMIN, "POST", place, {"metadata": {"name": name, "labels": labels}, "aggregationRule": rule})
        await ask(ADMIN, "POST", *binding("view", "view", {"kind": "User", "name": "ann"}))
        assert (await ask(ANN, "GET", "/api/v1/configmaps"))[0] == 200

    run(story)


@pytest.mark.parametrize(
    ("rule", "asked", "allowed"),
    [
        (READ, ("get", "", "configmaps"), True),
        (READ, ("get", "apps", "configmaps"), False),
        (READ, ("delete", "", "configmaps"), False),
        ({**READ, "resourceNames": ["a"]}, ("get", "", "configmaps", "", "a"), True),
        ({**READ, "resourceNames": ["a"]}, ("get", "", "configmaps", "", "b"), False),
        ({**READ, "resourceNames": ["a"]}, ("list", "", "configmaps"), False),
        ({**READ, "resources": ["pods"]}, ("get", "", "pods", "log"), False),
        ({**READ, "resources": ["pods/log"]}, ("get", "", "pods", "log"), True),
        ({**READ, "resources": ["*/log"]}, ("get", "", "pods", "log"), True),
        ({**READ, "resources": ["*"], "verbs": ["*"], "apiGroups": ["*"]}, ("delete", "x", "y", "z"), True),
        ({"verbs": ["get"], "nonResourceURLs": ["/healthz/*"]}, ("get", "", "healthz"), False),
    ],
)
def test_rules(rule: dict[str, Any], asked: Sequence[str], allowed: bool) -> None:
    verb, of, resource, part, name = [*asked, "", ""][:5]
    attributes = Attributes(ANN, verb, of, "v1", resource, part, name=name)
    assert allows(rule, attributes) == allowed


@pytest.mark.parametrize(
    ("patterns", "path", "allowed"),
    [(["/healthz"], "/healthz", True), (["/healthz"], "/healthz/x", False), (["/api/*"], "/api/v1", True),
     (["*"], "/x", True), (["/x"], "/", False)],
)  # fmt: skip
def test_paths(patterns: list[str], path: str, allowed: bool) -> None:
    rule = {"verbs": ["get"], "nonResourceURLs": patterns}
    assert allows(rule, Attributes(ANN, "get", path=path, is_resource=False)) == allowed


@pytest.mark.parametrize(("later", "name"), [(0.0, "ann"), (100.0, "")])
def test_a_certificate_counts_while_it_is_valid(later: float, name: str) -> None:
    clock = SystemClock()
    now = clock.now()
    authority = Authority.create("test", now - 1000)
    pair = authority.issue("ann", ["readers"], usage=Usage.CLIENT, now=now - 50 - later, lifetime=100)
    peer = Peer("127.0.0.1:1", load_pem_x509_certificate(pair.certificate))

    async def seen() -> User | None:
        return await CertificateAuthenticator(clock).authenticate(Request("GET", "/", {}, peer))

    if name:
        user = asyncio.run(seen())
        assert user is not None
        assert (user.name, user.groups) == ("ann", ("readers", "system:authenticated"))
    else:
        with pytest.raises(Exception, match="Unauthorized"):
            asyncio.run(seen())


@pytest.mark.parametrize(
    ("header", "status"), [("Bearer x", 401), ("bearer x y", 401), ("Basic eDp5", 200), ("Bearer", 200), ("", 200)]
)
def test_credentials_nobody_can_read_are_refused(header: str, status: int) -> None:
    async def scenario() -> None:
        clock = SystemClock()
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, Chance(1)) as server:
            server.assemble(steps=[authenticate(FirstOf([]))])
            answer = await HandlerTransport(server.handle, None).send("GET", "/api", {"authorization": header})
            assert answer.status == status
            if status == 401:
                assert orjson.loads(answer.body)["reason"] == "Unauthorized"

    asyncio.run(scenario())
