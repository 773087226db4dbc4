"""Certificates that are renewed while the server runs: their files are looked at every minute, and read when changed.

New handshakes use what is new; connections stay. Files that make no sense, as half a pair does while it is being
replaced, are tried again the next minute. Source: apiserver/pkg/server/dynamiccertificates.
"""

import ssl
from collections.abc import Callable
from pathlib import Path

from pilothouse.apiserver.config import CertificateFiles
from pilothouse.net.pki import KeyPair
from pilothouse.net.tls import ServerTls
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log

log = Log(__name__)

PERIOD_SECONDS = 60.0


async def renew(files: CertificateFiles, tls: ServerTls, clock: Clock) -> None:
    """Look for ever."""
    pair, authority = (files.certificate, files.key), (files.client_authority,)
    seen_pair, seen_authority = _marks(*pair), _marks(*authority)
    while True:
        await clock.sleep(PERIOD_SECONDS)
        found = _marks(*pair)
        if found != seen_pair and _try("serving certificate", lambda: tls.renew(_pair(files))):
            seen_pair = found
        found = _marks(*authority)
        if found != seen_authority and _try("client authority", lambda: tls.trust(files.client_authority.read_bytes())):
            seen_authority = found


def _pair(files: CertificateFiles) -> KeyPair:
    return KeyPair(files.certificate.read_bytes(), files.key.read_bytes())


def _marks(*paths: Path) -> tuple[object, ...]:
    """What changes with the files."""
    return tuple(_mark(path) for path in paths)


def _mark(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _try(what: str, read: Callable[[], None]) -> bool:
    try:
        read()
    except (OSError, ssl.SSLError, ValueError) as error:
        log.error("Certificates cannot be read again; the old ones stay", error=error, what=what)
        return False
    log.info("Certificates are read again", what=what)
    return True
