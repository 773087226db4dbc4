"""Bootstrap tokens: who has one, and which count."""

import base64
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.authentication.bootstrap_token import BootstrapTokens, groups_of, has_expired
from pilothouse.apiserver.authentication.framework import FirstOf
from pilothouse.apiserver.authentication.in_process import InProcessAuthenticator
from pilothouse.apiserver.authentication.service_account import ServiceAccountTokens
from pilothouse.apiserver.authentication.token_keys import TokenKeys
from pilothouse.apiserver.handlers.authenticate import authenticate
from pilothouse.apiserver.reviews.identity import TokenReviews, self_subject_review
from pilothouse.apiserver.server import ApiServer
from pilothouse.apiserver.user import User
from pilothouse.client.transport import HandlerTransport
from pilothouse.net.pki import new_signing_key
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import EPOCH
from pilothouse.testing.loop import run as run_virtual

SECRETS = "/api/v1/namespaces/kube-system/secrets"
GROUP = "authentication.k8s.io"
REVIEWS, SELF = f"/apis/{GROUP}/v1/tokenreviews", f"/apis/{GROUP}/v1/selfsubjectreviews"
ISSUER = "https://kubernetes.default.svc.cluster.local"
TOKEN = "abcdef.0123456789abcdef"
DATA = {"token-id": "abcdef", "token-secret": "0123456789abcdef", "usage-bootstrap-authentication": "true"}
SCHEMAS = Schemas()
Ask = Callable[..., Awaitable[tuple[int, Any]]]


def _secret(data: dict[str, str], **more: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "bootstrap-token-abcdef", **more.pop("metadata", {})},
        "type": "bootstrap.kubernetes.io/token",
        "stringData": data,
        **more,
    }


def _run(story: Callable[[Ask, LoopClock], Awaitable[None]]) -> None:
    async def scenario(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), SCHEMAS, clock, chance) as server:
            accounts = ServiceAccountTokens(TokenKeys(new_signing_key(), ISSUER), server.cache, clock, (ISSUER,))
            joining = BootstrapTokens(server.cache, clock)
            server.assemble(
                steps=(authenticate(FirstOf([InProcessAuthenticator(), accounts, joining]), anonymous=True),),
                reviews={
                    (GROUP, "selfsubjectreviews"): self_subject_review,
                    (GROUP, "tokenreviews"): TokenReviews(accounts, SCHEMAS, joining).create,
                },
            )

            async def ask(method: str, target: str, body: Any = None, token: str = "") -> tuple[int, Any]:
                headers = {"content-type": "application/json"}
                if token:
                    headers["authorization"] = f"Bearer {token}"
                transport = HandlerTransport(server.handle, None if token else User("admin"))
                answer = await transport.send(method, target, headers, b"" if body is None else orjson.dumps(body))
                return answer.status, orjson.loads(answer.body)

            await ask("POST", "/api/v1/namespaces", {"metadata": {"name": "kube-system"}})
            await story(ask, clock)

    run_virtual(scenario)


def test_a_token_makes_a_bootstrapper() -> None:
    async def story(ask: Ask, _: LoopClock) -> None:
        extra = {"auth-extra-groups": "system:bootstrappers:b,system:bootstrappers:a"}
        assert (await ask("POST", SECRETS, _secret({**DATA, **extra})))[0] == 201
        status, answer = await ask("POST", SELF, {}, TOKEN)
        assert (status, answer["status"]["userInfo"]) == (201, {
            "username": "system:bootstrap:abcdef",
            "groups": [
                "system:bootstrappers", "system:bootstrappers:a", "system:bootstrappers:b", "system:authenticated",
            ],
        })  # fmt: skip

    _run(story)


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param(_secret(DATA, type="Opaque"), id="another type"),
        pytest.param(_secret({**DATA, "token-secret": "0123456789abcdeX"}), id="another secret"),
        pytest.param(_secret({**DATA, "token-id": "abcdeX"}), id="another id"),
        pytest.param(_secret({**DATA, "usage-bootstrap-authentication": "yes"}), id="for something else"),
        pytest.param(_secret({"token-id": "abcdef", "token-secret": DATA["token-secret"]}), id="for nothing"),
        pytest.param(_secret({**DATA, "expiration": "2025-12-31T23:59:59Z"}), id="over"),
        pytest.param(_secret({**DATA, "auth-extra-groups": "system:masters"}), id="a group that is not for tokens"),
        pytest.param(_secret({}), id="empty"),
        pytest.param(_secret(DATA, metadata={"name": "bootstrap-token-abcdeg"}), id="of another name"),
    ],
)
def test_what_does_not_count(secret: dict[str, Any]) -> None:
    async def story(ask: Ask, _: LoopClock) -> None:
        assert (await ask("POST", SECRETS, secret))[0] == 201
        assert (await ask("POST", SELF, {}, TOKEN))[0] == 401

    _run(story)


