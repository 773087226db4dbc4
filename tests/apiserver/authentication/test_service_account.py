"""Service-account tokens, from TokenRequest to the user of a request, as clients see them.

Read from: pkg/serviceaccount/claims.go, pkg/registry/core/serviceaccount/storage/token.go,
pkg/registry/authentication/tokenreview/storage.go.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import jwt
import orjson
import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.authentication.framework import FirstOf
from pilothouse.apiserver.authentication.in_process import InProcessAuthenticator
from pilothouse.apiserver.authentication.service_account import ServiceAccountTokens
from pilothouse.apiserver.authentication.token_keys import TokenKeys
from pilothouse.apiserver.handlers.authenticate import authenticate
from pilothouse.apiserver.main import issuer_pages
from pilothouse.apiserver.reviews.identity import TokenReviews, self_subject_review
from pilothouse.apiserver.server import AdmitAll, ApiServer
from pilothouse.apiserver.subresources.token import TokenRequests
from pilothouse.apiserver.user import User
from pilothouse.client.transport import Answer, HandlerTransport
from pilothouse.net.pki import new_signing_key
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run as run_virtual

ISSUER = "https://kubernetes.default.svc.cluster.local"
CORE = "/api/v1/namespaces/default"
TOKEN = f"{CORE}/serviceaccounts/robot/token"
REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
SELF = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
JSON = {"content-type": "application/json"}
SCHEMAS = Schemas()


class Api:
    def __init__(self, server: ApiServer, clock: LoopClock) -> None:
        self.server = server
        self.clock = clock

    async def raw(self, method: str, target: str, body: Any = None, token: str = "") -> Answer:
        headers = JSON | ({"authorization": f"Bearer {token}"} if token else {})
        transport = HandlerTransport(self.server.handle, None if token else User("admin"))
        return await transport.send(method, target, headers, b"" if body is None else orjson.dumps(body))

    async def ask(self, method: str, target: str, body: Any = None, token: str = "") -> tuple[int, Any]:
        answer = await self.raw(method, target, body, token)
        return answer.status, orjson.loads(answer.body)

    async def token(self, **spec: Any) -> str:
        status, answer = await self.ask("POST", TOKEN, request(**spec))
        assert status == 201, answer
        return str(answer["status"]["token"])

    async def who(self, token: str) -> tuple[int, Any]:
        status, answer = await self.ask("POST", SELF, {}, token)
        return status, answer["status"]["userInfo"] if status == 201 else answer["reason"]

    async def make(self, plural: str, manifest: dict[str, Any], path: str = CORE) -> Any:
        status, made = await self.ask("POST", f"{path}/{plural}", manifest)
        assert status == 201, made
        return made


def request(**spec: Any) -> dict[str, Any]:
    return {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "spec": spec}


def pod(account: str = "robot", node: str = "") -> dict[str, Any]:
    spec = {"serviceAccountName": account, "nodeName": node, "containers": [{"name": "c", "image": "i"}]}
    return {"metadata": {"name": "p"}, "spec": spec}


def run(story: Callable[[Api], Awaitable[None]]) -> None:
    async def scenario(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), SCHEMAS, clock, chance) as server:
            keys = TokenKeys(new_signing_key(), ISSUER)
            tokens = ServiceAccountTokens(keys, server.cache, clock, (ISSUER,))
            server.assemble(
                steps=(authenticate(FirstOf([InProcessAuthenticator(), tokens]), anonymous=True),),
                parts={
                    ("serviceaccounts/token", "create"): TokenRequests(
                        server.served, keys, tokens.audiences, AdmitAll(), clock, chance
                    ).create
                },
                reviews={
                    ("authentication.k8s.io", "selfsubjectreviews"): self_subject_review,
                    ("authentication.k8s.io", "tokenreviews"): TokenReviews(tokens, SCHEMAS).create,
                },
                pages=issuer_pages(keys, "192.0.2.1:6443"),
            )
            api = Api(server, clock)
            await api.make("namespaces", {"metadata": {"name": "default"}}, "/api/v1")
            await api.make("serviceaccounts", {"metadata": {"name": "robot"}})
            await story(api)

    run_virtual(scenario)


def test_a_token_makes_its_account_the_user() -> None:
    async def story(api: Api) -> None:
        _, account = await api.ask("GET", f"{CORE}/serviceaccounts/robot")
        token = await api.token()
        claims = jwt.decode(token, options={"verify_signature": False})
        status, user = await api.who(token)
        assert status == 201
        assert user == {
            "username": "system:serviceaccount:default:robot",
            "uid": account["metadata"]["uid"],
            "groups": ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"],
            "extra": {"authentication.kubernetes.io/credential-id": [f"JTI={claims['jti']}"]},
        }
        assert claims["aud"] == [ISSUER]
        assert claims["exp"] - claims["iat"] == 3600
        assert claims["kubernetes.io"] == {
            "namespace": "default",
            "serviceaccount": {"name": "robot", "uid": account["metadata"]["uid"]},
        }

    run(story)


def test_a_token_for_a_pod_names_pod_and_node_and_dies_with_the_pod() -> None:
    async def story(api: Api) -> None:
        node = await api.make("nodes", {"metadata": {"name": "n"}}, "/api/v1")
        made = await api.make("pods", pod(node="n"))
        token = await api.token(boundObjectRef={"kind": "Pod", "apiVersion": "v1", "name": "p"})
        status, user = await api.who(token)
        assert status == 201
        extra = {key.rpartition("/")[2]: values for key, values in user["extra"].items()}
        assert extra["pod-name"] == ["p"]
        assert extra["pod-uid"] == [made["metadata"]["uid"]]
        assert extra["node-name"] == ["n"]
        assert extra["node-uid"] == [node["metadata"]["uid"]]
        await api.ask("DELETE", f"{CORE}/pods/p?gracePeriodSeconds=0")
        assert await api.who(token) == (401, "Unauthorized")
        await api.make("pods", pod(node="n"))
        assert await api.who(token) == (401, "Unauthorized")

    run(story)


@pytest.mark.parametrize(("kind", "path"), [("Secret", CORE), ("Node", "/api/v1")])
def test_a_token_dies_with_what_it_is_bound_to_and_is_not_that_of_the_next_one(kind: str, path: str) -> None:
    async def story(api: Api) -> None:
        plural = f"{kind.lower()}s"
        made = await api.make(plural, {"metadata": {"name": "x"}}, path)
        uid = made["metadata"]["uid"]
        token = await api.token(boundObjectRef={"kind": kind, "apiVersion": "v1", "name": "x", "uid": uid})
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["kubernetes.io"][kind.lower()] == {"name": "x", "uid": uid}
        status, user = await api.who(token)
        assert status == 201
        extra = {key.rpartition("/")[2] for key in user["extra"]}
        assert extra == ({"credential-id"} if kind == "Secret" else {"credential-id", "node-name", "node-uid"})
        await api.ask("DELETE", f"{path}/{plural}/x")
        assert await api.who(token) == (401, "Unauthorized")
        await api.make(plural, {"metadata": {"name": "x"}}, path)
        assert await api.who(token) == (401, "Unauthorized")

    run(story)


def test_the_answer_says_whose_token_it_is() -> None:
    async def story(api: Api) -> None:
        _, account = await api.ask("GET", f"{CORE}/serviceaccounts/robot")
        uid = account["metadata"]["uid"]
        status, answer = await api.ask("POST", TOKEN, request() | {"metadata": {"uid": uid}})
        assert status == 201
        metadata = {key: answer["metadata"][key] for key in ("name", "namespace", "uid")}
        assert metadata == {"name": "robot", "namespace": "default", "uid": uid}
        status, answer = await api.ask("POST", TOKEN, request() | {"metadata": {"uid": "x"}})
        why = f"the UID in the token request (x) does not match the UID of the service account ({uid})"
        what = 'TokenRequest.authentication.k8s.io "robot"'
        assert (status, answer["message"]) == (409, f"Operation cannot be fulfilled on {what}: {why}")

    run(story)


def test_a_pod_that_ends_keeps_its_token_for_a_minute_past_its_grace() -> None:
    async def story(api: Api) -> None:
        await api.make("nodes", {"metadata": {"name": "n"}}, "/api/v1")
        await api.make("pods", pod(node="n"))
        token = await api.token(boundObjectRef={"kind": "Pod", "apiVersion": "v1", "name": "p"})
        await api.ask("DELETE", f"{CORE}/pods/p?gracePeriodSeconds=30")
        await api.clock.sleep(80)
        assert (await api.who(token))[0] == 201
        await api.clock.sleep(12)
        assert (await api.who(token))[0] == 401

    run(story)


@pytest.mark.parametrize(("wait", "status"), [(3600 + 59, 201), (3600 + 62, 401)])
def test_a_token_ends_with_a_minute_of_leeway(wait: float, status: int) -> None:
    async def story(api: Api) -> None:
        token = await api.token()
        await api.clock.sleep(wait)
        assert (await api.who(token))[0] == status

    run(story)


def test_a_token_dies_with_its_account_and_is_not_that_of_the_next_one() -> None:
    async def story(api: Api) -> None:
        token = await api.token()
        await api.ask("DELETE", f"{CORE}/serviceaccounts/robot")
        assert (await api.who(token))[0] == 401
        await api.make("serviceaccounts", {"metadata": {"name": "robot"}})
        assert (await api.who(token))[0] == 401

    run(story)


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "é"])
def test_a_bad_token_is_not_anonymous(token: str) -> None:
    async def story(api: Api) -> None:
        assert await api.who(token) == (401, "Unauthorized")

    run(story)


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (request(expirationSeconds=599), 422, "may not specify a duration less than 10 minutes"),
        (request(expirationSeconds=2**32 + 1), 422, "may not specify a duration larger than 2^32 seconds"),
        (request() | {"metadata": {"name": "other"}}, 422, "must match the service account name if specified"),
        (request() | {"metadata": {"namespace": "o"}}, 422, "must match the service account namespace if specified"),
        (request(boundObjectRef={"kind": "Pod", "apiVersion": "v1", "name": "q"}), 404, 'pods "q" not found'),
        (request(boundObjectRef={"kind": "Node", "apiVersion": "v1", "name": "q"}), 404, 'nodes "q" not found'),
        (
            request(boundObjectRef={"kind": "Job", "apiVersion": "batch/v1", "name": "q"}),
            400,
            "cannot bind token to object of type batch/v1, Kind=Job",
        ),
        (
            request(boundObjectRef={"kind": "Pod", "apiVersion": "v1", "name": "p"}),
            400,
            'cannot bind token for serviceaccount "robot" to pod running with different serviceaccount name.',
        ),
        (
            request(boundObjectRef={"kind": "Secret", "apiVersion": "v1", "name": "s", "uid": "x"}),
            409,
            "the UID in the bound object reference (x) does not match the UID in record.",
        ),
    ],
)
def test_requests_that_get_no_token(body: dict[str, Any], status: int, message: str) -> None:
    async def story(api: Api) -> None:
        await api.make("pods", pod(account="other"))
        await api.make("secrets", {"metadata": {"name": "s"}})
        answer = await api.ask("POST", TOKEN, body)
        assert answer[0] == status
        assert message in answer[1]["message"]

    run(story)


def test_no_token_for_an_account_that_is_not_there() -> None:
    async def story(api: Api) -> None:
        status, answer = await api.ask("POST", f"{CORE}/serviceaccounts/none/token", request())
        assert (status, answer["message"]) == (404, 'serviceaccounts "none" not found')

    run(story)


@pytest.mark.parametrize(
    ("seconds", "audiences", "lives", "warned"),
    [(3607, [], 31536000, 3607), (3607, ["vault"], 3607, None), (3600, [], 3600, None)],
)
def test_the_token_of_the_admission_plugin_lives_a_year_for_old_clients(
    seconds: int, audiences: list[str], lives: int, warned: int | None
) -> None:
    async def story(api: Api) -> None:
        await api.make("pods", pod())
        bound = {"kind": "Pod", "apiVersion": "v1", "name": "p"}
        token = await api.token(boundObjectRef=bound, expirationSeconds=seconds, audiences=audiences)
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["exp"] - claims["iat"] == lives
        found = claims["kubernetes.io"].get("warnafter")
        assert (found - claims["iat"] if found else None) == warned

    run(story)


def test_reviews() -> None:
    async def story(api: Api) -> None:
        async def review(**spec: Any) -> Any:
            body = {"kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1", "spec": spec}
            return (await api.ask("POST", REVIEWS, body))[1]

        ours, theirs = await api.token(), await api.token(audiences=["vault"])
        status = (await review(token=ours))["status"]
        assert status["authenticated"] is True
        assert status["user"]["username"] == "system:serviceaccount:default:robot"
        assert status["audiences"] == [ISSUER]
        assert (await review(token=theirs, audiences=["vault", "x"]))["status"]["audiences"] == ["vault"]
        status = (await review(token=theirs))["status"]
        assert "authenticated" not in status
        assert status["error"].startswith('[invalid bearer token, token audiences ["vault"] is invalid for')
        assert (await review(token="x"))["status"]["error"] == "invalid bearer token"
        assert (await review())["message"] == "token is required for TokenReview in authentication"

    run(story)


def test_others_find_our_keys() -> None:
    async def story(api: Api) -> None:
        found = await api.raw("GET", "/.well-known/openid-configuration")
        assert (found.status, found.headers["content-type"]) == (200, "application/json")
        assert orjson.loads(found.body)["issuer"] == ISSUER
        keys = await api.raw("GET", "/openid/v1/jwks")
        assert keys.headers["content-type"] == "application/jwk-set+json"
        (key,) = jwt.PyJWKSet.from_dict(orjson.loads(keys.body)).keys
        timeless: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}  # time is virtual here
        assert jwt.decode(await api.token(), key.key, ["ES256"], audience=ISSUER, options=timeless)
        assert keys.headers["cache-control"] == "public, max-age=3600"

    run(story)
