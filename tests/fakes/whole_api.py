"""An API server as `pilothouse apiserver` assembles it, without sockets, in virtual time: to be sent anything at all.

Access is controlled, admission plugins run, addresses are allocated, reviews and subresources are answered. Nobody
listens behind the proxies.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import cache

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.admission.chain import AdmissionChain
from pilothouse.apiserver.allocation.services import ServiceAllocation
from pilothouse.apiserver.authentication.framework import FirstOf
from pilothouse.apiserver.authentication.in_process import InProcessAuthenticator
from pilothouse.apiserver.authentication.service_account import ServiceAccountTokens
from pilothouse.apiserver.authentication.token_keys import TokenKeys
from pilothouse.apiserver.authorization.escalation import Escalation
from pilothouse.apiserver.authorization.framework import Chain, Masters
from pilothouse.apiserver.authorization.rbac import Rbac
from pilothouse.apiserver.bootstrap.objects import make_objects
from pilothouse.apiserver.flowcontrol.control import FlowControl
from pilothouse.apiserver.handlers.authenticate import authenticate
from pilothouse.apiserver.handlers.authorize import authorize
from pilothouse.apiserver.handlers.impersonate import impersonate
from pilothouse.apiserver.handlers.priority import priority
from pilothouse.apiserver.main import reviews_of
from pilothouse.apiserver.reviews.access import AccessReviews
from pilothouse.apiserver.reviews.identity import TokenReviews
from pilothouse.apiserver.server import ApiServer
from pilothouse.apiserver.subresources.token import TokenRequests
from pilothouse.apiserver.user import MASTERS_GROUP, User
from pilothouse.client.client import Client
from pilothouse.client.memo import Memo
from pilothouse.client.transport import Answer, HandlerTransport
from pilothouse.net.pki import SigningKey, new_signing_key
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run as run_virtual

ADMIN = User("kubernetes-admin", (MASTERS_GROUP,))
JSON = {"content-type": "application/json"}


@cache
def schemas() -> Schemas:
    return Schemas()


@cache
def _signing_key() -> SigningKey:
    return new_signing_key()


class WholeApi:
    """The server, and a client that may do anything."""

    def __init__(self, server: ApiServer) -> None:
        self.server = server
        self.transport = HandlerTransport(server.handle, ADMIN)

    async def send(self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] = JSON) -> Answer:
        return await self.transport.send(method, target, headers, body)


def served(story: Callable[[WholeApi], Awaitable[None]], seed: int = 0) -> None:
    """Run `story` against a server of its own that has the namespace `default` and its service account."""

    async def main(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, chance) as server:
            _assemble(server)
            api = WholeApi(server)
            await make_objects(Client(api.transport, builtin(), clock, agent="test", memo=Memo()))
            made = await api.send("POST", "/api/v1/namespaces", b'{"metadata":{"name":"default"}}')
            assert made.status in (201, 409), made
            accounts = "/api/v1/namespaces/default/serviceaccounts"
            made = await api.send("POST", accounts, b'{"metadata":{"name":"default"}}')
            assert made.status == 201, made
            await story(api)

    run_virtual(main, seed=seed)


def _assemble(server: ApiServer) -> None:
    clock, chance, cache_ = server.clock, server.chance, server.cache
    keys = TokenKeys(_signing_key(), "https://issuer")
    tokens = ServiceAccountTokens(keys, cache_, clock, (keys.issuer,))
    rbac = Rbac(cache_)
    may = Chain([Masters(), rbac])
    admission = AdmissionChain.of(server.served, may, clock, chance)
    requests = TokenRequests(server.served, keys, tokens.audiences, admission, clock, chance)
    flows = FlowControl(cache_, clock)
    who = FirstOf([InProcessAuthenticator(), tokens])
    server.assemble(
        steps=(
            authenticate(who, anonymous=True),
            impersonate(may),
            priority(flows, cache_, server.served.catalogue, clock),
            authorize(may),
        ),
        admission=admission,
        guard=Escalation(rbac, may).check,
        allocate=ServiceAllocation(cache_, ("10.96.0.0/16", "fd00::/112"), (30000, 32767), chance).allocate,
        parts={("serviceaccounts/token", "create"): requests.create},
        reviews=reviews_of(AccessReviews(may, rbac, schemas()), TokenReviews(tokens, schemas())),
    )
