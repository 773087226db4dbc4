"""Signing: what is approved gets its certificate, signed with the cluster's authority; what is not fit for it fails.

There are four signers, and all sign with one key: who holds it can be anybody, so it is given to this controller's
process alone (`cluster/pki.py`). Requests to other signers are for others.
Upstream: pkg/controller/certificates/signer; API page: Certificates and Certificate Signing Requests.
"""

import base64

from pilothouse.api.certificates.certificate_signing_request.validation import FAILED
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.certificates_v1 import CertificateSigningRequest
from pilothouse.client.key import Key
from pilothouse.controllers.certificates.approving import GROUP, PLURAL
from pilothouse.controllers.certificates.conditions import is_to_be_signed, with_condition
from pilothouse.controllers.certificates.issuing import LONGEST, AuthorityEndedError, issue
from pilothouse.controllers.certificates.request import read_request
from pilothouse.controllers.certificates.signers import SIGNERS
from pilothouse.net.pki import Authority, KeyPair
from pilothouse.reconcile.controller import Again, Controller, Tools, Watch, itself, rule
from pilothouse.runtime.clock import Instant, format_time
from pilothouse.runtime.log import Log

RETRY = 600.0
"""Seconds until an authority that has ended is tried again."""

log = Log(__name__)


def plan_status(
    asked: CertificateSigningRequest, authority: Authority, longest: float, now: Instant
) -> JsonObject | None:
    """The status with a certificate, or with what is wrong; None where there is nothing to do for us.

    Raises AuthorityEndedError.
    """
    wrong_with = SIGNERS.get(asked.spec.signerName)
    if wrong_with is None or not is_to_be_signed(asked):
        return None
    request = read_request(asked)
    if request is None:
        log.warning("Certificate signing request cannot be read", csr=asked.metadata.name)
        return None
    usages = asked.spec.usages
    if wrong := wrong_with(request, usages):
        status = with_condition(asked, FAILED, "SignerValidationFailure", wrong)
        status["conditions"][-1]["lastUpdateTime"] = format_time(now)
        return status
    certificate = issue(authority, request, usages, asked.spec.expirationSeconds, now, longest)
    return {**(asked.raw.get("status") or {}), "certificate": base64.b64encode(certificate).decode("ascii")}


class SigningController(Controller):
    """Signs for the four signers."""

    name = "certificatesigningrequest-signing-controller"
    identity = "certificate-controller"
    watches = (Watch(CertificateSigningRequest, itself),)
    rules = (
        rule((GROUP,), (f"{PLURAL}/status",), ("update",)),
        {"apiGroups": [GROUP], "resources": ["signers"], "verbs": ["sign"], "resourceNames": [*SIGNERS]},
    )

    def __init__(self, tools: Tools, pair: KeyPair, longest: float = LONGEST) -> None:
        super().__init__(tools)
        self._authority = Authority.load(pair.certificate, pair.key)
        self._longest = longest

    async def reconcile(self, key: Key) -> Again | None:
        """Sign, or say why not."""
        asked = self.informers.of(CertificateSigningRequest).lister.get(key)
        if asked is None:
            return None
        try:
            status = plan_status(asked, self._authority, self._longest, self.clock.now())
        except AuthorityEndedError as error:
            log.warning("Nothing is signed", csr=key.name, err=str(error))
            return Again(RETRY)
        if status is not None:
            manifest = {**asked.raw, "status": status}
            await self.client.update(CertificateSigningRequest, manifest, subresource="status")
        return None
