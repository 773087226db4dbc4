"""Service-account tokens: what is in them, and whom they make of a request while all that they name still lives.

A token names its service account and may name the pod, node or Secret it is bound to. Each is looked up in the watch
cache for every request: a token dies with them, not when it expires. Source: pkg/serviceaccount/claims.go; KEP-1205,
KEP-4193.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pilothouse.api.machinery.errors import Unauthorized
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.authentication.framework import bearer_token
from pilothouse.apiserver.authentication.token_keys import InvalidToken, TokenKeys
from pilothouse.apiserver.registry.entry import Entry
from pilothouse.apiserver.registry.watch_cache import WatchCache
from pilothouse.apiserver.user import SERVICE_ACCOUNT_PREFIX, User, service_account_user
from pilothouse.net.http import Request
from pilothouse.runtime.clock import Clock, Instant, parse_time

_LEEWAY = 60.0
"""Seconds that clocks may differ, and that what was deleted is still believed to live."""
_OWN = "kubernetes.io"
_EXTRA = "authentication.kubernetes.io"


@dataclass(frozen=True, slots=True)
class Binding:
    """What a token names: objects by kind in lower case, as (name, uid)."""

    namespace: str
    account: tuple[str, str]
    pod: tuple[str, str] | None = None
    node: tuple[str, str] | None = None
    secret: tuple[str, str] | None = None


def make_claims(
    binding: Binding, audiences: Sequence[str], identifier: str, now: Instant, seconds: int, warn_after: int = 0
) -> JsonObject:
    """The claims of a token that lives for `seconds`; `warn_after` seconds it should have been replaced."""
    begin = int(now)
    own: JsonObject = {"namespace": binding.namespace, "serviceaccount": _reference(binding.account)}
    for name, named in (("pod", binding.pod), ("node", binding.node), ("secret", binding.secret)):
        if named is not None:
            own[name] = _reference(named)
    if warn_after:
        own["warnafter"] = begin + warn_after
    return {
        "sub": f"{SERVICE_ACCOUNT_PREFIX}{binding.namespace}:{binding.account[0]}",
        "aud": list(audiences),
        "exp": begin + seconds,
        "iat": begin,
        "nbf": begin,
        "jti": identifier,
        _OWN: own,
    }


class ServiceAccountTokens:
    """Tells service accounts by their tokens. `audiences` are those that mean this server."""

    def __init__(self, keys: TokenKeys, cache: WatchCache, clock: Clock, audiences: Sequence[str]) -> None:
        self._keys = keys
        self._clock = clock
        self.audiences = tuple(audiences)
        self._kinds = {
            "serviceaccount": cache.of("", "serviceaccounts"), "pod": cache.of("", "pods"),
            "node": cache.of("", "nodes"), "secret": cache.of("", "secrets"),
        }  # fmt: skip

    async def authenticate(self, request: Request) -> User | None:
        """The account of the bearer token. Raises Unauthorized for one of ours that does not count."""
        token = bearer_token(request)
        if not token:
            return None
        try:
            found = self.review(token, self.audiences)
        except InvalidToken as error:
            raise Unauthorized from error
        return found[0] if found is not None else None

    def review(self, token: str, audiences: Sequence[str]) -> tuple[User, tuple[str, ...]] | None:
        """The account, and which of the audiences the token is meant for; None for a token that is not ours.

        Raises InvalidToken.
        """
        claims = self._keys.verify(token)
        if claims is None:
            return None
        self._check_time(claims)
        meant = claims.get("aud") or []
        common = tuple(each for each in audiences if each in meant)
        if not common:
            raise InvalidToken(
                f"token audiences {_quoted(meant)} is invalid for the target audiences {_quoted(audiences)}"
            )
        own = claims.get(_OWN) or {}
        namespace = own.get("namespace") or ""
        account = own.get("serviceaccount") or {}
        name, uid = account.get("name") or "", account.get("uid") or ""
        if claims.get("sub") != f"{SERVICE_ACCOUNT_PREFIX}{namespace}:{name}" or not name:
            raise InvalidToken("the subject of the token is not the service account it names")
        self._check("serviceaccount", namespace, account)
        for kind in ("secret", "pod"):
            if named := own.get(kind):
                self._check(kind, namespace, named)
        if (node := own.get("node")) and not own.get("pod"):
            self._check("node", "", node)
        return service_account_user(namespace, name, uid, _extra(claims, own)), common

    def _check_time(self, claims: JsonObject) -> None:
        now = self._clock.now()
        if now > claims.get("exp", 0) + _LEEWAY:
            raise InvalidToken("service account token has expired")
        if now < claims.get("nbf", 0) - _LEEWAY:
            raise InvalidToken("service account token is not valid yet")

    def _check(self, kind: str, namespace: str, named: JsonObject) -> None:
        """Raise InvalidToken unless the object lives and is the very one that was meant."""
        name = named.get("name") or ""
        entry = self._kinds[kind].get(namespace, name)
        if entry is None:
            raise InvalidToken(f"{kind} {namespace}/{name} does not exist")
        uid, _, deleted = entry.variant("life", _life).decode("ascii").partition(" ")
        if deleted and float(deleted) + _LEEWAY < self._clock.now():
            raise InvalidToken(f"{kind} {namespace}/{name} has been deleted")
        if uid != named.get("uid"):
            raise InvalidToken(f"{kind} UID ({uid}) does not match claim ({named.get('uid')})")


def _life(entry: Entry) -> bytes:
    """The object's uid, and when it was deleted: all that a token asks of it."""
    metadata = entry.decode()["metadata"]
    deleted = metadata.get("deletionTimestamp")
    return f"{metadata['uid']} {parse_time(deleted) if deleted else ''}".encode("ascii")


def _extra(claims: JsonObject, own: JsonObject) -> dict[str, tuple[str, ...]]:
    extra: dict[str, tuple[str, ...]] = {}
    if claims.get("jti"):
        extra[f"{_EXTRA}/credential-id"] = (f"JTI={claims['jti']}",)
    for kind in ("pod", "node"):
        named = own.get(kind) or {}
        for part in ("name", "uid"):
            if named.get(part):
                extra[f"{_EXTRA}/{kind}-{part}"] = (named[part],)
    return extra


def _reference(named: tuple[str, str]) -> JsonObject:
    name, uid = named
    return {"name": name, "uid": uid} if uid else {"name": name}


def _quoted(names: Sequence[str]) -> str:
    return "[" + " ".join(f'"{name}"' for name in names) + "]"
