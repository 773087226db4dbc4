"""The rules of a PodCertificateRequest: for which pod, with which key, and what the signer made of it.

Source of the facts: ValidatePodCertificateRequest... in pkg/apis/certificates/validation/validation.go. *assumed*: the
words about the stub request, which took the place of key and proof in v1. Not held here: that an issued certificate
begins within five minutes of now.
"""

import base64
import binascii
from email.utils import parseaddr

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pilothouse.api.certificates.pem import CERTIFICATE, blocks, certificate, wrong_with_signature
from pilothouse.api.certificates.signer import is_kubernetes_signer, validate_signer_name
from pilothouse.api.machinery.columns import dig
from pilothouse.api.machinery.condition_rules import validate_conditions
from pilothouse.api.machinery.field import OMITTED, FieldErrors, at
from pilothouse.api.machinery.meta import validate_immutable
from pilothouse.api.machinery.names import dns_subdomain, prefixed_label_key, validate_annotations
from pilothouse.api.machinery.text_rules import validate_text
from pilothouse.api.machinery.view import JsonObject
from pilothouse.runtime.clock import parse_time

ENDS = ("Issued", "Denied", "Failed")
_LONGEST_UID = 128
_HOUR, _DAY = 3600, 86_400
_LONGEST_LIFE = 91 * _DAY
_LARGEST_REQUEST = 10 * 1024
_LARGEST_CHAIN = 100 * 1024
_MARGIN = 600
_RSA_SIZES = (3072, 4096)
_CURVES = ("secp256r1", "secp384r1", "secp521r1")
_SHOWN = {"secp224r1": "P-224"}
"""Curves that are not taken by the names that messages have for them."""
_REQUEST, _CHAIN = "spec.stubPKCS10Request", "status.certificateChain"


def validate_create(obj: JsonObject, errors: FieldErrors) -> None:
    """Who asks for which pod, and with which key."""
    spec = obj.get("spec") or {}
    signer = spec.get("signerName") or ""
    validate_signer_name(signer, errors, "spec.signerName")
    if (annotations := spec.get("unverifiedUserAnnotations")) is not None:
        validate_annotations(annotations, errors, "spec.unverifiedUserAnnotations")
        for key in annotations:
            if "/" not in key:
                validate_text(key, prefixed_label_key, errors, "spec.unverifiedUserAnnotations")
    for kind in ("pod", "serviceAccount", "node"):
        validate_text(spec.get(f"{kind}Name") or "", dns_subdomain, errors, f"spec.{kind}Name")
        _validate_uid(spec.get(f"{kind}UID") or "", errors, f"spec.{kind}UID")
    seconds, path = spec.get("maxExpirationSeconds"), "spec.maxExpirationSeconds"
    if seconds is None:
        errors.required(path, "must be set")
        return
    longest = _DAY if is_kubernetes_signer(signer) else _LONGEST_LIFE
    if not _HOUR <= seconds <= longest:
        errors.invalid(path, seconds, f"must be in the range [{_HOUR}, {longest}]")
    _validate_request(spec.get("stubPKCS10Request") or "", errors)


def _validate_uid(uid: str, errors: FieldErrors, path: str) -> None:
    if not uid:
        errors.invalid(path, uid, "must not be empty")
    if len(uid.encode()) > _LONGEST_UID:
        errors.too_long(path, _LONGEST_UID)


def _validate_request(encoded: str, errors: FieldErrors) -> None:
    request = _request(encoded)
    if len(encoded) * 3 // 4 > _LARGEST_REQUEST:
        errors.too_long(_REQUEST, _LARGEST_REQUEST)
    elif request is None:
        errors.invalid(_REQUEST, OMITTED, "must be a valid PKCS#10 certificate signing request")
    elif wrong := _wrong_with_key(request):
        errors.invalid(_REQUEST, *wrong)
    elif wrong_with_signature(request):
        errors.invalid(_REQUEST, OMITTED, "could not verify the signature of the certificate signing request")


def _request(encoded: str) -> x509.CertificateSigningRequest | None:
    try:
        return x509.load_der_x509_csr(base64.b64decode(encoded))
    except (ValueError, binascii.Error):
        return None


def _wrong_with_key(request: x509.CertificateSigningRequest) -> tuple[str, str] | None:
    """The value that is shown of a key of a kind that is not taken, and the words."""
    try:
        key = request.public_key()
    except ValueError:
        key = None
    match key:
        case ed25519.Ed25519PublicKey():
            return None
        case ec.EllipticCurvePublicKey() if key.curve.name not in _CURVES:
            return (
                f"curve {_SHOWN.get(key.curve.name, key.curve.name)}",
                "elliptic public keys must use curve P256 or P384",
            )
        case rsa.RSAPublicKey() if key.key_size not in _RSA_SIZES:
            return f"{key.key_size}-bit modulus", "RSA keys must have modulus size 3072 or 4096"
        case ec.EllipticCurvePublicKey() | rsa.RSAPublicKey():
            return None
    return "", "unknown public key type; supported types are Ed25519, ECDSA, and RSA"


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """A request is answered, not changed."""
    validate_immutable(obj.get("spec"), old.get("spec"), errors, "spec")


