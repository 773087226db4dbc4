"""Impersonation through the whole chain. Read from apiserver/pkg/endpoints/filters/impersonation.

*Assumed*: how the facts are shown that are asked for without a user.
"""

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import orjson
import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.authentication.in_process import InProcessAuthenticator
from pilothouse.apiserver.authorization.framework import Chain, Masters
from pilothouse.apiserver.authorization.rbac import Rbac
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.handlers.authenticate import authenticate
from pilothouse.apiserver.handlers.authorize import authorize
from pilothouse.apiserver.handlers.impersonate import impersonate
from pilothouse.apiserver.request_info import parse_request_info
from pilothouse.apiserver.reviews.identity import self_subject_review
from pilothouse.apiserver.server import ApiServer
from pilothouse.apiserver.user import User
from pilothouse.net.http import Peer, Request, Response
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run as run_virtual

ADMIN = User("admin", ("system:masters",), "u", {"x": ("y",)})
ANN = User("ann")
RBAC = "/apis/rbac.authorization.k8s.io/v1"
SELF = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
ASK = {"apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"], "verbs": ["create"]}
ACCOUNT = "system:serviceaccount:shop:robot"
Headers = dict[str, str | tuple[str, ...]]
Ask = Callable[..., Awaitable[tuple[int, Any]]]


@cache
def schemas() -> Schemas:
    return Schemas()


def request(user: User, headers: Headers, method: str, target: str, body: Any) -> Request:
    joined = {name: value if isinstance(value, str) else ", ".join(value) for name, value in headers.items()}
    repeated = {name: value for name, value in headers.items() if isinstance(value, tuple)}
    return Request(method, target, joined, Peer("", identity=user), orjson.dumps(body), repeated)


def run(story: Callable[[Ask], Awaitable[None]], *rules: dict[str, Any]) -> None:
    async def scenario(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, chance) as server:
            may = Chain([Masters(), Rbac(server.cache)])
            server.assemble(
                steps=[authenticate(InProcessAuthenticator()), impersonate(may), authorize(may)],
                reviews={("authentication.k8s.io", "selfsubjectreviews"): self_subject_review},
            )

            async def ask(
                user: User, headers: Headers, method: str = "POST", target: str = SELF, body: Any = None
            ) -> tuple[int, Any]:
                answer = await server.handle(request(user, headers, method, target, body or {}))
                assert isinstance(answer.body, bytes)
                return answer.status, orjson.loads(answer.body)

            async def bind(name: str, group: str, *held: dict[str, Any]) -> None:
                role = {"metadata": {"name": name}, "rules": list(held)}
                await ask(ADMIN, {}, "POST", f"{RBAC}/clusterroles", role)
                reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
                subject = {"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": group}
                body = {"metadata": {"name": name}, "roleRef": reference, "subjects": [subject]}
                await ask(ADMIN, {}, "POST", f"{RBAC}/clusterrolebindings", body)

            await bind("everybody", "system:authenticated", ASK)
            await bind("nobody", "system:unauthenticated", ASK)
            if rules:
                await bind("ann", "anns", *rules)
            await story(ask)

    run_virtual(scenario)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"impersonate-user": "bob"}, {"username": "bob", "groups": ["system:authenticated"]}),
        (
            {"impersonate-user": "bob", "impersonate-group": ("a", "b, c")},
            {"username": "bob", "groups": ["a", "b, c", "system:authenticated"]},
        ),
        (
            {"impersonate-user": "bob", "impersonate-group": "system:unauthenticated"},
            {"username": "bob", "groups": ["system:unauthenticated"]},
        ),
        (
            {"impersonate-user": ACCOUNT},
            {
                "username": ACCOUNT,
                "groups": ["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"],
            },
        ),
        (
            {"impersonate-user": ACCOUNT, "impersonate-group": "a"},
            {"username": ACCOUNT, "groups": ["a", "system:authenticated"]},
        ),
        (
            {"impersonate-user": "system:anonymous"},
            {"username": "system:anonymous", "groups": ["system:unauthenticated"]},
        ),
        (
            {
                "impersonate-user": "bob",
                "impersonate-uid": "7",
                "impersonate-extra-scopes": ("view", "edit"),
                "impersonate-extra-example.com%2fproject": "x",
            },
            {
                "username": "bob",
                "groups": ["system:authenticated"],
                "uid": "7",
                "extra": {"scopes": ["view", "edit"], "example.com/project": ["x"]},
            },
        ),
        ({"impersonate-user": "b\xc3\xbcb"}, {"username": "büb", "groups": ["system:authenticated"]}),
    ],
)
def test_whom_a_request_is_served_as(headers: Headers, expected: dict[str, Any]) -> None:
    async def story(ask: Ask) -> None:
        status, answer = await ask(ADMIN, headers)
        assert (status, answer.get("status", {}).get("userInfo")) == (201, expected)

    run(story)