def test_bytes_that_are_no_text_are_another_secret() -> None:
    async def story(ask: Ask, _: LoopClock) -> None:
        encoded = base64.b64encode(b"\xff\xfe").decode()
        made = _secret({key: DATA[key] for key in DATA if key != "token-secret"}) | {"data": {"token-secret": encoded}}
        assert (await ask("POST", SECRETS, made))[0] == 201
        assert (await ask("POST", SELF, {}, TOKEN))[0] == 401

    _run(story)


def test_a_token_ends_with_its_time_and_with_its_secret() -> None:
    async def story(ask: Ask, clock: LoopClock) -> None:
        made = _secret({**DATA, "expiration": "2026-01-01T01:00:00Z"}, metadata={"finalizers": ["example.com/hold"]})
        await ask("POST", SECRETS, made)
        assert (await ask("POST", SELF, {}, TOKEN))[0] == 201
        await clock.sleep(3600)
        assert (await ask("POST", SELF, {}, TOKEN))[0] == 401
        _, found = await ask("GET", f"{SECRETS}/bootstrap-token-abcdef")
        del found["data"]["expiration"]
        await ask("PUT", f"{SECRETS}/bootstrap-token-abcdef", found)
        assert (await ask("POST", SELF, {}, TOKEN))[0] == 201
        await ask("DELETE", f"{SECRETS}/bootstrap-token-abcdef")
        assert (await ask("GET", f"{SECRETS}/bootstrap-token-abcdef"))[0] == 200
        assert (await ask("POST", SELF, {}, TOKEN))[0] == 401

    _run(story)


@pytest.mark.parametrize(
    "token", ["", "abcdef", "abcdef.0123456789abcde", "ABCDEF.0123456789abcdef", f"{TOKEN}x", f"x.{TOKEN}"]
)
def test_what_is_no_such_token(token: str) -> None:
    async def story(ask: Ask, _: LoopClock) -> None:
        await ask("POST", SECRETS, _secret(DATA))
        status, answer = await ask("POST", REVIEWS, {"spec": {"token": token or "-"}})
        assert (status, answer["status"]) == (201, {"user": {}, "error": "invalid bearer token"})

    _run(story)


@pytest.mark.parametrize(("audiences", "known"), [((), True), ((ISSUER, "other"), True), (("other",), False)])
def test_it_is_for_this_server_alone(audiences: tuple[str, ...], known: bool) -> None:
    async def story(ask: Ask, clock: LoopClock) -> None:
        await ask("POST", SECRETS, _secret(DATA))
        _, answer = await ask("POST", REVIEWS, {"spec": {"token": TOKEN, "audiences": [*audiences]}})
        if not known:
            assert answer["status"] == {"user": {}, "error": "invalid bearer token"}
            return
        groups = ["system:bootstrappers", "system:authenticated"]
        user = {"username": "system:bootstrap:abcdef", "groups": groups}
        assert answer["status"] == {"authenticated": True, "user": user, "audiences": [ISSUER]}

    _run(story)


@pytest.mark.parametrize(
    ("until", "over"),
    [
        ("", False),
        ("2026-01-01T00:00:00Z", True),
        ("2026-01-01T00:00:01Z", False),
        ("2026-01-01T02:00:00.5+02:00", False),
        ("2026-01-01T01:59:59+02:00", True),
        ("2099-01-01", True),
        ("2099-01-01T00:00:00", True),
        ("2099-13-01T00:00:00Z", True),
        ("never", True),
    ],
)
def test_when_a_token_is_over(until: str, over: bool) -> None:
    assert has_expired({"expiration": until}, EPOCH) is over


@pytest.mark.parametrize(
    ("extra", "groups"),
    [
        ("", ("system:bootstrappers",)),
        ("system:bootstrappers:x:y-1", ("system:bootstrappers", "system:bootstrappers:x:y-1")),
        ("system:bootstrappers:b,system:bootstrappers:a,system:bootstrappers:b",
         ("system:bootstrappers", "system:bootstrappers:a", "system:bootstrappers:b")),
        ("system:bootstrappers", None),
        ("system:bootstrappers:x-", None),
        ("system:bootstrappers:X", None),
        ("system:bootstrappers:x,", None),
        ("system:bootstrappers:x, system:bootstrappers:y", None),
        ("system:masters", None),
        (f"system:bootstrappers:{'x' * 256}", ("system:bootstrappers", f"system:bootstrappers:{'x' * 256}")),
        (f"system:bootstrappers:{'x' * 257}", None),
    ],
)  # fmt: skip
def test_of_which_groups_its_user_is(extra: str, groups: tuple[str, ...] | None) -> None:
    assert groups_of({"auth-extra-groups": extra}) == groups
