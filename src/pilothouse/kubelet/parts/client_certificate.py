"""Has the node's client certificate renewed, and ends the kubelet that no longer has one.

Without a certificate it can have none renewed. If the API server still answers after five minutes, the kubelet ends,
so that whoever starts it can give it another identity.
Upstream: cmd/kubelet/app/server.go, pkg/kubelet/certificate/transport.go.
"""

from pilothouse.client.client import Client
from pilothouse.kubelet.identity.counts import ClientCounts
from pilothouse.kubelet.identity.rotation import LOOK, Rotation, Wanted
from pilothouse.kubelet.identity.signing_requests import CLIENT_SIGNER
from pilothouse.kubelet.identity.store import CertificateStore
from pilothouse.kubelet.identity.template import client_template
from pilothouse.kubelet.part import NodeContext, Part
from pilothouse.net.pki import KeyPair, expiry
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log
from pilothouse.runtime.tasks import Tasks

_PATIENCE, _PERIOD = 300.0, 10.0
"""Seconds that a kubelet may be without a certificate, and between two looks after that."""
_LOST = "It has been 5m0s since a valid client cert was found and the server is responsive, exiting."
_LOST_ALONE = (
    "It has been 5m0s since a valid client cert was found, but the server is not responsive. A restart may be "
    "necessary to retrieve new initial credentials."
)
log = Log(__name__)


class IdentityLostError(Exception):
    """The node is nobody any more."""


class ClientCertificate(Part):
    """Begins early: without a certificate nothing else of the API server's is to be had."""

    name = "client certificate"
    early = True

    async def run(self, node: NodeContext) -> None:
        """Rotate. Raises IdentityLostError."""
        store, clock = node.certificates.client, node.services.clock
        if store is None or not node.config.certificates.rotate_certificates:
            return

        def client(current: KeyPair | None) -> Client:
            return node.client if current is not None else node.certificates.bootstrap or node.client

        wanted = Wanted(CLIENT_SIGNER, client_template(node.config.node_name))
        rotation = Rotation(store, wanted, client, ClientCounts(node.metrics, store, clock), clock, node.chance)
        async with Tasks() as tasks:
            tasks.spawn(rotation.run(), name="client certificate rotation")
            await _until_lost(store, rotation, clock)


async def _until_lost(store: CertificateStore, rotation: Rotation, clock: Clock) -> None:
    began, told = clock.now(), False
    while True:
        last = store.last
        found = began if last is None else max(began, expiry(last.certificate))
        left = found + _PATIENCE - clock.now()
        if left <= 0 and rotation.server_healthy:
            raise IdentityLostError(_LOST)
        if left <= 0 and not told:
            log.error(_LOST_ALONE)
        told = left <= 0
        await clock.sleep(min(max(left, _PERIOD), LOOK))