def test_an_empty_name_is_nobody() -> None:
    async def story(ask: Ask) -> None:
        status, answer = await ask(ADMIN, {"impersonate-user": ""})
        assert (status, answer["status"]["userInfo"]["username"]) == (201, "admin")

    run(story)


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ({"impersonate-group": "a"}, "{Group  a    }"),
        ({"impersonate-uid": "7"}, "{UID  7  authentication.k8s.io/v1  }"),
        ({"impersonate-extra-scopes": "view"}, "{UserExtra  view  authentication.k8s.io/v1  scopes}"),
    ],
)
def test_facts_without_a_user(headers: Headers, shown: str) -> None:
    async def story(ask: Ask) -> None:
        status, answer = await ask(ADMIN, headers)
        assert (status, answer["reason"]) == (400, "BadRequest")
        assert answer["message"] == f"requested [{shown}] without impersonating a user"

    run(story)


USERS = {"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"], "resourceNames": ["bob"]}
GROUPS = {"apiGroups": [""], "resources": ["groups"], "verbs": ["impersonate"], "resourceNames": ["a"]}
ACCOUNTS = {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["impersonate"]}
SCOPES = {
    "apiGroups": ["authentication.k8s.io"],
    "resources": ["userextras/scopes"],
    "verbs": ["impersonate"],
    "resourceNames": ["view"],
}
UIDS = {"apiGroups": ["authentication.k8s.io"], "resources": ["uids"], "verbs": ["impersonate"]}
BOB = {"impersonate-user": "bob"}


@pytest.mark.parametrize(
    ("held", "headers", "refused"),
    [
        ([USERS], BOB, None),
        ([USERS, GROUPS], {**BOB, "impersonate-group": "a"}, None),
        ([USERS, SCOPES, UIDS], {**BOB, "impersonate-extra-scopes": "view", "impersonate-uid": "7"}, None),
        ([ACCOUNTS], {"impersonate-user": ACCOUNT}, None),
        ([GROUPS], BOB, ("users", "bob", "users", "")),
        ([USERS], {"impersonate-user": "eve"}, ("users", "eve", "users", "")),
        ([USERS], {**BOB, "impersonate-group": "a"}, ("groups", "a", "groups", "")),
        ([USERS, GROUPS], {**BOB, "impersonate-group": ("a", "system:masters")},
         ("groups", "system:masters", "groups", "")),
        ([USERS], {"impersonate-user": ACCOUNT}, ("serviceaccounts", "robot", "serviceaccounts", "")),
        ([ACCOUNTS], {"impersonate-user": "system:serviceaccount:shop"},
         ("users", "system:serviceaccount:shop", "users", "")),
        ([USERS, SCOPES], {**BOB, "impersonate-extra-scopes": ("view", "edit")},
         ("userextras", "edit", "userextras/scopes", "authentication.k8s.io")),
        ([USERS], {**BOB, "impersonate-uid": "7"}, ("uids", "7", "uids", "authentication.k8s.io")),
    ],
)  # fmt: skip
def test_who_may(held: list[dict[str, Any]], headers: Headers, refused: tuple[str, str, str, str] | None) -> None:
    async def story(ask: Ask) -> None:
        status, answer = await ask(User("ann", ("anns",)), headers)
        if refused is None:
            assert status == 201, answer
            return
        plural, name, resource, group = refused
        place = 'in the namespace "shop"' if plural == "serviceaccounts" else "at the cluster scope"
        qualified = f"{plural}.{group}" if group else plural
        assert (status, answer["reason"]) == (403, "Forbidden")
        assert answer["message"] == (
            f'{qualified} "{name}" is forbidden: User "ann" cannot impersonate resource "{resource}" '
            f'in API group "{group}" {place}'
        )

    run(story, *held)


def test_the_rights_are_those_of_whom_one_is() -> None:
    async def story(ask: Ask) -> None:
        status, answer = await ask(ADMIN, BOB, "GET", "/api/v1/nodes")
        assert (status, answer["message"]) == (
            403,
            'nodes is forbidden: User "bob" cannot list resource "nodes" in API group "" at the cluster scope',
        )
        assert (await ask(ANN, {"impersonate-user": "admin", "impersonate-group": "system:masters"}))[0] == 403

    run(story)


def test_nobody_after_the_step_sees_the_headers() -> None:
    async def scenario(_clock: LoopClock, _chance: Chance) -> None:
        sent = request(ADMIN, {**BOB, "impersonate-extra-x": "y", "accept": "x"}, "GET", "/api", {})
        exchange = Exchange(sent, parse_request_info("GET", "/api"), 0.0, ADMIN)
        seen: list[Exchange] = []

        async def following(exchange: Exchange) -> Response:
            seen.append(exchange)
            return Response(200)

        await impersonate(Chain([Masters()]))(exchange, following)
        assert [(found.user.name, dict(found.request.headers)) for found in seen] == [("bob", {"accept": "x"})]

    run_virtual(scenario)
