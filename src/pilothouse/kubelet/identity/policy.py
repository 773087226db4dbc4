"""How a node comes by its certificates."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificatePolicy:
    """Upstream: rotateCertificates and serverTLSBootstrap of KubeletConfiguration."""

    rotate_certificates: bool = False
    """Whether the client certificate is renewed while the kubelet runs."""
    server_tls_bootstrap: bool = False
    """Whether the serving certificate is asked for too. Somebody has to approve each request: only people know which
    names a machine may have. Until then the kubelet shows what it has been given."""
