"""Certificates: a node asks for its own, and for those of the pods that run on it.

What does not fit because our view may lag behind is an error, not a refusal, so that the kubelet asks again.
"""

import base64
import binascii

from cryptography import x509
from cryptography.x509.oid import NameOID

from pilothouse.api.machinery.errors import NotFound, StatusError
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.admission.plugins.node_restriction.pods import MIRROR
from pilothouse.apiserver.pipeline.write import Operation, Write
from pilothouse.apiserver.registry.watch_cache import WatchCache

_KUBELET_SIGNERS = ("kubernetes.io/kubelet-serving", "kubernetes.io/kube-apiserver-client-kubelet")


def refuse_signing_request(node: str, write: Write) -> str:
    """Why the node may not ask to have this signed."""
    spec = (write.new or {}).get("spec") or {}
    if write.operation is not Operation.CREATE or spec.get("signerName") not in _KUBELET_SIGNERS:
        return ""
    try:
        request = x509.load_pem_x509_csr(base64.b64decode(spec.get("request") or ""))
        names = [str(found.value) for found in request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    except (ValueError, binascii.Error) as error:
        return f"unable to parse csr: {error}"
    wanted = f"system:node:{node}"
    return "" if names[-1:] == [wanted] else f"can only create a node CSR with CN={wanted}"


def refuse_pod_certificate(node: str, write: Write, cache: WatchCache) -> str:
    """Why the node may not ask for this pod's certificate. Raises NotFound, StatusError where our view may lag."""
    if write.operation is not Operation.CREATE or write.new is None:
        return f"unexpected operation {write.operation}"
    if write.part:
        return f"unexpected subresource {write.part}"
    spec = write.new.get("spec") or {}
    if spec.get("nodeName") != node:
        named = spec.get("nodeName") or ""
        return f'PodCertificateRequest.Spec.NodeName="{named}", which is not the requesting node "{node}"'
    pod_name, account_name = spec.get("podName") or "", spec.get("serviceAccountName") or ""
    shown = f'"{write.namespace}/{pod_name}"'
    about = f"PodCertificateRequest for pod {shown}"
    uid = _found(cache, "nodes", "", node, f'node "{node}"')["metadata"]["uid"]
    if uid != spec.get("nodeUID"):
        raise StatusError(
            f'{about} names node UID "{spec.get("nodeUID")}", inconsistent with the running node ("{uid}")'
        )
    pod = _found(cache, "pods", write.namespace, pod_name, f"pod {shown}")
    uid, running = pod["metadata"]["uid"], pod["spec"].get("serviceAccountName") or ""
    if uid != spec.get("podUID"):
        raise StatusError(f'{about} contains pod UID ("{spec.get("podUID")}") which differs from running pod "{uid}"')
    if pod["spec"].get("nodeName") != node:
        return f'pod {shown} is not running on node "{node}" named in the PodCertificateRequest'
    if MIRROR in (pod["metadata"].get("annotations") or {}):
        return f"pod {shown} is a mirror pod"
    if account_name != running:
        return f'{about} contains serviceAccountName ("{account_name}") that differs from running pod ("{running}")'
    called = f'service account "{write.namespace}/{account_name}"'
    uid = _found(cache, "serviceaccounts", write.namespace, account_name, called)["metadata"]["uid"]
    if uid != spec.get("serviceAccountUID"):
        named = spec.get("serviceAccountUID")
        raise StatusError(
            f'{about} names service account UID "{named}", which differs from the running service account ("{uid}")'
        )
    return ""


def _found(cache: WatchCache, plural: str, namespace: str, name: str, called: str) -> JsonObject:
    entry = cache.of("", plural).get(namespace, name)
    if entry is None:
        raise NotFound(f'while retrieving {called} named in the PodCertificateRequest: {plural} "{name}" not found')
    return entry.decode()
