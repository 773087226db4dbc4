"""Bootstrap tokens: by which a new node is known until it has a certificate, each a Secret in kube-system.

A token is `id.secret`; the Secret `bootstrap-token-<id>` says what the secret is, until when it counts, whether it is
for authentication, and of which groups below system:bootstrappers its user is. One that does not count is nobody's: it
may be for others to know. API page: Authenticating with Bootstrap Tokens. Source of the facts:
plugin/pkg/auth/authenticator/token/bootstrap/bootstrap.go. *assumed*: the patterns of tokens and groups, from the page.
"""

import base64
import binascii
import hmac
import re
from typing import Any

from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.authentication.framework import authenticated, bearer_token
from pilothouse.apiserver.registry.watch_cache import WatchCache
from pilothouse.apiserver.user import User
from pilothouse.net.http import Request
from pilothouse.runtime.clock import Clock, Instant, parse_time
from pilothouse.runtime.log import Log

SECRET_TYPE = "bootstrap.kubernetes.io/token"  # noqa: S105 - the name of a type
NAMESPACE = "kube-system"
NAME_PREFIX = "bootstrap-token-"
GROUP = "system:bootstrappers"
USER_PREFIX = "system:bootstrap:"

_TOKEN = re.compile(r"([a-z0-9]{6})\.([a-z0-9]{16})")
_GROUP = re.compile(GROUP + r":[a-z0-9:-]{0,255}[a-z0-9]")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")

log = Log(__name__)


class BootstrapTokens:
    """Tells who a bootstrap token stands for."""

    def __init__(self, cache: WatchCache, clock: Clock) -> None:
        self._secrets = cache.of("", "secrets")
        self._clock = clock

    async def authenticate(self, request: Request) -> User | None:
        """The user of the bearer token; None for one that is none of these, or does not count."""
        return self.user_of(bearer_token(request))

    def user_of(self, token: str) -> User | None:
        """The same of a token."""
        parts = _TOKEN.fullmatch(token)
        if parts is None:
            return None
        identifier, secret = parts.groups()
        name = f"{NAME_PREFIX}{identifier}"
        entry = self._secrets.get(NAMESPACE, name)
        if entry is None:
            return None
        found = entry.decode()
        data = {key: _text(value) for key, value in (found.get("data") or {}).items()}
        if wrong := _wrong(found, data, identifier, secret, self._clock.now()):
            log.debug("Bootstrap token does not count", secret=f"{NAMESPACE}/{name}", reason=wrong)
            return None
        return authenticated(User(f"{USER_PREFIX}{identifier}", groups_of(data) or ()))


def _wrong(found: JsonObject, data: dict[str, str], identifier: str, secret: str, now: Instant) -> str:
    """Why the Secret does not make somebody of whoever has the token; never what the secret is."""
    if found["metadata"].get("deletionTimestamp"):
        return "is deleted and awaiting removal"
    if found.get("type") != SECRET_TYPE:
        return f"has invalid type, expected {SECRET_TYPE}"
    if not hmac.compare_digest(data.get("token-secret", "").encode("latin-1"), secret.encode()):
        return "has another token-secret"
    if data.get("token-id") != identifier:
        return "has another token-id"
    if has_expired(data, now):
        return "has expired"
    if data.get("usage-bootstrap-authentication") != "true":
        return "not marked usage-bootstrap-authentication=true"
    return "" if groups_of(data) else "has invalid value for key auth-extra-groups"


def has_expired(data: dict[str, str], now: Instant) -> bool:
    """Whether a token's time is over; one that cannot be read is."""
    until = data.get("expiration")
    if not until:
        return False
    if not _TIME.fullmatch(until):
        return True
    try:
        return parse_time(until) <= now
    except ValueError:
        return True


def groups_of(data: dict[str, str]) -> tuple[str, ...] | None:
    """The groups of a token's user, in order; None when one of them cannot be had by a token."""
    more = data.get("auth-extra-groups")
    extra = more.split(",") if more else []
    if not all(_GROUP.fullmatch(group) for group in extra):
        return None
    return tuple(sorted({GROUP, *extra}))


def _text(encoded: Any) -> str:
    try:
        return base64.b64decode(encoded).decode("latin-1")
    except (ValueError, TypeError, binascii.Error):
        return ""