def validate_status(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """It ends once: issued with a chain, or denied or failed without."""
    status, before = obj.get("status") or {}, old.get("status") or {}
    count = len(errors)
    _validate_ends(status.get("conditions") or (), errors)
    validate_conditions(status.get("conditions") or (), errors, "status.conditions")
    if len(errors) > count:
        return
    end = _end(status)
    if _end(before):
        if status != before:
            errors.invalid("status", OMITTED, "immutable after PodCertificateRequest is issued, denied, or failed")
    elif end == "Issued":
        _validate_issued(status, old, errors)
    elif end:
        if {name for name, value in status.items() if value} - {"conditions"}:
            words = "non-condition status fields must be empty when denying or failing the PodCertificateRequest"
            errors.invalid("status", OMITTED, words)
    elif status != before:
        words = 'status is immutable unless transitioning to "Issued", "Denied", or "Failed"'
        errors.invalid("status", OMITTED, words)


def _validate_ends(conditions: list[JsonObject] | tuple[JsonObject, ...], errors: FieldErrors) -> None:
    known = 0
    for position, condition in enumerate(conditions):
        where, kind = f"status.conditions.[{position}]", condition.get("type") or ""  # the path as upstream has it
        if kind not in ENDS:
            errors.not_supported(at(where, "type"), kind, ENDS)
            continue
        known += 1
        if known > 1:
            words = 'There may be at most one condition with type "Issued", "Denied", or "Failed"'
            errors.invalid(at(where, "type"), kind, words)
        if condition.get("status") != "True":
            errors.not_supported(at(where, "status"), condition.get("status") or "", ("True",))


def _end(status: JsonObject) -> str:
    found = {c.get("type") for c in status.get("conditions") or () if c.get("status") == "True"}
    return next((kind for kind in ENDS if kind in found), "")


def _validate_issued(status: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    chain = status.get("certificateChain") or ""
    if len(chain.encode()) > _LARGEST_CHAIN:
        errors.too_long(_CHAIN, _LARGEST_CHAIN)
        return
    found = list(blocks(chain))
    if not found:
        errors.invalid(_CHAIN, chain, "issued certificate chain must contain at least one certificate")
        return
    if any(block.type != CERTIFICATE for block in found):
        words = "issued certificate chain must consist entirely of CERTIFICATE PEM blocks"
        errors.invalid(_CHAIN, chain, words)
        return
    certificates = []
    for position, block in enumerate(found):
        try:
            certificates.append(certificate(block.data))
        except ValueError:
            which = "intermediate" if position else "leaf"
            errors.invalid(_CHAIN, chain, f"{which} certificate does not parse as valid X.509")
            return
    leaf = certificates[0]
    _validate_names(leaf, errors)
    if _key(leaf) != _key(_request(dig(old, "spec", "stubPKCS10Request") or "")):
        errors.invalid(_CHAIN, chain, "leaf certificate was not issued to the requested public key")
        return
    _validate_times(status, leaf, dig(old, "spec", "maxExpirationSeconds") or 0, errors)


def _key(holder: x509.Certificate | x509.CertificateSigningRequest | None) -> bytes | None:
    if holder is None:
        return None
    return holder.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _validate_names(leaf: x509.Certificate, errors: FieldErrors) -> None:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return
    for name in names.get_values_for_type(x509.DNSName):
        if not name:
            errors.invalid(_CHAIN, name, "leaf certificate should not contain empty DNSName")
        if ".." in name:
            errors.invalid(_CHAIN, name, "leaf certificate's DNSName should not contain '..'")
        if name.startswith(".") or name.endswith("."):
            errors.invalid(_CHAIN, name, "leaf certificate's DNSName should not start or end with '.'")
    for address in names.get_values_for_type(x509.RFC822Name):
        if "@" not in parseaddr(address)[1]:
            errors.invalid(_CHAIN, address, "leaf certificate should not contain invalid EmailAddress")


def _validate_times(status: JsonObject, leaf: x509.Certificate, longest: int, errors: FieldErrors) -> None:
    count = len(errors)
    consistent = "must be present and consistent with the issued certificate"
    range_ = "must be present and in the range [notbefore+10min, notafter-10min]"
    for name, words in (("notBefore", consistent), ("notAfter", consistent), ("beginRefreshAt", range_)):
        if not status.get(name):
            errors.required(at("status", name), words)
    if len(errors) > count:
        return
    begin, end = leaf.not_valid_before_utc.timestamp(), leaf.not_valid_after_utc.timestamp()
    for name, moment in (("notBefore", begin), ("notAfter", end)):
        if parse_time(status[name]) != moment:
            words = f"must be set to the {name[0].upper()}{name[1:]} time encoded in the leaf certificate"
            errors.invalid(at("status", name), status[name], words)
            return
    life, refresh = end - begin, parse_time(status["beginRefreshAt"])
    if life < _HOUR:
        errors.invalid(_CHAIN, int(life * 10**9), "leaf certificate lifetime must be >= 1 hour")
    elif life > longest:
        words = f"leaf certificate lifetime must be <= spec.maxExpirationSeconds ({longest})"
        errors.invalid(_CHAIN, int(life * 10**9), words)
    elif refresh < begin + _MARGIN:
        words = "must be at least 10 minutes after status.notBefore"
        errors.invalid("status.beginRefreshAt", status["beginRefreshAt"], words)
    elif refresh > end - _MARGIN:
        words = "must be at least 10 minutes before status.notAfter"
        errors.invalid("status.beginRefreshAt", status["beginRefreshAt"], words)
