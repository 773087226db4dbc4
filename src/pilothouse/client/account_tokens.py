"""Account tokens: clients that act as service accounts, with tokens asked for by whoever may ask.

A token is asked for when the first request needs one, renewed when a fifth of its life is left and forgotten when the
server refuses it; nothing runs in the background. An account that is missing is made. Upstream: controller-manager's
pkg/clientbuilder; API page: TokenRequest.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pilothouse.api.machinery.errors import AlreadyExists, NotFound, StatusError
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import ServiceAccount
from pilothouse.client.client import Client
from pilothouse.client.transport import Answer, Headers, StreamedAnswer, Transport
from pilothouse.runtime.clock import Clock, parse_time

LIFETIME_SECONDS = 3600
_LEAST_SECONDS = 600.0
"""Believed of any token, lest clocks that differ make us ask without end."""
_LEEWAY = 0.2
_REFUSED = 401


class AccountToken:
    """The token of one service account; `owner` asks for it."""

    def __init__(self, owner: Client, clock: Clock, name: str, namespace: str) -> None:
        self._owner = owner
        self._clock = clock
        self._name = name
        self._namespace = namespace
        self._token = ""
        self._renew_at = 0.0
        self._asking = asyncio.Lock()

    async def current(self) -> str:
        """A token that the server should accept. Raises ConnectionError where none can be had.

        Not what the request for one was answered with: a caller would take that for the answer to his own request.
        """
        if self._fresh:
            return self._token
        async with self._asking:
            if not self._fresh:
                try:
                    await self._ask()
                except StatusError as error:
                    account = f"{self._namespace}/{self._name}"
                    raise ConnectionError(f"there is no token for service account {account}: {error}") from error
            return self._token

    @property
    def _fresh(self) -> bool:
        return bool(self._token) and self._clock.monotonic() < self._renew_at

    def refused(self, token: str) -> None:
        """The server does not accept it: ask anew the next time."""
        if token == self._token:
            self._token = ""

    async def _ask(self) -> None:
        path = f"/api/v1/namespaces/{self._namespace}/serviceaccounts/{self._name}/token"
        wish: JsonObject = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": LIFETIME_SECONDS},
        }
        try:
            answer = await self._owner.write("POST", path, wish)
        except NotFound:
            await self._make_account()
            answer = await self._owner.write("POST", path, wish)
        status = answer["status"]
        lifetime = max(_LEAST_SECONDS, parse_time(status["expirationTimestamp"]) - self._clock.now())
        self._token = status["token"]
        self._renew_at = self._clock.monotonic() + lifetime * (1 - _LEEWAY)

    async def _make_account(self) -> None:
        meta = {"name": self._name, "namespace": self._namespace}
        try:
            await self._owner.create(ServiceAccount, {"metadata": meta})
        except AlreadyExists:
            return


class AccountTransport:
    """Sends through another transport, which has no credentials, in the name of a service account."""

    def __init__(self, inner: Transport, token: AccountToken) -> None:
        self._inner = inner
        self._token = token

    async def send(self, method: str, target: str, headers: Headers, body: bytes = b"") -> Answer:
        """One request. What is refused for its token was not done, so it is sent again with a new one."""
        answer = await self._once(method, target, headers, body)
        return await self._once(method, target, headers, body) if answer.status == _REFUSED else answer

    @asynccontextmanager
    async def stream(self, method: str, target: str, headers: Headers) -> AsyncIterator[StreamedAnswer]:
        """One request whose answer is read as it comes."""
        token = await self._token.current()
        async with self._inner.stream(method, target, _bearing(headers, token)) as answer:
            if answer.status == _REFUSED:
                self._token.refused(token)
            yield answer

    async def _once(self, method: str, target: str, headers: Headers, body: bytes) -> Answer:
        token = await self._token.current()
        answer = await self._inner.send(method, target, _bearing(headers, token), body)
        if answer.status == _REFUSED:
            self._token.refused(token)
        return answer


def _bearing(headers: Headers, token: str) -> Headers:
    return {**headers, "authorization": f"Bearer {token}"}


class AccountClients:
    """Clients by the name of a service account; the empty name is `owner`'s own, which may ask for tokens."""

    def __init__(
        self, owner: Client, bare: Transport, clock: Clock, *, namespace: str = "kube-system", agent: str = ""
    ) -> None:
        self._owner = owner
        self._bare = bare
        self._clock = clock
        self._namespace = namespace
        self._agent = agent
        self._clients: dict[str, Client] = {"": owner}

    def __call__(self, name: str) -> Client:
        """The client of an account. Nothing is asked of the server yet."""
        if name not in self._clients:
            token = AccountToken(self._owner, self._clock, name, self._namespace)
            agent = f"{self._agent}/{name}" if self._agent else name
            transport = AccountTransport(self._bare, token)
            self._clients[name] = Client(
                transport, self._owner.catalogue, self._clock, agent=agent, memo=self._owner.memo
            )
        return self._clients[name]
