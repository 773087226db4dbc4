"""Step: as whom? Who may impersonate users, groups, accounts, uids and extras is then served as the one they name.

All that the headers ask for must be allowed by the authorizer, piece by piece, and from here on nobody sees who it was
that asked. Source: "User impersonation" of the authentication reference; apiserver/pkg/endpoints/filters/impersonation.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from pilothouse.api.machinery.errors import BadRequest
from pilothouse.apiserver.authorization.framework import Attributes, Authorizer, forbidden
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.handlers.framework import Next, Step
from pilothouse.apiserver.user import (
    ANONYMOUS,
    AUTHENTICATED_GROUP,
    SERVICE_ACCOUNT_PREFIX,
    UNAUTHENTICATED_GROUP,
    User,
    service_account_groups,
)
from pilothouse.net.http import Request, Response

PREFIX = "impersonate-"
_EXTRA = f"{PREFIX}extra-"
_GROUP = "authentication.k8s.io"
_NAME = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_ACCOUNT = re.compile(rf"{SERVICE_ACCOUNT_PREFIX}({_NAME}):({_NAME}(?:\.{_NAME})*)")


def impersonate(authorizer: Authorizer) -> Step:
    """Make the step."""

    async def step(exchange: Exchange, following: Next) -> Response:
        if PREFIX in " ".join(exchange.request.headers):  # one search costs less than one a header
            wanted = impersonated(exchange.request)
            if wanted is not None:
                for attributes in questions(exchange.user, wanted, groups=_groups(exchange.request)):
                    decision = authorizer.authorize(attributes)
                    if not decision.allowed:
                        raise forbidden(attributes, decision.reason)
                exchange.user = wanted
                if exchange.audit is not None:
                    exchange.audit.impersonated = wanted
            headers = exchange.request.headers
            exchange.request.headers = {key: value for key, value in headers.items() if not key.startswith(PREFIX)}
        return await following(exchange)

    return step


def impersonated(request: Request) -> User | None:
    """Whom the headers name; None when they name nothing. Raises BadRequest for other facts without a user."""
    name = _first(request, f"{PREFIX}user")
    groups, uid, extra = _groups(request), _first(request, f"{PREFIX}uid"), _extras(request)
    if not name:
        if groups or uid or extra:
            raise BadRequest(f"requested [{_listed(groups, uid, extra)}] without impersonating a user")
        return None
    account = _ACCOUNT.fullmatch(name)
    if account and not groups:
        groups = service_account_groups(account[1])
    everyone = (UNAUTHENTICATED_GROUP,) if name == ANONYMOUS else (AUTHENTICATED_GROUP, UNAUTHENTICATED_GROUP)
    if not any(group in everyone for group in groups):
        groups = (*groups, everyone[0])
    return User(name, groups, uid, extra)


def questions(requestor: User, wanted: User, groups: tuple[str, ...]) -> Iterator[Attributes]:
    """What the requestor must be allowed to do. `groups` are those asked for: nobody needs leave for the others."""
    account = _ACCOUNT.fullmatch(wanted.name)
    if account:
        yield _question(requestor, "serviceaccounts", account[2], namespace=account[1])
    else:
        yield _question(requestor, "users", wanted.name)
    for group in groups:
        yield _question(requestor, "groups", group)
    for key, values in wanted.extra.items():
        for value in values:
            yield _question(requestor, "userextras", value, _GROUP, subresource=key)
    if wanted.uid:
        yield _question(requestor, "uids", wanted.uid, _GROUP)


def _question(
    requestor: User, resource: str, name: str, group: str = "", *, namespace: str = "", subresource: str = ""
) -> Attributes:
    return Attributes(requestor, "impersonate", group, "*", resource, subresource, namespace, name)


def _groups(request: Request) -> tuple[str, ...]:
    return tuple(_text(value) for value in request.values(f"{PREFIX}group"))


def _extras(request: Request) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for header in request.headers:
        if header.startswith(_EXTRA):
            key = unquote(header.removeprefix(_EXTRA))
            found[key] = (*found.get(key, ()), *(_text(value) for value in request.values(header)))
    return found


def _first(request: Request, header: str) -> str:
    return next((_text(value) for value in request.values(header)), "")


def _text(value: str) -> str:
    """A header's value as the UTF-8 that Go's clients send."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def _listed(groups: tuple[str, ...], uid: str, extra: dict[str, tuple[str, ...]]) -> str:
    """As upstream shows what was asked for: references to objects, field by field."""
    shown = [f"{{Group  {group}    }}" for group in groups]
    shown += [f"{{UserExtra  {value}  {_GROUP}/v1  {key}}}" for key, values in extra.items() for value in values]
    return " ".join([*shown, *([f"{{UID  {uid}  {_GROUP}/v1  }}"] if uid else [])])
