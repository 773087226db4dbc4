import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fakes.api import FakeApi
from pilothouse.api.types.core_v1 import ConfigMap, ServiceAccount
from pilothouse.client.account_tokens import AccountClients
from pilothouse.client.client import Client
from pilothouse.client.memo import Memo
from pilothouse.client.transport import Answer, HandlerTransport, Headers, StreamedAnswer
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, LoopClock, format_time
from pilothouse.testing.loop import run


class Server:
    """Gives tokens to the owner of accounts, and answers those who bear one that it still accepts."""

    def __init__(self, clock: Clock) -> None:
        self.api = FakeApi(clock)
        self.clock = clock
        self.inner = HandlerTransport(self.api.handle, "anyone")
        self.valid: set[str] = set()
        self.seen: list[str] = []
        self.gives = True
        self.wishes: list[dict[str, Any]] = []

    async def send(self, method: str, target: str, headers: Headers, body: bytes = b"") -> Answer:
        if target.endswith("/token") and not self.gives:
            return Answer(404, {}, b'{"kind":"Status","status":"Failure","reason":"NotFound","code":404}')
        if target.endswith("/token"):
            return self._token(target.split("/")[-2], json.loads(body))
        bearer = headers.get("authorization", "")
        if bearer:
            self.seen.append(bearer)
            if bearer.removeprefix("Bearer ") not in self.valid:
                return Answer(401, {}, b'{"kind":"Status","status":"Failure","reason":"Unauthorized","code":401}')
        return await self.inner.send(method, target, headers, body)

    def _token(self, account: str, wish: dict[str, Any]) -> Answer:
        if ("serviceaccounts", "kube-system", account) not in self.api.objects:
            return Answer(404, {}, b'{"kind":"Status","status":"Failure","reason":"NotFound","code":404}')
        self.wishes.append(wish["spec"])
        token = f"{account}-{len(self.wishes)}"
        self.valid.add(token)
        expires = format_time(self.clock.now() + wish["spec"]["expirationSeconds"])
        return Answer(201, {}, json.dumps({"status": {"token": token, "expirationTimestamp": expires}}).encode())

    @asynccontextmanager
    async def stream(self, method: str, target: str, headers: Headers) -> AsyncIterator[StreamedAnswer]:
        self.seen.append(headers.get("authorization", ""))
        if self.seen[-1].removeprefix("Bearer ") not in self.valid:
            yield StreamedAnswer(401, {}, _nothing())
            return
        async with self.inner.stream(method, target, headers) as answer:
            yield answer


async def _nothing() -> AsyncIterator[bytes]:
    for piece in (b"{}",):
        yield piece


def _clients(server: Server, clock: Clock) -> AccountClients:
    owner = Client(server, server.api.catalogue, clock, memo=Memo())
    return AccountClients(owner, server, clock)


def test_an_account_is_made_and_acts_with_its_token_until_that_is_old() -> None:
    async def main(clock: LoopClock, _chance: Chance) -> None:
        server = Server(clock)
        clients = _clients(server, clock)
        client = clients("replicaset-controller")
        assert server.wishes == []
        assert client.memo is clients("").memo
        await client.list(ConfigMap)
        await clients("").get(ServiceAccount, "replicaset-controller", "kube-system")
        await clock.sleep(0.8 * 3600 - 60)
        await client.list(ConfigMap)
        await clock.sleep(120)
        await clients("replicaset-controller").list(ConfigMap)
        assert server.seen == [f"Bearer replicaset-controller-{number}" for number in (1, 1, 2)]
        assert server.wishes == [{"expirationSeconds": 3600}] * 2

    run(main)


def test_a_refused_token_is_replaced_at_once() -> None:
    async def main(clock: LoopClock, _chance: Chance) -> None:
        server = Server(clock)
        client = _clients(server, clock)("a")
        await client.create(ConfigMap, {"metadata": {"name": "x", "namespace": "default"}})
        server.valid.clear()
        await client.create(ConfigMap, {"metadata": {"name": "y", "namespace": "default"}})
        assert server.seen == ["Bearer a-1", "Bearer a-1", "Bearer a-2"]

    run(main)


def test_a_watch_bears_a_token_too() -> None:
    async def main(clock: LoopClock, _chance: Chance) -> None:
        server = Server(clock)
        client = _clients(server, clock)("a")
        async with client.watch(ConfigMap, resource_version="100") as events:
            await client.create(ConfigMap, {"metadata": {"name": "x", "namespace": "default"}})
            async for event in events:
                assert event.object.metadata.name == "x"
                break
        assert server.seen == ["Bearer a-1"] * 2

    run(main)


def test_without_a_token_the_server_is_as_good_as_away() -> None:
    async def main(clock: LoopClock, _chance: Chance) -> None:
        server = Server(clock)
        server.gives = False
        client = _clients(server, clock)("a")
        with pytest.raises(ConnectionError, match="no token for service account kube-system/a"):
            await client.get(ConfigMap, "x", "default")
        server.gives = True
        assert (await client.list(ConfigMap)).items == ()

    run(main)
