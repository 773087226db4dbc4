"""`clusterTrustBundle`: whom the pod may trust, one file of root certificates.

Source of the facts: pkg/volume/projected/projected.go; KEP-3257.
"""

from typing import ClassVar

from pilothouse.kubelet.payloads import Payload
from pilothouse.kubelet.projection import Projection, Source, private_file
from pilothouse.kubelet.volume import Surroundings, VolumeError


class ClusterTrustBundleProjection(Projection):
    """One bundle by its name, or those of a signer that the labels select."""

    field: ClassVar[str] = "clusterTrustBundle"

    async def payload(self, source: Source, around: Surroundings) -> Payload:
        """One file; empty where nothing is found and nothing need be."""
        wanted, trust = source.part.clusterTrustBundle, around.trust
        if trust is None:
            raise VolumeError("ClusterTrustBundle projection is not supported in static kubelet mode")
        optional = bool(wanted.optional)
        if wanted.raw.get("name") is not None:
            anchors = await trust.by_name(wanted.name, optional=optional)
        else:
            selector = wanted.raw.get("labelSelector")
            anchors = await trust.by_signer(wanted.signerName, selector, optional=optional)
        return {wanted.path: private_file(anchors, source.mode, around.pod)}
