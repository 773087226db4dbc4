"""Opens the kubelet's HTTPS API: puts the door, the pages and the front door together.

async with serving(config, client, around, sync_loop) as listening: ...
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pilothouse.client.client import Client
from pilothouse.kubelet.identity.store import CertificateStore
from pilothouse.kubelet.server.authentication import Authentication, ClientReviews
from pilothouse.kubelet.server.authorization import Authorization, ClientAccessReviews
from pilothouse.kubelet.server.door import guarded
from pilothouse.kubelet.server.health import Check
from pilothouse.kubelet.server.kubelet_api import KubeletApi
from pilothouse.kubelet.server.page import PageContext
from pilothouse.kubelet.server.request_counts import counted
from pilothouse.linux.inotify import Inotify
from pilothouse.net.pki import KeyPair
from pilothouse.net.server import Listening, serve
from pilothouse.net.tls import ServerTls

PORT = 10250


@dataclass(frozen=True, slots=True)
class ServingConfig:
    """Where the API is, and what it shows and trusts."""

    node_name: str
    """Whose permissions are asked for."""
    pair: KeyPair
    """The serving certificate."""
    client_authority: bytes
    """PEM of who signs client certificates."""
    address: str = "0.0.0.0"
    port: int = PORT
    certificates: CertificateStore | None = None
    """Has the serving certificate from now on, where that is renewed."""


@asynccontextmanager
async def serving(
    config: ServingConfig, client: Client, around: PageContext, sync_loop: Check
) -> AsyncIterator[Listening]:
    """Serve while the block runs. `client` asks the API server who callers are and what they may.

    Raises OSError when the port is taken.
    """
    clock = around.clock
    with Inotify() as changes:
        api = KubeletApi(around, changes, sync_loop)
        who = Authentication(ClientReviews(client), clock)
        may = Authorization(ClientAccessReviews(client), config.node_name, clock)
        tls = ServerTls(config.pair, config.client_authority)
        if config.certificates is not None:
            tls.renew(config.certificates.last or config.pair)
            config.certificates.on_change(tls.renew)
        door = counted(guarded(api, who, may), around.metrics, clock)
        async with serve(door, config.address, config.port, tls, clock) as listening:
            yield listening
