"""Has the node's serving certificate signed by the cluster's authority, and renewed.

The request waits for somebody to approve it, and another is made each time one has waited in vain. Where the node is
reached it knows from its start on, so the names in the request are the same as long as the kubelet runs.
Upstream: pkg/kubelet/certificate/kubelet.go.
"""

from pilothouse.kubelet import node_status
from pilothouse.kubelet.identity.counts import ServingCounts
from pilothouse.kubelet.identity.rotation import Rotation, Wanted
from pilothouse.kubelet.identity.signing_requests import SERVING_SIGNER
from pilothouse.kubelet.identity.template import serving_template
from pilothouse.kubelet.node_status import NodeIdentity
from pilothouse.kubelet.part import NodeContext, Part


class ServingCertificate(Part):
    """Rotates it."""

    name = "serving certificate"

    async def run(self, node: NodeContext) -> None:
        """For ever."""
        store, clock, config = node.certificates.serving, node.services.clock, node.config
        if store is None or not config.certificates.server_tls_bootstrap:
            return
        addresses = node_status.addresses(
            NodeIdentity(name=config.node_name, address=config.address, kubelet_port=config.port)
        )
        wanted = Wanted(SERVING_SIGNER, serving_template(config.node_name, addresses))
        counts = ServingCounts(node.metrics, store, clock)
        await Rotation(store, wanted, lambda _: node.client, counts, clock, node.chance).run()
