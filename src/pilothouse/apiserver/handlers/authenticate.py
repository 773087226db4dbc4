"""Step: who is it? Without credentials it is system:anonymous, where that is allowed; with bad ones it is nobody.

Credentials of a sort that no authenticator looks for (Basic, say) are none.
"""

from pilothouse.api.machinery.errors import Unauthorized
from pilothouse.apiserver.authentication.framework import Authenticator, bearer_token
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.handlers.framework import Next, Step
from pilothouse.apiserver.user import ANONYMOUS, UNAUTHENTICATED_GROUP, User
from pilothouse.net.http import Response

NOBODY = User(ANONYMOUS, (UNAUTHENTICATED_GROUP,))


def authenticate(authenticator: Authenticator, *, anonymous: bool = True) -> Step:
    """Make the step."""

    async def step(exchange: Exchange, following: Next) -> Response:
        user = await authenticator.authenticate(exchange.request)
        if user is None:
            if not anonymous or bearer_token(exchange.request):
                raise Unauthorized
            user = NOBODY
        exchange.user = user
        return await following(exchange)

    return step
