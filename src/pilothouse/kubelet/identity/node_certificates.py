"""The certificates that a kubelet begins with, handed to its parts."""

from dataclasses import dataclass

from pilothouse.client.client import Client
from pilothouse.kubelet.identity.store import CertificateStore


@dataclass(frozen=True, slots=True)
class NodeCertificates:
    """Those that may be renewed while the kubelet runs."""

    client: CertificateStore | None = None
    """None where the kubelet's way to the API server needs no certificate: in the same process."""
    bootstrap: Client | None = None
    """Asks for the first client certificate, with a token; None where there has been one."""
    serving: CertificateStore | None = None
    """None where the serving certificate stays what it is."""


NOT_RENEWED = NodeCertificates()
"""A node keeps what it begins with."""
