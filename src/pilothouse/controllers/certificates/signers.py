"""The signers of the cluster's own: what each of them signs, and what it says of what it does not.

"Kubernetes signers" in the reference of CertificateSigningRequests. Source of the facts: pkg/controller/certificates/
signer/signer.go, pkg/apis/certificates/helpers.go.
"""

from collections.abc import Callable, Mapping, Sequence

from cryptography import x509

from pilothouse.api.certificates.signer import LEGACY
from pilothouse.controllers.certificates.request import Request

API_CLIENT = "kubernetes.io/kube-apiserver-client"
KUBELET_CLIENT = "kubernetes.io/kube-apiserver-client-kubelet"
KUBELET_SERVING = "kubernetes.io/kubelet-serving"
NODES = "system:nodes"
NODE_PREFIX = "system:node:"

_CLIENT, _SERVER, _SIGNATURE, _ENCIPHERMENT = "client auth", "server auth", "digital signature", "key encipherment"
_NO_NODES = "subject organization is not system:nodes"
_NO_NODE = "subject common name does not begin with system:node:"
_NamesOf = tuple[str, type[x509.GeneralName]]
_DNS: _NamesOf = ("DNS", x509.DNSName)
_EMAIL: _NamesOf = ("Email", x509.RFC822Name)
_IP: _NamesOf = ("IP", x509.IPAddress)
_URI: _NamesOf = ("URI", x509.UniformResourceIdentifier)

Wrong = Callable[[Request, Sequence[str]], str]
"""What is wrong with a request and its usages; empty for nothing."""


def wrong_for_kubelet_client(request: Request, usages: Sequence[str]) -> str:
    """A node's client certificate names the node and nothing else."""
    if request.organizations != (NODES,):
        return _NO_NODES
    if wrong := _wrong_names(request, _DNS, _EMAIL, _IP, _URI):
        return wrong
    if not request.common_name.startswith(NODE_PREFIX):
        return _NO_NODE
    return _wrong_usages(usages, _CLIENT)


def wrong_for_kubelet_serving(request: Request, usages: Sequence[str]) -> str:
    """A kubelet's serving certificate is for hosts or addresses."""
    if request.organizations != (NODES,):
        return _NO_NODES
    if not request.has(x509.DNSName) and not request.has(x509.IPAddress):
        return "DNS or IP subjectAltName is required"
    if wrong := _wrong_names(request, _EMAIL, _URI):
        return wrong
    if wrong := _wrong_usages(usages, _SERVER):
        return wrong
    return "" if request.common_name.startswith(NODE_PREFIX) else _NO_NODE


def wrong_for_api_client(request: Request, usages: Sequence[str]) -> str:  # noqa: ARG001 - a Wrong
    """Any user's client certificate. Who may not be had is said at admission, by CertificateSubjectRestriction."""
    for usage in usages:
        if usage not in (_CLIENT, _SIGNATURE, _ENCIPHERMENT):
            return f"invalid usage for client certificate: {usage}"
    return "" if _CLIENT in usages else f"missing required usage for client certificate: {_CLIENT}"


def wrong_for_legacy(request: Request, usages: Sequence[str]) -> str:  # noqa: ARG001 - a Wrong
    """Anything goes. The API takes no new request of this kind; there may be old ones."""
    return ""


SIGNERS: Mapping[str, Wrong] = {
    API_CLIENT: wrong_for_api_client,
    KUBELET_CLIENT: wrong_for_kubelet_client,
    KUBELET_SERVING: wrong_for_kubelet_serving,
    LEGACY: wrong_for_legacy,
}


def _wrong_names(request: Request, *forbidden: _NamesOf) -> str:
    return next((f"{word} subjectAltNames are not allowed" for word, kind in forbidden if request.has(kind)), "")


def _wrong_usages(usages: Sequence[str], purpose: str) -> str:
    """Exactly these must be there; who has no RSA key needs no encipherment."""
    wanted = {_SIGNATURE, _ENCIPHERMENT, purpose}
    if {*usages} in (wanted, wanted - {_ENCIPHERMENT}):
        return ""
    return f"usages did not match [{' '.join(sorted(wanted))}]"
