"""PodCertificateRequest: a kubelet asks a signer for the certificate of a pod."""

from pilothouse.api.machinery.columns import dig, field_text, show
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.certificates_v1 import PodCertificateRequest
from pilothouse.runtime.clock import Instant


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
