"""Cleaner: deletes requests for certificates that have served their purpose, or that nobody cares about.

Nodes renew their certificates for ever, and each time leave a request. Those with a certificate, those denied and
those that failed stay an hour, those that nobody has judged a day; it looks around every hour. What is approved and
waits for its certificate stays. Upstream: pkg/controller/certificates/cleaner.
"""

import base64
import binascii

from pilothouse.api.certificates.certificate_signing_request.validation import APPROVED, DENIED, FAILED
from pilothouse.api.certificates.pem import blocks, certificate
from pilothouse.api.machinery.errors import Conflict, NotFound, StatusError
from pilothouse.api.types.certificates_v1 import CertificateSigningRequest
from pilothouse.client.key import Key
from pilothouse.reconcile.controller import Again, Controller, Watch, nothing, rule
from pilothouse.runtime.clock import Instant
from pilothouse.runtime.log import Log

PERIOD = 3600.0
JUDGED = 3600.0
"""How long what is signed, denied or failed stays."""
PENDING = 24 * 3600.0
"""How long what nobody has judged stays."""
_ROUND = Key("", "")

log = Log(__name__)


def why_not_kept(asked: CertificateSigningRequest, now: Instant) -> str:
    """Why it should go; empty for what should stay."""
    conditions, issued = asked.status.conditions, bool(asked.status.certificate)
    if not conditions:
        return "nobody has judged it" if _is_older(asked.metadata.creationTimestamp, PENDING, now) else ""
    for each in conditions:
        if each.type in (DENIED, FAILED) or (each.type == APPROVED and issued):
            if _is_older(each.lastUpdateTime, JUDGED, now):
                return f"{each.type} long ago"
            if each.type == APPROVED and _has_ended(asked.status.certificate, now):
                return "its certificate has ended"
    return ""


def _is_older(moment: Instant | None, seconds: float, now: Instant) -> bool:
    return moment is not None and now - moment > seconds


def _has_ended(encoded: str, now: Instant) -> bool:
    """Whether the first of the certificates has; what cannot be read has not."""
    try:
        block = next(blocks(base64.b64decode(encoded).decode("latin-1")), None)
        return block is not None and now > certificate(block.data).not_valid_after_utc.timestamp()
    except (ValueError, binascii.Error):
        return False


class CleanerController(Controller):
    """Looks around, and deletes."""

    name = "certificatesigningrequest-cleaner-controller"
    identity = "certificate-controller"
    watches = (Watch(CertificateSigningRequest, nothing),)
    rules = (rule(("certificates.k8s.io",), ("certificatesigningrequests",), ("delete",)),)
    workers = 1

    async def start(self) -> None:
        """Begin the rounds."""
        self.queue.add(_ROUND)

    async def reconcile(self, key: Key) -> Again | None:  # noqa: ARG002 - there is but one
        """One round. What cannot be deleted waits for the next."""
        now = self.clock.now()
        for asked in self.informers.of(CertificateSigningRequest).lister.list():
            why = why_not_kept(asked, now)
            if not why:
                continue
            meta = asked.metadata
            log.info("Certificate signing request is cleaned up", csr=meta.name, reason=why)
            try:
                await self.client.delete(CertificateSigningRequest, meta.name, uid=meta.uid)
            except (NotFound, Conflict):
                continue
            except (StatusError, OSError, TimeoutError) as error:
                log.warning("Certificate signing request was not cleaned up", csr=meta.name, err=str(error))
        return Again(PERIOD)
