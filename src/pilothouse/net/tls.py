"""TLS contexts from PEM bytes: at least TLS 1.2, HTTP/1.1 unless HTTP/2 is wanted, client certificates not demanded.

The standard library loads a certificate chain from files alone, so the pair goes through an anonymous file that no
path names. A renewed pair is loaded into the living context: new handshakes use it, old connections stay. Trust can
only grow in a context, so another authority means another context, which new handshakes are handed to.
"""

import os
import ssl

from pilothouse.net.pki import KeyPair

_ALPN = ["http/1.1"]


class ServerTls:
    """What a server shows, and whom it trusts. Without a client authority no client certificate is asked for."""

    def __init__(self, pair: KeyPair, client_authority: bytes = b"", *, http2: bool = False) -> None:
        self.http2 = http2
        """Whether HTTP/2 is offered to those who can speak it."""
        self.context = self._current = self._made(pair, client_authority)
        """What the listener has. Handshakes go on in the current context, where that is another."""
        self._pair = pair

    def renew(self, pair: KeyPair) -> None:
        """Show `pair` from the next handshake on. Raises ssl.SSLError when it is none."""
        self._made(pair, b"")
        for context in (self.context, self._current):
            load_pair(context, pair)
        self._pair = pair

    def trust(self, client_authority: bytes) -> None:
        """Trust clients of this authority, and of no other, from the next handshake on. Raises ssl.SSLError."""
        self._current = self._made(self._pair, client_authority)
        self.context.sni_callback = self._go_on

    def _go_on(self, connection: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        """Called as a handshake begins, whether the client names a server or not."""
        connection.context = self._current

    def _made(self, pair: KeyPair, client_authority: bytes) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["h2", *_ALPN] if self.http2 else _ALPN)
        context.options |= ssl.OP_NO_RENEGOTIATION
        load_pair(context, pair)
        if client_authority:
            context.verify_mode = ssl.CERT_OPTIONAL
            context.load_verify_locations(cadata=client_authority.decode())
        return context


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
