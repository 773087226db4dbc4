"""What has been decided on a CertificateSigningRequest: types of its conditions, whatever their status says.

Source of the facts: pkg/controller/certificates/certificate_controller_utils.go.
"""

from pilothouse.api.certificates.certificate_signing_request.validation import APPROVED, DENIED, FAILED
from pilothouse.api.machinery.conditions import TRUE
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.certificates_v1 import CertificateSigningRequest


def is_decided(asked: CertificateSigningRequest) -> bool:
    """Whether somebody has approved or denied it."""
    return any(each.type in (APPROVED, DENIED) for each in asked.status.conditions)


def is_to_be_signed(asked: CertificateSigningRequest) -> bool:
    """Whether it is approved, and has neither failed nor been signed."""
    found = {each.type for each in asked.status.conditions}
    failed = any(each.type == FAILED and each.status == TRUE for each in asked.status.conditions)
    return APPROVED in found and DENIED not in found and not failed and not asked.status.certificate


def with_condition(asked: CertificateSigningRequest, kind: str, reason: str, message: str) -> JsonObject:
    """The status with one condition more."""
    status = asked.literal().get("status") or {}
    condition = {"type": kind, "status": TRUE, "reason": reason, "message": message}
    return {**status, "conditions": [*(status.get("conditions") or ()), condition]}
