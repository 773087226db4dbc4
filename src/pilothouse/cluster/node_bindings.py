"""What lets nodes have certificates without anybody's doing: the bindings that kubeadm makes, under its names.

Whoever shows a bootstrap token of the group may ask, and is granted a node's client certificate; every node may renew
its own. Source: "TLS bootstrapping" in the Kubernetes documentation; cmd/kubeadm/app/phases/bootstraptoken/node.
"""

from pilothouse.api.machinery.view import JsonObject

_GROUP = "rbac.authorization.k8s.io"
_REQUESTS = "system:certificates.k8s.io:certificatesigningrequests"
JOINING = "system:bootstrappers:kubeadm:default-node-token"
"""The group (auth-extra-groups) of tokens that nodes join with."""
NODES = "system:nodes"
_BOUND = {
    "kubeadm:kubelet-bootstrap": ("system:node-bootstrapper", JOINING),
    "kubeadm:node-autoapprove-bootstrap": (f"{_REQUESTS}:nodeclient", JOINING),
    "kubeadm:node-autoapprove-certificate-rotation": (f"{_REQUESTS}:selfnodeclient", NODES),
}


def node_bindings() -> list[JsonObject]:
    """One ClusterRoleBinding each."""
    return [
        {
            "apiVersion": f"{_GROUP}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": _GROUP, "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": _GROUP, "kind": "Group", "name": group}],
        }
        for name, (role, group) in _BOUND.items()
    ]
