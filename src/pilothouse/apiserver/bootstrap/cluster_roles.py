"""The default ClusterRoles, as kube-apiserver makes them. A table: facts, not code.

Source: "Default roles and role bindings" of the RBAC reference; bootstrappolicy/testdata/cluster-roles.yaml.
"""

from collections.abc import Mapping

from pilothouse.apiserver.bootstrap.notation import EVENTS

_REVIEWS = ("create : tokenreviews @ authentication.k8s.io", "create : subjectaccessreviews @ authorization.k8s.io")
_CSR = "certificates.k8s.io"

AGGREGATED: Mapping[str, str] = {"admin": "", "edit": "admin", "view": "edit"}
"""Roles made of those labelled `aggregate-to-<name>`, and the role that each is part of itself."""

PART_OF: Mapping[str, str] = {
    "system:aggregate-to-admin": "admin",
    "system:aggregate-to-edit": "edit",
    "system:aggregate-to-view": "view",
}

CLUSTER_ROLES: Mapping[str, tuple[str, ...]] = {
    "cluster-admin": ("* : * @ *", "* : *"),
    "system:discovery": (
        "get : /livez,/readyz,/healthz,/version,/version/,/openapi,/openapi/*,/api,/api/*,/apis,/apis/*",
    ),
    "system:monitoring": ("get : /metrics,/metrics/slis,/livez,/readyz,/healthz,/livez/*,/readyz/*,/healthz/*",),
    "system:basic-user": (
        "create : selfsubjectaccessreviews,selfsubjectrulesreviews @ authorization.k8s.io",
        "create : selfsubjectreviews @ authentication.k8s.io",
    ),
    "system:public-info-viewer": ("get : /livez,/readyz,/healthz,/version,/version/",),
    "system:aggregate-to-admin": (
        "create : localsubjectaccessreviews @ authorization.k8s.io",
        "read,write : roles,rolebindings @ rbac.authorization.k8s.io",
    ),
    "system:aggregate-to-edit": (
        "read : pods/attach,pods/proxy,pods/exec,pods/portforward,secrets,services/proxy @ core",
        "impersonate : serviceaccounts @ core",
        "write : pods,pods/attach,pods/proxy,pods/exec,pods/portforward @ core",
        "create : pods/eviction @ core",
        (
            "write : replicationcontrollers,replicationcontrollers/scale,serviceaccounts,services,services/proxy,"
            "persistentvolumeclaims,configmaps,secrets,events @ core"
        ),
        "create : serviceaccounts/token @ core",
        (
            "write : statefulsets,statefulsets/scale,daemonsets,deployments,deployments/scale,deployments/rollback,"
            "replicasets,replicasets/scale @ apps"
        ),
        "write : horizontalpodautoscalers @ autoscaling",
        "write : jobs,cronjobs @ batch",
        (
            "write : daemonsets,deployments,deployments/scale,deployments/rollback,ingresses,replicasets,"
            "replicasets/scale,replicationcontrollers/scale,networkpolicies @ extensions"
        ),
        "write : poddisruptionbudgets @ policy",
        "write : networkpolicies,ingresses @ networking.k8s.io",
        "read,write : leases @ coordination.k8s.io",
    ),
    "system:aggregate-to-view": (
        (
            "read : pods,replicationcontrollers,replicationcontrollers/scale,serviceaccounts,services,services/status,"
            "endpoints,persistentvolumeclaims,persistentvolumeclaims/status,configmaps @ core"
        ),
        (
            "read : limitranges,resourcequotas,bindings,events,pods/status,resourcequotas/status,namespaces/status,"
            "replicationcontrollers/status,pods/log @ core"
        ),
        "read : namespaces @ core",
        "read : endpointslices @ discovery.k8s.io",
        (
            "read : controllerrevisions,statefulsets,statefulsets/status,statefulsets/scale,daemonsets,"
            "daemonsets/status,deployments,deployments/status,deployments/scale,"
            "replicasets,replicasets/status,replicasets/scale @ apps"
        ),
        "read : horizontalpodautoscalers,horizontalpodautoscalers/status @ autoscaling",
        "read : jobs,cronjobs,cronjobs/status,jobs/status @ batch",
        (
            "read : daemonsets,daemonsets/status,deployments,deployments/scale,deployments/status,ingresses,"
            "ingresses/status,replicasets,replicasets/scale,replicasets/status,replicationcontrollers/scale,"
            "networkpolicies @ extensions"
        ),
        "read : poddisruptionbudgets,poddisruptionbudgets/status @ policy",
        "read : networkpolicies,ingresses,ingresses/status @ networking.k8s.io",
    ),
    "system:node": (
        _REVIEWS[0],
        "create : subjectaccessreviews,localsubjectaccessreviews @ authorization.k8s.io",
        "read : services @ core",
        "create,get,list,watch : nodes @ core",
        "update,patch : nodes/status @ core",
        "update,patch : nodes @ core",
        "create,update,patch : events @ core",
        "read : pods @ core",
        "create,delete : pods @ core",
        "update,patch : pods/status @ core",
        "create : pods/eviction @ core",
        "read : secrets,configmaps @ core",
        "get : persistentvolumeclaims,persistentvolumes @ core",
        "get : endpoints @ core",
        f"create,get,list,watch : certificatesigningrequests @ {_CSR}",
        "get,create,update,patch,delete : leases @ coordination.k8s.io",
        "get : volumeattachments @ storage.k8s.io",
        "create : serviceaccounts/token @ core",
        "get,update,patch : persistentvolumeclaims/status @ core",
        "read : csidrivers @ storage.k8s.io",
        "get,create,update,patch,delete : csinodes @ storage.k8s.io",
        "read : runtimeclasses @ node.k8s.io",
        "get : resourceclaims @ resource.k8s.io",
        "deletecollection : resourceslices @ resource.k8s.io",
        f"read : clustertrustbundles @ {_CSR}",
        f"create,get,list,watch : podcertificaterequests @ {_CSR}",
    ),
    "system:node-problem-detector": ("get : nodes @ core", "patch : nodes/status @ core", EVENTS),
    "system:kubelet-api-admin": (
        "read : nodes @ core",
        "proxy : nodes @ core",
        "* : nodes/proxy,nodes/metrics,nodes/stats,nodes/log @ core",
    ),
    "system:node-bootstrapper": (f"create,get,list,watch : certificatesigningrequests @ {_CSR}",),
    "system:auth-delegator": _REVIEWS,
    "system:kube-aggregator": ("read : services,endpoints @ core",),
    "system:kube-controller-manager": (
        EVENTS,
        "create : leases @ coordination.k8s.io",
        "get,update : leases @ coordination.k8s.io = kube-controller-manager",
        "create : secrets,serviceaccounts @ core",
        "delete : secrets @ core",
        "get : namespaces,secrets,serviceaccounts,configmaps @ core",
        "update : secrets,serviceaccounts @ core",
        *_REVIEWS,
        "list,watch : * @ *",
        "create : serviceaccounts/token @ core",
    ),
    "system:kube-dns": ("list,watch : endpoints,services @ core",),
    "system:persistent-volume-provisioner": (
        "get,list,watch,create,delete : persistentvolumes @ core",
        "get,list,watch,update : persistentvolumeclaims @ core",
        "read : storageclasses @ storage.k8s.io",
        "watch : events @ core",
        EVENTS,
    ),
    f"system:{_CSR}:certificatesigningrequests:nodeclient": (
        f"create : certificatesigningrequests/nodeclient @ {_CSR}",
    ),
    f"system:{_CSR}:certificatesigningrequests:selfnodeclient": (
        f"create : certificatesigningrequests/selfnodeclient @ {_CSR}",
    ),
    "system:volume-scheduler": (
        "get,list,watch,patch,update : persistentvolumes @ core",
        "read : storageclasses @ storage.k8s.io",
        "get,list,watch,patch,update : persistentvolumeclaims @ core",
    ),
    f"system:{_CSR}:legacy-unknown-approver": (f"approve : signers @ {_CSR} = kubernetes.io/legacy-unknown",),
    f"system:{_CSR}:kubelet-serving-approver": (f"approve : signers @ {_CSR} = kubernetes.io/kubelet-serving",),
    f"system:{_CSR}:kube-apiserver-client-approver": (
        f"approve : signers @ {_CSR} = kubernetes.io/kube-apiserver-client",
    ),
    f"system:{_CSR}:kube-apiserver-client-kubelet-approver": (
        f"approve : signers @ {_CSR} = kubernetes.io/kube-apiserver-client-kubelet",
    ),
    "system:service-account-issuer-discovery": ("get : /.well-known/openid-configuration,/openid/v1/jwks",),
    "system:node-proxier": (
        "list,watch : services,endpoints @ core",
        "read : nodes @ core",
        EVENTS,
        "list,watch : endpointslices @ discovery.k8s.io",
    ),
    "system:kube-scheduler": (
        EVENTS,
        "create : leases @ coordination.k8s.io",
        "get,update : leases @ coordination.k8s.io = kube-scheduler",
        "read : nodes @ core",
        "get,list,watch,delete : pods @ core",
        "create : pods/binding,bindings @ core",
        "patch,update : pods/status @ core",
        "read : services,replicationcontrollers @ core",
        "read : replicasets @ apps,extensions",
        "read : statefulsets @ apps",
        "read : poddisruptionbudgets @ policy",
        "read : persistentvolumeclaims,persistentvolumes @ core",
        *_REVIEWS,
        "read : csinodes @ storage.k8s.io",
        "read : namespaces @ core",
        "read : csidrivers @ storage.k8s.io",
        "read : csistoragecapacities @ storage.k8s.io",
    ),
}
