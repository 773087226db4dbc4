"""CertificateSigningRequest: asks a signer for an X.509 certificate.

`validation` has its rules, `strategy` what each path leaves alone. Source of the facts:
pkg/printers/internalversion/printers.go. API page: certificates.k8s.io/v1 CertificateSigningRequest.
"""

from pilothouse.api.certificates.certificate_signing_request.strategy import (
    prepare_for_approval,
    prepare_for_status,
    prepare_for_update,
    stamp,
)
from pilothouse.api.certificates.certificate_signing_request.validation import (
    validate,
    validate_approval,
    validate_status,
)
from pilothouse.api.machinery.columns import AGE, NONE, dig, field_text, human_duration, show, show_text
from pilothouse.api.machinery.names import path_segment
from pilothouse.api.machinery.resource import Column, Resource, Subresource
from pilothouse.api.machinery.strategy import fresh_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.certificates_v1 import CertificateSigningRequest
from pilothouse.runtime.clock import Instant


def _requested(obj: JsonObject, _now: Instant) -> str:
    seconds = dig(obj, "spec", "expirationSeconds")
    return NONE if seconds is None else human_duration(seconds)


def _condition(obj: JsonObject, _now: Instant) -> str:
    found = {c.get("type") for c in dig(obj, "status", "conditions") or ()}
    words = ["Denied" if "Denied" in found else "Approved" if "Approved" in found else "Pending"]
    if "Failed" in found:
        words.append("Failed")
    if dig(obj, "status", "certificate"):
        words.append("Issued")
    return ",".join(words)


RESOURCE = Resource(
    kind=CertificateSigningRequest,
    group="certificates.k8s.io",
    version="v1",
    plural="certificatesigningrequests",
    singular="certificatesigningrequest",
    namespaced=False,
    short_names=("csr",),
    subresources=(
        Subresource("approval", prepare=prepare_for_approval, validate=validate_approval),
        Subresource("status", prepare=prepare_for_status),
    ),
    generation=False,
    prepare_for_create=fresh_status(),
    prepare_for_update=prepare_for_update,
    stamp=stamp,
    validate=validate,
    validate_status=validate_status,
    validate_name=path_segment,
    columns=(
        AGE,
        Column("SignerName", show_text("spec", "signerName", absent=NONE)),
        Column("Requestor", show("spec", "username")),
        Column("RequestedDuration", _requested),
        Column("Condition", _condition),
    ),
    selectable_fields={"spec.signerName": field_text("spec", "signerName")},
)
