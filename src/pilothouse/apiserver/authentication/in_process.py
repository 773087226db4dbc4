"""In process: whoever built the transport vouches for the user."""

from pilothouse.apiserver.authentication.framework import authenticated
from pilothouse.apiserver.user import User
from pilothouse.net.http import Request


class InProcessAuthenticator:
    """Believes the peer's identity, which no socket can set."""

    async def authenticate(self, request: Request) -> User | None:
        """The user of the in-process transport."""
        identity = request.peer.identity
        return authenticated(identity) if isinstance(identity, User) else None
