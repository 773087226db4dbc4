"""Where the node keeps a certificate with its key: a file for each, and a link to the current one.

Names are upstream's, because kubeconfig files and tools point there: `kubelet-client-current.pem` leads to
`kubelet-client-2026-01-01-00-00-00.pem`. The link changes by a rename; what it led to before stays.
Upstream: client-go/util/certificate/certificate_store.go.
"""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from pilothouse.net.pki import KeyPair, expiry
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log

CLIENT, SERVER = "kubelet-client", "kubelet-server"
"""The two that a node has."""
_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----\n?", re.DOTALL)
log = Log(__name__)


class CertificateStore:
    """The pairs of one name in one directory. `start` is what the node was given, good until there is a newer one."""

    def __init__(self, directory: Path, name: str, clock: Clock, start: KeyPair | None = None) -> None:
        self._directory = directory
        self._name = name
        self._clock = clock
        self._listeners: list[Callable[[KeyPair], None]] = []
        kept = [pair for pair in (self._kept(), start) if pair is not None]
        self._pair = max(kept, key=lambda pair: expiry(pair.certificate), default=None)

    @property
    def path(self) -> Path:
        """Where the current pair is, or will be."""
        return self._directory / f"{self._name}-current.pem"

    @property
    def last(self) -> KeyPair | None:
        """The newest pair, whether it is good or has ended."""
        return self._pair

    def current(self) -> KeyPair | None:
        """The pair to show; None when there is none that has not ended."""
        pair = self._pair
        return pair if pair is not None and self._clock.now() <= expiry(pair.certificate) else None

    def on_change(self, callback: Callable[[KeyPair], None]) -> None:
        """Call back with each new pair."""
        self._listeners.append(callback)

    def update(self, pair: KeyPair) -> None:
        """Keep a new pair and make it the current one. Raises ValueError for what is no pair, and OSError."""
        _check(pair)
        stamp = datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y-%m-%d-%H-%M-%S")
        file = self._directory.absolute() / f"{self._name}-{stamp}.pem"
        self._directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        if self.path.exists() and not self.path.is_symlink():
            raise FileExistsError(f'expected "{self.path}" to be a symlink but it is a file')
        write_secret(file, pair.certificate.strip() + b"\n" + pair.key)
        updated = self._directory / f"{self._name}-updated.pem"
        with suppress(FileNotFoundError):
            updated.unlink()
        updated.symlink_to(file)
        updated.replace(self.path)
        self._pair = pair
        for callback in self._listeners:
            callback(pair)

    def _kept(self) -> KeyPair | None:
        """What was current when the node ran last."""
        try:
            pair = split(self.path.read_bytes())
            _check(pair)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.error("Could not load the certificate", path=self.path, error=error)
            return None
        return pair


def split(pem: bytes) -> KeyPair:
    """The certificates and the key of one file. Raises ValueError when there is no key."""
    found = _KEY.search(pem)
    if found is None:
        raise ValueError("there is no private key in it")
    return KeyPair(_KEY.sub(b"", pem), found.group())


def write_secret(path: Path, content: bytes) -> None:
    """A file that nobody but its owner reads."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "wb") as stream:
        stream.write(content)


def _check(pair: KeyPair) -> None:
    certificate = x509.load_pem_x509_certificate(pair.certificate)
    if load_pem_private_key(pair.key, None).public_key() != certificate.public_key():
        raise ValueError("the private key does not belong to the certificate")
