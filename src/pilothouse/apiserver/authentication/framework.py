"""Authenticators are asked in order; the first that finds credentials of its sort decides."""

from collections.abc import Sequence
from typing import Protocol

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
        """Whom the first with an opinion sees."""
        for authenticator in self._authenticators:
            user = await authenticator.authenticate(request)
            if user is not None:
                return user
        return None


def authenticated(user: User) -> User:
    """The user with the group that everyone who is somebody belongs to."""
    if AUTHENTICATED_GROUP in user.groups:
        return user
    return User(user.name, (*user.groups, AUTHENTICATED_GROUP), user.uid, user.extra)
