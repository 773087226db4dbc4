"""Manifests: what the cluster's bootstrap applies so that its DNS is known, allowed, and reached under one address.

The address lives on every node, bound by that node's own DNS (docs/decisions), so the Service needs no selector: its
one endpoint is the cluster IP itself, and kube-proxy leaves such a service alone. Names are upstream's, so that tools
which look for `kube-system/kube-dns` find it.
"""

from pilothouse.api.machinery.view import JsonObject

USER = "system:coredns"
"""The identity that the DNS of every node acts as."""
_LABELS = {"k8s-app": "kube-dns", "kubernetes.io/name": "CoreDNS"}
_RBAC = "rbac.authorization.k8s.io"


def service(address: str) -> JsonObject:
    """The Service kube-system/kube-dns."""
    ports = [{"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
             {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53}]  # fmt: skip
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "kube-dns",
            "namespace": "kube-system",
            "labels": {**_LABELS, "kubernetes.io/cluster-service": "true"},
        },
        "spec": {"type": "ClusterIP", "clusterIP": address, "clusterIPs": [address], "ports": ports},
    }


def endpoint_slice(address: str) -> JsonObject:
    """The endpoints of the Service: its own address, which every node has."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "kube-dns",
            "namespace": "kube-system",
            "labels": {
                "kubernetes.io/service-name": "kube-dns",
                "endpointslice.kubernetes.io/managed-by": "pilothouse",
            },
        },
        "addressType": "IPv6" if ":" in address else "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True, "serving": True, "terminating": False}}],
        "ports": [{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53, "protocol": "TCP"}],
    }


def cluster_role() -> JsonObject:
    """What the DNS may read: the names it answers for, nothing else."""
    verbs = ["list", "watch"]
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": USER, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}},
        "rules": [
            {"apiGroups": [""], "resources": ["services", "namespaces"], "verbs": verbs},
            {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": verbs},
        ],
    }


def cluster_role_binding() -> JsonObject:
    """The role given to the user that the DNS of every node acts as."""
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": USER, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": USER},
        "subjects": [{"apiGroup": _RBAC, "kind": "User", "name": USER}],
    }


def manifests(address: str) -> list[JsonObject]:
    """All of it, in the order to apply it."""
    return [cluster_role(), cluster_role_binding(), service(address), endpoint_slice(address)]
