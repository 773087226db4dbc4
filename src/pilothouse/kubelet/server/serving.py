"""Opens the kubelet's HTTPS API: puts the door, the pages and the front door together.

async with serving(config, client, pods, cri, metrics, sync_loop, clock) as listening: ...
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pilothouse.client.client import Client
from pilothouse.kubelet.cri.interface import Cri
from pilothouse.kubelet.server.authentication import Authentication, ClientReviews
from pilothouse.kubelet.server.authorization import Authorization, ClientAccessReviews
from pilothouse.kubelet.server.door import guarded
from pilothouse.kubelet.server.health import Check
from pilothouse.kubelet.server.known_pods import Pods
from pilothouse.kubelet.server.kubelet_api import KubeletApi
from pilothouse.linux.inotify import Inotify
from pilothouse.net.pki import KeyPair
from pilothouse.net.server import Listening, serve
from pilothouse.net.tls import ServerTls
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.metrics import Metrics

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


@asynccontextmanager
async def serving(
    config: ServingConfig, client: Client, pods: Pods, cri: Cri, metrics: Metrics, sync_loop: Check, clock: Clock
) -> AsyncIterator[Listening]:
    """Serve while the block runs. `client` asks the API server who callers are and what they may.

    Raises OSError when the port is taken.
    """
    with Inotify() as changes:
        api = KubeletApi(pods, cri, changes, metrics, sync_loop, clock)
        who = Authentication(ClientReviews(client), clock)
        may = Authorization(ClientAccessReviews(client), config.node_name, clock)
        tls = ServerTls(config.pair, config.client_authority)
        async with serve(guarded(api, who, may), config.address, config.port, tls, clock) as listening:
            yield listening
