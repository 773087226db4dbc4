"""Authenticators are asked in order; the first that knows the user decides, and bad credentials beside good ones pass.

Source: apiserver/pkg/authentication/request/{union,bearertoken}.
"""

from collections.abc import Sequence
from typing import Protocol

from pilothouse.api.machinery.errors import Unauthorized
from pilothouse.apiserver.user import AUTHENTICATED_GROUP, User
from pilothouse.net.http import Request


class Authenticator(Protocol):
    """One way of telling who somebody is."""

    async def authenticate(self, request: Request) -> User | None:
        """The user; None without credentials of this sort. Raises Unauthorized for bad ones."""
        ...


class FirstOf:
    """Authenticators in order."""

    def __init__(self, authenticators: Sequence[Authenticator]) -> None:
        self._authenticators = tuple(authenticators)

    async def authenticate(self, request: Request) -> User | None:
        """Whom the first sees that sees anybody. Raises Unauthorized if none does and one of them refused."""
        refused: Unauthorized | None = None
        for authenticator in self._authenticators:
            try:
                user = await authenticator.authenticate(request)
            except Unauthorized as error:
                refused = error
            else:
                if user is not None:
                    return user
        if refused is not None:
            raise refused
        return None


def bearer_token(request: Request) -> str:
    """The token of the Authorization header; empty without one, or with credentials of another sort."""
    kind, _, rest = request.headers.get("authorization", "").strip().partition(" ")
    return rest.partition(" ")[0] if kind.lower() == "bearer" else ""


def authenticated(user: User) -> User:
    """The user with the group that everyone who is somebody belongs to."""
    if AUTHENTICATED_GROUP in user.groups:
        return user
    return User(user.name, (*user.groups, AUTHENTICATED_GROUP), user.uid, user.extra)
