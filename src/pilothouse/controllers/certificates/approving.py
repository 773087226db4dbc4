"""Approving: a node gets its client certificate without anybody's doing, if whoever asks may have one.

Whether they may is a question of access: to create `certificatesigningrequests/selfnodeclient`, for a node that renews
its own certificate, or `certificatesigningrequests/nodeclient`, for whoever brings a node into the cluster. A refusal
is not the end: access may be granted later, so it is asked again, ever more seldom. Serving certificates are for
somebody to approve who knows which names a node has. Upstream: pkg/controller/certificates/approver; API page:
TLS bootstrapping.
"""

from dataclasses import dataclass

from pilothouse.api.certificates.certificate_signing_request.validation import APPROVED
from pilothouse.api.machinery.errors import Forbidden
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.authorization_v1 import SubjectAccessReview
from pilothouse.api.types.certificates_v1 import CertificateSigningRequest
from pilothouse.client.key import Key
from pilothouse.controllers.certificates.conditions import is_decided, with_condition
from pilothouse.controllers.certificates.request import read_request
from pilothouse.controllers.certificates.signers import KUBELET_CLIENT, wrong_for_kubelet_client
from pilothouse.reconcile.controller import Again, Controller, Watch, itself, rule
from pilothouse.runtime.log import Log

GROUP = "certificates.k8s.io"
PLURAL = "certificatesigningrequests"

log = Log(__name__)


@dataclass(frozen=True, slots=True)
class Ground:
    """On which a request may be approved."""

    subresource: str
    """What the asker must be allowed to create."""
    message: str


_SELF = Ground("selfnodeclient", "Auto approving self kubelet client certificate after SubjectAccessReview.")
_NODE = Ground("nodeclient", "Auto approving kubelet client certificate after SubjectAccessReview.")


def grounds(asked: CertificateSigningRequest) -> tuple[Ground, ...]:
    """Those on which it could be approved, in the order to try them."""
    if asked.spec.signerName != KUBELET_CLIENT or asked.status.certificate or is_decided(asked):
        return ()
    request = read_request(asked)
    if request is None:
        log.warning("Certificate signing request cannot be read", csr=asked.metadata.name)
        return ()
    if wrong_for_kubelet_client(request, asked.spec.usages):
        return ()
    return (_SELF, _NODE) if asked.spec.username == request.common_name else (_NODE,)


def question(asked: CertificateSigningRequest, ground: Ground) -> JsonObject:
    """May whoever asked have it on this ground?"""
    spec = asked.literal()["spec"]
    attributes = {"group": GROUP, "resource": PLURAL, "subresource": ground.subresource, "verb": "create"}
    user = {name: spec[name] for name in ("uid", "groups", "extra") if spec.get(name)}
    return {"spec": {"user": asked.spec.username, **user, "resourceAttributes": attributes}}


class ApprovingController(Controller):
    """Asks, and approves."""

    name = "certificatesigningrequest-approving-controller"
    identity = "certificate-controller"
    watches = (Watch(CertificateSigningRequest, itself),)
    rules = (
        rule((GROUP,), (f"{PLURAL}/approval",), ("update",)),
        {"apiGroups": [GROUP], "resources": ["signers"], "verbs": ["approve"], "resourceNames": [KUBELET_CLIENT]},
        rule(("authorization.k8s.io",), ("subjectaccessreviews",), ("create",)),
    )

    async def reconcile(self, key: Key) -> Again | None:
        """Approve on the first ground that holds."""
        asked = self.informers.of(CertificateSigningRequest).lister.get(key)
        found = () if asked is None else grounds(asked)
        if asked is None or not found:
            return None
        for ground in found:
            review = await self.client.create(SubjectAccessReview, question(asked, ground))
            if review.status.allowed:
                status = with_condition(asked, APPROVED, "AutoApproved", ground.message)
                manifest = {**asked.raw, "status": status}
                await self.client.update(CertificateSigningRequest, manifest, subresource="approval")
                return None
        tried = " ".join(ground.subresource for ground in found)
        raise Forbidden(f'recognized csr "{key.name}" as [{tried}] but subject access review was not approved')
