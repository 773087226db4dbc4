"""Access: a role's client of the API server, waited for: all roles start at once."""

from pilothouse.api.catalogue import builtin
from pilothouse.client.client import Client
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HttpTransport
from pilothouse.cluster.home import Home
from pilothouse.cluster.pki import Pki
from pilothouse.cluster.settings import Settings
from pilothouse.runtime.clock import Clock

_PAUSE = 0.03
_NO_ANSWER = (ConnectionError, TimeoutError, OSError)


async def connect(
    home: Home, settings: Settings, role: str, pair: str, clock: Clock, agent: str, memo: Memo | None = None
) -> Client:
    """A client with one of the role's identities, once the API server serves. `memo` is that of the process."""
    return await reach(Pki(home, settings).access(role, pair).transport(clock), clock, agent, memo)


async def reach(transport: HttpTransport, clock: Clock, agent: str, memo: Memo | None = None) -> Client:
    """A client on this transport, once the API server serves."""
    while not await serves(transport):
        await clock.sleep(_PAUSE)
    return Client(transport, builtin(), clock, agent=agent, memo=Memo() if memo is None else memo)


async def serves(transport: HttpTransport) -> bool:
    """Whether the API server says that it is ready."""
    try:
        answer = await transport.send("GET", "/readyz", {})
    except _NO_ANSWER:
        return False
    return answer.status == 200
