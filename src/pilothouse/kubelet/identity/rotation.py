"""Rotation: a certificate is asked for anew, with a new key, when 70 to 90 percent of its life are over.

Nodes that were made together draw different moments. A request that fails is made again after 2, 4, 8 and 16 seconds,
then every 32; one that nobody answers is given up after a quarter of an hour, and another made.
Upstream: client-go/util/certificate/certificate_manager.go.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pilothouse.api.machinery.errors import Forbidden, NotFound, StatusError, Unauthorized
from pilothouse.client.client import Client
from pilothouse.kubelet.identity.counts import Counts
from pilothouse.kubelet.identity.signing_requests import NotSignedError, ask, wait
from pilothouse.kubelet.identity.store import CertificateStore
from pilothouse.kubelet.identity.template import Template
from pilothouse.net.pki import KeyPair
from pilothouse.runtime.backoff import Backoff, Growth
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, Instant, format_time
from pilothouse.runtime.log import Log

PATIENCE = 900.0
"""Seconds that a request may wait to be approved and signed."""
LOOK = 3600.0
"""Seconds after which the time is looked at again: the machine may have slept, or its clock been set."""
_LEAST = 1.0
"""Seconds that lie between two certificates at least."""
_GROWTH = Growth(first=2.0, limit=32.0, jitter=0.1)
_EARLIEST, _LATEST = 0.7, 0.9
log = Log(__name__)


@dataclass(frozen=True, slots=True)
class Life:
    """From when to when a certificate is good."""

    begin: Instant
    end: Instant

    @classmethod
    def of(cls, pem: bytes) -> "Life":
        """That of a certificate in PEM."""
        found = x509.load_pem_x509_certificate(pem)
        return cls(found.not_valid_before_utc.timestamp(), found.not_valid_after_utc.timestamp())

    def rotation(self, chance: Chance) -> Instant:
        """When to have another."""
        return self.begin + (self.end - self.begin) * chance.uniform(_EARLIEST, _LATEST)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What certificate is kept, and who signs it."""

    signer: str
    template: Template


class Rotation:
    """Keeps one certificate of the node good. `client` is asked for the way to the API server each time."""

    def __init__(
        self, store: CertificateStore, wanted: Wanted, client: Callable[[KeyPair | None], Client], counts: Counts,
        clock: Clock, chance: Chance,
    ) -> None:  # fmt: skip
        self._store = store
        self._wanted = wanted
        self._client = client
        self._counts = counts
        self._clock = clock
        self._chance = chance
        self.server_healthy = False
        """Whether the API server answered last, be it by a refusal: then waiting for it is no help."""

    async def run(self) -> None:
        """Rotate, for ever."""
        signer = self._wanted.signer
        log.info("Certificate rotation is enabled", signer=signer)
        again, pauses = False, Backoff(_GROWTH, self._chance)
        while True:
            due = self.due()
            if due - self._clock.now() >= _LEAST:
                pauses.reset()
            elif again:
                # What was signed is no good, or not for long: the next will hardly be better.
                await self._clock.sleep(pauses.next())
            while (left := due - self._clock.now()) > 0:
                await self._clock.sleep(min(left, LOOK))
            backoff = Backoff(_GROWTH, self._chance)
            while not await self.rotate():
                await self._clock.sleep(backoff.next())
            again = True

    def due(self) -> Instant:
        """When the next certificate is asked for: at once, where there is none that says what it should."""
        pair = self._store.current()
        if pair is None:
            return self._clock.now()
        if lack := self._wanted.template.lack(pair.certificate):
            log.info(lack, signer=self._wanted.signer)
            return self._clock.now()
        life = Life.of(pair.certificate)
        due = life.rotation(self._chance)
        log.info(
            "Certificate rotation deadline determined", signer=self._wanted.signer, expiration=format_time(life.end),
            deadline=format_time(due),
        )  # fmt: skip
        return due

    async def rotate(self) -> bool:
        """Ask once, and wait; whether there is another certificate now."""
        log.info("Rotating certificates", signer=self._wanted.signer)
        try:
            pair = await self._next()
            old = self._store.last
            self._store.update(pair)
        except (StatusError, OSError, ValueError, NotSignedError) as error:
            log.error("Unable to rotate the certificate", signer=self._wanted.signer, error=error)
            self._counts.failed()
            return False
        self.server_healthy = True
        if old is not None:
            self._counts.rotated(self._clock.now() - Life.of(old.certificate).begin)
        return True

    async def _next(self) -> KeyPair:
        key = ec.generate_private_key(ec.SECP256R1())
        client = self._client(self._store.current())
        try:
            asked = await ask(client, self._wanted.template, key, self._wanted.signer, self._clock.now())
        except (StatusError, OSError) as error:
            self.server_healthy = isinstance(error, Unauthorized | Forbidden | NotFound)
            raise
        certificate = await wait(client, self._clock, asked, PATIENCE)
        return KeyPair(certificate, pem(key))


def pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key as upstream writes it (SEC 1)."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
