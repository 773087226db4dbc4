"""ClusterTrustBundle: root certificates for everybody in the cluster.

A bundle that belongs to a signer has the signer's name before its own. API page: certificates.k8s.io/v1
ClusterTrustBundle; KEP-3257. Sources of the facts: pkg/apis/certificates/validation/validation.go, printers.go.
"""

from pilothouse.api.certificates.pem import CERTIFICATE, Block, blocks, certificate, is_authority
from pilothouse.api.certificates.signer import validate_signer_name
from pilothouse.api.machinery.columns import NONE, dig, field_text, show_text
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.meta import IMMUTABLE
from pilothouse.api.machinery.names import dns_subdomain, path_segment
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.certificates_v1 import ClusterTrustBundle

_LARGEST = 1024 * 1024
_PATH, _HIDDEN = "spec.trustBundle", "<value omitted>"


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """A signer's bundle is named after it, others are plain."""
    name, signer = dig(obj, "metadata", "name") or "", dig(obj, "spec", "signerName") or ""
    for wrong in wrong_with_name(name, signer):
        errors.invalid("metadata.name", name, wrong)
    if signer:
        validate_signer_name(signer, errors, "spec.signerName")


def wrong_with_name(name: str, signer: str) -> list[str]:
    """Why a bundle of this signer, or of none, cannot have this name."""
    if not signer:
        if ":" in name:
            return ['ClusterTrustBundle without signer name must not have ":" in its name']
        return dns_subdomain(name)
    prefix = signer.replace("/", ":") + ":"
    if not name.startswith(prefix):
        return [f"ClusterTrustBundle for signerName {signer} must be named with prefix {prefix}"]
    return dns_subdomain(name.removeprefix(prefix))


def validate_create(obj: JsonObject, errors: FieldErrors) -> None:
    """There is something to trust."""
    _validate_bundle(dig(obj, "spec", "trustBundle") or "", errors)


def _validate_bundle(text: str, errors: FieldErrors) -> None:
    if len(text.encode()) > _LARGEST:
        errors.too_long(_PATH, _LARGEST)
        return
    places: dict[bytes, list[int]] = {}
    before = len(errors)
    for position, block in enumerate(blocks(text)):
        if wrong := _wrong_with(block):
            errors.invalid(_PATH, _HIDDEN, f"entry {position} {wrong}")
        else:
            places.setdefault(block.data, []).append(position)
    if len(errors) > before:
        return
    if not places:
        errors.invalid(_PATH, _HIDDEN, "at least one trust anchor must be provided")
    for found in places.values():
        if len(found) > 1:
            shown = " ".join(map(str, found))
            errors.invalid(_PATH, _HIDDEN, f"duplicate trust anchor (indices [{shown}])")


def _wrong_with(block: Block) -> str:
    if block.type != CERTIFICATE:
        return f"has bad block type: {block.type}"
    if block.headers:
        return "has PEM block headers"
    try:
        found = certificate(block.data)
    except ValueError:
        return "does not parse as X.509"
    return "" if is_authority(found) else "does not have the CA bit set"


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """The signer never changes; a bundle is read anew only where it is new."""
    bundle, signer = dig(obj, "spec", "trustBundle") or "", dig(obj, "spec", "signerName") or ""
    if bundle != (dig(old, "spec", "trustBundle") or ""):
        _validate_bundle(bundle, errors)
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
    unconditional_update=False,
    validate=validate,
    validate_create=validate_create,
    validate_update=validate_update,
    validate_name=path_segment,
    columns=(Column("SignerName", show_text("spec", "signerName", absent=NONE)),),
    selectable_fields={"spec.signerName": field_text("spec", "signerName")},
)
