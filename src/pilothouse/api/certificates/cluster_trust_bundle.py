"""ClusterTrustBundle: root certificates for everybody in the cluster."""

from pilothouse.api.machinery.columns import NONE, field_text, show_text
from pilothouse.api.machinery.names import path_segment
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.types.certificates_v1 import ClusterTrustBundle

RESOURCE = Resource(
    kind=ClusterTrustBundle,
    group="certificates.k8s.io",
    version="v1",
    plural="clustertrustbundles",
    singular="clustertrustbundle",
    namespaced=False,
    generation=False,
    validate_name=path_segment,
    columns=(Column("SignerName", show_text("spec", "signerName", absent=NONE)),),
    selectable_fields={"spec.signerName": field_text("spec", "signerName")},
)
