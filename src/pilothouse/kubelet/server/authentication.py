"""Who is asking: the client certificate that TLS verified, else a bearer token that the API server reviews.

Without either, or with none that counts, nobody is: there are no anonymous callers. Source: "Kubelet
authentication/authorization" of the reference; a token's review counts for two minutes, as upstream's default.
"""

import hashlib
from typing import Protocol

from cryptography import x509

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.authentication_v1 import TokenReview
from pilothouse.client.client import Client
from pilothouse.kubelet.server.caller import Caller, Remembered
from pilothouse.net.client_certificate import common_name, is_for_clients, organizations
from pilothouse.net.http import Request
from pilothouse.runtime.clock import Clock

_EVERYONE = "system:authenticated"
TOKEN_COUNTS = 120.0
"""Seconds for which a token's review is believed."""


class Reviews(Protocol):
    """The API server's answer to whose token this is."""

    async def review_token(self, token: str) -> TokenReview:
        """The review with its status. May raise StatusError or OSError."""
        ...


class ClientReviews:
    """`Reviews` over the API."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def review_token(self, token: str) -> TokenReview:
        """Have the token reviewed."""
        manifest: JsonObject = {"spec": {"token": token}}
        return await self._client.create(TokenReview, manifest)


class Authentication:
    """Tells callers by what they show."""

    def __init__(self, reviews: Reviews, clock: Clock) -> None:
        self._reviews = reviews
        self._clock = clock
        self._known: Remembered[bytes, tuple[Caller, ...]] = Remembered(clock)
        """By digest of the token; empty for a token that does not count."""

    async def authenticate(self, request: Request) -> Caller | None:
        """The caller, None for nobody. Raises StatusError or OSError when the API server cannot say."""
        if request.peer.certificate is not None:
            caller = self._by_certificate(request.peer.certificate)
            if caller is not None:
                return caller
        token = bearer_token(request.headers.get("authorization", ""))
        return await self._by_token(token) if token else None

    def _by_certificate(self, certificate: x509.Certificate) -> Caller | None:
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        if not begins.timestamp() <= self._clock.now() <= ends.timestamp() or not is_for_clients(certificate):
            return None
        name = common_name(certificate)
        return Caller(name, _with_everyone(organizations(certificate))) if name else None

    async def _by_token(self, token: str) -> Caller | None:
        digest = hashlib.sha256(token.encode("latin-1")).digest()
        known = self._known.get(digest)
        if known is None:
            known = _callers(await self._reviews.review_token(token))
            self._known.put(digest, known, TOKEN_COUNTS)
        return next(iter(known), None)


def bearer_token(authorization: str) -> str:
    """The token of an Authorization header; empty without one."""
    scheme, _, token = authorization.strip().partition(" ")
    return token.strip().partition(" ")[0] if scheme.lower() == "bearer" else ""


def _callers(review: TokenReview) -> tuple[Caller, ...]:
    user = review.status.user
    if not review.status.authenticated or not user.username:
        return ()
    extra = tuple((name, tuple(values)) for name, values in user.extra.items())
    return (Caller(user.username, _with_everyone(tuple(user.groups)), user.uid, extra),)


def _with_everyone(groups: tuple[str, ...]) -> tuple[str, ...]:
    return groups if _EVERYONE in groups else (*groups, _EVERYONE)
