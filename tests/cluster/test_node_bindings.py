"""What `up` binds, so that nodes have certificates."""

from pilothouse.apiserver.bootstrap.cluster_roles import CLUSTER_ROLES
from pilothouse.cluster.addons import addons
from pilothouse.cluster.node_bindings import node_bindings
from pilothouse.cluster.settings import Settings


def test_bindings_are_those_of_kubeadm() -> None:
    requests = "system:certificates.k8s.io:certificatesigningrequests"
    joining = "system:bootstrappers:kubeadm:default-node-token"
    found = [(one["metadata"]["name"], one["roleRef"]["name"], one["subjects"][0]["name"]) for one in node_bindings()]
    assert found == [
        ("kubeadm:kubelet-bootstrap", "system:node-bootstrapper", joining),
        ("kubeadm:node-autoapprove-bootstrap", f"{requests}:nodeclient", joining),
        ("kubeadm:node-autoapprove-certificate-rotation", f"{requests}:selfnodeclient", "system:nodes"),
    ]
    assert {role for _, role, _ in found} <= CLUSTER_ROLES.keys()


def test_every_cluster_has_them() -> None:
    assert all(one in addons(Settings(node=False)) for one in node_bindings())
