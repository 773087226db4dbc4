"""ClusterTrustBundle: root certificates for everybody in the cluster.

A bundle that belongs to a signer has the signer's name before its own. API page: certificates.k8s.io/v1
ClusterTrustBundle; KEP-3257. Sources of the facts: pkg/apis/certificates/validation/validation.go, printers.go.
"""

from pilothouse.api.machinery.columns import NONE, dig, field_text, show_text
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.meta import IMMUTABLE
from pilothouse.api.machinery.names import dns_subdomain, path_segment
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.certificates_v1 import ClusterTrustBundle


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """A signer's bundle is named after it, others are plain."""
    name, signer = dig(obj, "metadata", "name") or "", dig(obj, "spec", "signerName") or ""
    if not signer:
        for wrong in dns_subdomain(name):
            errors.invalid("metadata.name", name, wrong)
        return
    prefix = signer.replace("/", ":") + ":"
    if not name.startswith(prefix):
        why = f"ClusterTrustBundle for signerName {signer} must be named with prefix {prefix}"
        errors.invalid("metadata.name", name, why)
    else:
        for wrong in dns_subdomain(name.removeprefix(prefix)):
            errors.invalid("metadata.name", name, wrong)


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """The signer never changes."""
    signer = dig(obj, "spec", "signerName") or ""
    if signer != (dig(old, "spec", "signerName") or ""):
        errors.invalid("spec.signerName", signer, IMMUTABLE)


RESOURCE = Resource(
    kind=ClusterTrustBundle,
    group="certificates.k8s.io",
    version="v1",
    plural="clustertrustbundles",
    singular="clustertrustbundle",
    namespaced=False,
    generation=False,
    validate=validate,
    validate_update=validate_update,
    validate_name=path_segment,
    columns=(Column("SignerName", show_text("spec", "signerName", absent=NONE)),),
    selectable_fields={"spec.signerName": field_text("spec", "signerName")},
)
