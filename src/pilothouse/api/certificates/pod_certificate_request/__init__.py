"""PodCertificateRequest: a kubelet asks a signer for the certificate of a pod.

`validation` has its rules. Sources of the facts: pkg/apis/certificates/v1/defaults.go,
pkg/printers/internalversion/printers.go. API page: certificates.k8s.io/v1 PodCertificateRequest; KEP-4317.
"""

from pilothouse.api.certificates.pod_certificate_request.validation import (
    validate_create,
    validate_status,
    validate_update,
)
from pilothouse.api.machinery.columns import dig, field_text, show
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.certificates_v1 import PodCertificateRequest
from pilothouse.runtime.clock import Instant

_DAY = 86_400


def default(obj: JsonObject) -> None:
    """A day at most."""
    spec = obj.setdefault("spec", {})
    if spec.get("maxExpirationSeconds") is None:
        spec["maxExpirationSeconds"] = _DAY


def _state(obj: JsonObject, _now: Instant) -> str:
    found = {c.get("type") for c in dig(obj, "status", "conditions") or ()}
    return next((word for word in ("Denied", "Failed", "Issued") if word in found), "Pending")


RESOURCE = Resource(
    kind=PodCertificateRequest,
    group="certificates.k8s.io",
    version="v1",
    plural="podcertificaterequests",
    singular="podcertificaterequest",
    subresources=(STATUS,),
    generation=False,
    prepare_for_create=fresh_status(),
    prepare_for_update=keep_status,
    default=default,
    validate_create=validate_create,
    validate_update=validate_update,
    validate_status=validate_status,
    columns=(
        Column("PodName", show("spec", "podName")),
        Column("ServiceAccountName", show("spec", "serviceAccountName")),
        Column("NodeName", show("spec", "nodeName")),
        Column("SignerName", show("spec", "signerName")),
        Column("State", _state),
    ),
    selectable_fields={
        "spec.nodeName": field_text("spec", "nodeName"),
        "spec.signerName": field_text("spec", "signerName"),
    },
)
