"""`podCertificate`: who the pod is, as a key and a chain of certificates that a signer gives it.

Key and chain of one issue are in one payload, and so change at once. Source of the facts:
pkg/volume/projected/projected.go; KEP-4317.
"""

from typing import ClassVar

from pilothouse.kubelet.payloads import Payload
from pilothouse.kubelet.projection import Projection, Source, private_file
from pilothouse.kubelet.volume import Surroundings, VolumeError


class PodCertificateProjection(Projection):
    """Both in one file, or each in its own."""

    field: ClassVar[str] = "podCertificate"

    async def payload(self, source: Source, around: Surroundings) -> Payload:
        """Up to three files."""
        wanted, pod = source.part.podCertificate, around.pod
        if around.certificates is None:
            raise VolumeError("unimplemented")
        found = await around.certificates.credentials(pod, wanted, source.volume, source.position)
        files = {
            wanted.credentialBundlePath: found.key + found.chain,
            wanted.keyPath: found.key,
            wanted.certificateChainPath: found.chain,
        }
        return {path: private_file(data, source.mode, pod) for path, data in files.items() if path}
