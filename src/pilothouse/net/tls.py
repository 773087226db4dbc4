"""TLS contexts from PEM bytes: at least TLS 1.2, HTTP/1.1 only, a client certificate asked for but not demanded.

The standard library loads a certificate chain from files alone, so the pair goes through an anonymous file that no
path names. A renewed pair is loaded into the living context: new handshakes use it, old connections stay.
"""

import os
import ssl

from pilothouse.net.pki import KeyPair

_ALPN = ["http/1.1"]


class ServerTls:
    """What a server shows, and whom it trusts. Without a client authority no client certificate is asked for."""

    def __init__(self, pair: KeyPair, client_authority: bytes = b"") -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(_ALPN)
        self.context.options |= ssl.OP_NO_RENEGOTIATION
        load_pair(self.context, pair)
        if client_authority:
            self.context.verify_mode = ssl.CERT_OPTIONAL
            self.context.load_verify_locations(cadata=client_authority.decode())

    def renew(self, pair: KeyPair) -> None:
        """Show `pair` from the next handshake on."""
        load_pair(self.context, pair)


def client_context(authority: bytes, pair: KeyPair | None = None, *, verify: bool = True) -> ssl.SSLContext:
    """A client's context that trusts `authority` alone. `verify=False` is for a kubelet's self-signed certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(_ALPN)
    if verify:
        context.load_verify_locations(cadata=authority.decode())
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if pair is not None:
        load_pair(context, pair)
    return context


def load_pair(context: ssl.SSLContext, pair: KeyPair) -> None:
    """Load a certificate and its key from memory. Raises ssl.SSLError when they do not belong together."""
    descriptor = os.memfd_create("pair", os.MFD_CLOEXEC)
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(pair.certificate + b"\n" + pair.key)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
