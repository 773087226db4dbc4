"""Who has the default roles from the start, and the roles within system namespaces. A table: facts, not code.

Source: bootstrappolicy/{policy,namespace_policy}.go; the kubelet client's binding is kubeadm's.
"""

from collections.abc import Mapping

from pilothouse.apiserver.bootstrap.notation import EVENTS

Subjects = tuple[str, ...]
"""`user NAME`, `group NAME` or `account NAMESPACE/NAME`."""

_EVERYBODY = ("group system:authenticated", "group system:unauthenticated")

CLUSTER_ROLE_BINDINGS: Mapping[str, Subjects] = {
    "cluster-admin": ("group system:masters",),
    "system:monitoring": ("group system:monitoring",),
    "system:discovery": ("group system:authenticated",),
    "system:basic-user": ("group system:authenticated",),
    "system:public-info-viewer": _EVERYBODY,
    "system:node-proxier": ("user system:kube-proxy",),
    "system:kube-controller-manager": ("user system:kube-controller-manager",),
    "system:kube-dns": ("account kube-system/kube-dns",),
    "system:kube-scheduler": ("user system:kube-scheduler",),
    "system:volume-scheduler": ("user system:kube-scheduler",),
    "system:node": (),
    "system:service-account-issuer-discovery": ("group system:serviceaccounts",),
}
"""By name, which is also the role's. `system:node` has nobody: the Node authorizer decides for nodes."""

KUBELET_CLIENT = (
    "kubeadm:kube-apiserver-kubelet-client",
    "system:kubelet-api-admin",
    "user kube-apiserver-kubelet-client",
)
"""Binding, role and subject that let the API server use the kubelets' API. The binding's name is ours (*assumed*)."""

ROLES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("kube-system", "extension-apiserver-authentication-reader"): (
        "read : configmaps @ core = extension-apiserver-authentication",
    ),
    ("kube-system", "system:controller:bootstrap-signer"): ("read : secrets @ core",),
    ("kube-system", "system:controller:cloud-provider"): ("create,get,list,watch : configmaps @ core",),
    ("kube-system", "system:controller:token-cleaner"): ("read,delete : secrets @ core", EVENTS),
    ("kube-system", "system::leader-locking-kube-controller-manager"): (
        "watch : configmaps @ core",
        "get,update : configmaps @ core = kube-controller-manager",
    ),
    ("kube-system", "system::leader-locking-kube-scheduler"): (
        "watch : configmaps @ core",
        "get,update : configmaps @ core = kube-scheduler",
    ),
    ("kube-public", "system:controller:bootstrap-signer"): (
        "read : configmaps @ core",
        "update : configmaps @ core = cluster-info",
        EVENTS,
    ),
}

ROLE_BINDINGS: Mapping[tuple[str, str], tuple[str, Subjects]] = {
    ("kube-system", "system::extension-apiserver-authentication-reader"): (
        "extension-apiserver-authentication-reader",
        ("user system:kube-controller-manager", "user system:kube-scheduler"),
    ),
    ("kube-system", "system::leader-locking-kube-controller-manager"): (
        "system::leader-locking-kube-controller-manager",
        ("user system:kube-controller-manager", "account kube-system/kube-controller-manager"),
    ),
    ("kube-system", "system::leader-locking-kube-scheduler"): (
        "system::leader-locking-kube-scheduler",
        ("user system:kube-scheduler", "account kube-system/kube-scheduler"),
    ),
    **{
        (namespace, f"system:controller:{name}"): (f"system:controller:{name}", (f"account kube-system/{name}",))
        for namespace, name in (
            ("kube-system", "bootstrap-signer"),
            ("kube-system", "cloud-provider"),
            ("kube-system", "token-cleaner"),
            ("kube-public", "bootstrap-signer"),
        )
    },
}
"""By namespace and name: the role in that namespace, and who has it."""
