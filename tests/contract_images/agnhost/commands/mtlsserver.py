"""A server that tells clients the SPIFFE identity in their certificate, if the trust bundle vouches for it.

Upstream's lets any client in and answers 401 to one that it does not know. Here such a client fails in the handshake.
"""

import ssl
import sys
from collections.abc import Sequence

from contract_images.agnhost.flags import Flags
from contract_images.agnhost.logs import log
from contract_images.agnhost.web import Reply, Request, Server, error, listen, pair


def run(arguments: Sequence[str]) -> int:
    """Serve on the address that --listen gives."""
    flags = Flags(arguments, {"listen": "", "server-creds": "", "spiffe-trust-bundle": ""})
    address, credentials, trusted = (flags.text(name) for name in ("listen", "server-creds", "spiffe-trust-bundle"))
    if not (address and credentials and trusted):
        print("Error: missing required flags", file=sys.stderr)
        return 1
    host, _, port = address.rpartition(":")
    Server({"/spiffe-echo": echo}, listen(int(port), host.strip("[]")), context(credentials, trusted)).serve()
    return 1


def context(credentials: str, trusted: str) -> ssl.SSLContext:
    """TLS with the key and certificates of one file, and clients that those of another vouch for."""
    made = pair(credentials, credentials)
    made.load_verify_locations(trusted)
    made.verify_mode = ssl.CERT_OPTIONAL
    return made


def echo(request: Request) -> Reply:
    """Who asks."""
    certificate = request.peer.getpeercert() if isinstance(request.peer, ssl.SSLSocket) else None
    if not certificate:
        return error("SPIFFE client certificate authentication required", 401)
    names = [name for kind, name in _names(certificate.get("subjectAltName")) if kind == "URI"]
    if len(names) != 1:
        log(f"SPIFFE client certificate did not have 1 URI SAN, count: {len(names)}")
        return error("Malformed SPIFFE certificate", 401)
    return Reply(f"Client Identity: {names[0]}")


def _names(found: object) -> list[tuple[str, str]]:
    return [(str(kind), str(name)) for kind, name in found] if isinstance(found, tuple) else []
