"""The rules of a CertificateSigningRequest: what it asks for, who decides, and what comes of it.

Three paths write it: the object itself changes metadata alone, `approval` its approval and denial, `status` the
certificate. Source of the facts: pkg/apis/certificates/validation/validation.go.
"""

import base64
import binascii

from pilothouse.api.certificates.pem import wrong_with_certificates, wrong_with_request
from pilothouse.api.certificates.signer import LEGACY, validate_signer_name
from pilothouse.api.core.pod.update import difference
from pilothouse.api.machinery.columns import dig
from pilothouse.api.machinery.field import FieldErrors, at, index
from pilothouse.api.machinery.repeats import repeats
from pilothouse.api.machinery.view import JsonObject

APPROVED, DENIED, FAILED = "Approved", "Denied", "Failed"
_USAGES = (
    "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment",
    "decipher only", "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel",
    "ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime",
    "server auth", "signing", "timestamping",
)  # fmt: skip
_STATUSES = ("False", "True", "Unknown")
_SHORTEST = 600
_CONDITIONS, _CERTIFICATE = "status.conditions", "status.certificate"


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """A signed request, for usages that there are, to a signer that can be."""
    spec = obj.get("spec") or {}
    if wrong := wrong_with_request(_text(spec.get("request"))):
        errors.invalid("spec.request", spec.get("request") or "", wrong)
    usages = spec.get("usages") or ()
    if not usages:
        errors.required("spec.usages")
    for position, usage in enumerate(usages):
        if usage not in _USAGES:
            errors.not_supported(index("spec.usages", position), usage, _USAGES)
    for position in repeats(usages):
        errors.duplicate(index("spec.usages", position), usages[position])
    signer = spec.get("signerName") or ""
    if signer == LEGACY:
        words = "the legacy signerName is not allowed via this API version"
        errors.invalid("spec.signerName", signer, words)
    else:
        validate_signer_name(signer, errors, "spec.signerName")
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < _SHORTEST:
        words = "may not specify a duration less than 600 seconds (10 minutes)"
        errors.invalid("spec.expirationSeconds", seconds, words)


def _text(encoded: str | None) -> str:
    """Bytes as JSON has them, as text."""
    try:
        return base64.b64decode(encoded or "").decode("latin-1")
    except binascii.Error:
        return ""


def validate_approval(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Whoever approves writes conditions, and no certificate."""
    _validate_status(obj, old, errors)
    if dig(obj, "status", "certificate") != dig(old, "status", "certificate"):
        errors.forbidden(_CERTIFICATE, "updates may not set certificate content")


def validate_status(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Whoever signs writes the certificate, once, and approves nothing."""
    _validate_status(obj, old, errors)
    for kind in (APPROVED, DENIED):
        new, before = instances(obj, kind), instances(old, kind)
        if len(new) > len(before):
            errors.forbidden(_CONDITIONS, f'updates may not add a condition of type "{kind}"')
        elif len(new) == len(before) and new != before:
            changed = difference(before, new)
            errors.forbidden(_CONDITIONS, f'updates may not modify a condition of type "{kind}"\n{changed}')
    stored = dig(old, "status", "certificate")
    if stored and dig(obj, "status", "certificate") != stored:
        errors.forbidden(_CERTIFICATE, "updates may not modify existing certificate content")


def instances(obj: JsonObject, kind: str) -> list[JsonObject]:
    """The conditions of one type."""
    return [found for found in dig(obj, "status", "conditions") or () if found.get("type") == kind]


def _validate_status(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """What holds on both paths."""
    _validate_conditions(dig(obj, "status", "conditions") or (), errors)
    certificate = dig(obj, "status", "certificate")
    changed = certificate != dig(old, "status", "certificate")
    if changed and certificate and (wrong := wrong_with_certificates(_text(certificate))):
        errors.invalid(_CERTIFICATE, "<certificate data>", wrong)
    for kind in (APPROVED, DENIED, FAILED):
        if len(instances(obj, kind)) < len(instances(old, kind)):
            errors.forbidden(_CONDITIONS, f'updates may not remove a condition of type "{kind}"')


def _validate_conditions(conditions: list[JsonObject] | tuple[JsonObject, ...], errors: FieldErrors) -> None:
    seen: set[str] = set()
    for position, condition in enumerate(conditions):
        where, kind = index(_CONDITIONS, position), condition.get("type") or ""
        status = condition.get("status")
        if not kind:
            errors.required(at(where, "type"))
        allowed = ("True",) if kind in (APPROVED, DENIED, FAILED) else _STATUSES
        if not status:
            errors.required(at(where, "status"))
        elif status not in allowed:
            errors.not_supported(at(where, "status"), status, allowed)
        if {APPROVED: DENIED, DENIED: APPROVED}.get(kind) in seen:
            errors.invalid(at(where, "type"), kind, "Approved and Denied conditions are mutually exclusive")
        if kind in seen:
            errors.duplicate(at(where, "type"), kind)
        seen.add(kind)
