"""EventRateLimit admission. Source: plugin/pkg/admission/eventratelimit/{admission,validation}_test.go."""

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import orjson
import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.admission.chain import AdmissionChain
from pilothouse.apiserver.authentication.in_process import InProcessAuthenticator
from pilothouse.apiserver.authorization.framework import Chain
from pilothouse.apiserver.handlers.authenticate import authenticate
from pilothouse.apiserver.server import ApiServer
from pilothouse.apiserver.user import User
from pilothouse.client.transport import HandlerTransport
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run

KIND = {"apiVersion": "eventratelimit.admission.k8s.io/v1alpha1", "kind": "Configuration"}
DEFAULTS = ("NamespaceLifecycle", "ServiceAccount", "Priority")
Post = Callable[..., Awaitable[tuple[int, Any]]]


@cache
def schemas() -> Schemas:
    return Schemas()


def tell(story: Callable[[Post, LoopClock], Awaitable[None]], *limits: dict[str, Any]) -> None:
    async def whole(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, chance) as server:
            admission = AdmissionChain.of(
                server.served, Chain(()), clock, chance, enabled=("EventRateLimit",), disabled=DEFAULTS,
                configurations={"EventRateLimit": {**KIND, "limits": list(limits)}},
            )  # fmt: skip
            server.assemble(steps=(authenticate(InProcessAuthenticator()),), admission=admission)

            async def post(user: str = "me", namespace: str = "default", query: str = "", **more: Any) -> Any:
                about = {"kind": "Pod", "name": "a", "namespace": namespace}
                event = {"metadata": {"generateName": "e-"}, "involvedObject": about, "reason": "R", **more}
                target = f"/api/v1/namespaces/{namespace}/events{query}"
                transport = HandlerTransport(server.handle, User(user))
                answer = await transport.send("POST", target, {"content-type": "application/json"}, orjson.dumps(event))
                return answer.status, orjson.loads(answer.body)

            await story(post, clock)

    run(whole)


def limit(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "qps": 1, "burst": 2, **more}


def test_a_server_takes_so_many() -> None:
    async def story(post: Post, clock: LoopClock) -> None:
        assert [(await post(user=str(number)))[0] for number in range(3)] == [201, 201, 429]
        _, status = await post()
        assert status["reason"] == "TooManyRequests"
        assert status["message"] == "Too many requests: limit reached on type Server for key "
        await clock.sleep(1)
        assert [(await post())[0] for _ in range(2)] == [201, 429]
        assert (await post(query="?dryRun=All"))[0] == 201

    tell(story, limit("Server"))


@pytest.mark.parametrize(
    ("kind", "others", "key"),
    [
        ("Namespace", {"namespace": "other"}, "default"),
        ("User", {"user": "you"}, "me"),
        ("SourceAndObject", {"source": {"component": "c"}}, "Poddefaulta"),
        ("SourceAndObject", {"involvedObject": {"kind": "Pod", "namespace": "default", "name": "b"}}, "Poddefaulta"),
    ],
)
def test_each_has_its_own(kind: str, others: dict[str, Any], key: str) -> None:
    async def story(post: Post, clock: LoopClock) -> None:
        assert [(await post())[0] for _ in range(3)] == [201, 201, 429]
        assert (await post(**others))[0] == 201
        assert (await post())[1]["message"] == f"Too many requests: limit reached on type {kind} for key {key}"

    tell(story, limit(kind))


def test_of_many_those_last_used_are_kept() -> None:
    async def story(post: Post, clock: LoopClock) -> None:
        for user in ("a", "a", "b", "c"):
            assert (await post(user=user))[0] == 201
        assert (await post(user="a"))[0] == 201, "who was forgotten begins anew"

    tell(story, limit("User", cacheSize=2))


def test_every_limit_counts() -> None:
    async def story(post: Post, clock: LoopClock) -> None:
        assert [(await post())[0] for _ in range(3)] == [201, 201, 429]
        assert (await post(user="you"))[0] == 429, "what the user's limit refused counted for the server's too"

    tell(story, limit("User"), limit("Server", burst=3))


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        (None, "limits: Invalid value.*must not be empty"),
        ({"kind": "Other"}, "it is None Other, not eventratelimit"),
        ({**KIND, "limits": [limit("Other")]}, r"limits\[0\].type: Unsupported value: \"Other\""),
        ({**KIND, "limits": [limit("User", qps=0)]}, r"limits\[0\].qps: Invalid value: 0: must be positive"),
        ({**KIND, "limits": [limit("User", burst=-1)]}, r"limits\[0\].burst: Invalid value: -1: must be positive"),
        ({**KIND, "limits": [limit("User", cacheSize=-1)]}, r"limits\[0\].cacheSize: Invalid value: -1"),
        ({**KIND, "limits": ["a"]}, "must be a list of limits"),
    ],
)
def test_what_is_no_configuration(configuration: dict[str, Any] | None, message: str) -> None:
    async def whole(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, chance) as server:
            given = {} if configuration is None else {"EventRateLimit": configuration}
            with pytest.raises(ValueError, match=message):
                AdmissionChain.of(
                    server.served, Chain(()), clock, chance, enabled=("EventRateLimit",), configurations=given
                )
            with pytest.raises(ValueError, match="Priority takes no configuration"):
                AdmissionChain.of(server.served, Chain(()), clock, chance, configurations={"Priority": {}})

    run(whole)
