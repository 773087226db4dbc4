"""The ClusterRole of each controller, which its service account in kube-system is bound to. A table: facts, not code.

Source: plugin/pkg/auth/authorizer/rbac/bootstrappolicy/controller_policy.go.
"""

from collections.abc import Mapping

from pilothouse.apiserver.bootstrap.notation import EVENTS

_CSR = "certificates.k8s.io"
_SIGNERS = ",".join(
    f"kubernetes.io/{name}"
    for name in ("legacy-unknown", "kube-apiserver-client", "kube-apiserver-client-kubelet", "kubelet-serving")
)
_CREATE_PODS = "list,watch,create,delete,patch : pods @ core"

CONTROLLER_ROLES: Mapping[str, tuple[str, ...]] = {
    "attachdetach-controller": (
        "list,watch : persistentvolumes,persistentvolumeclaims @ core",
        "read : nodes @ core",
        "patch,update : nodes/status @ core",
        "list,watch : pods @ core",
        EVENTS,
        "get,create,delete,list,watch : volumeattachments @ storage.k8s.io",
        "read : csidrivers @ storage.k8s.io",
        "read : csinodes @ storage.k8s.io",
    ),
    "clusterrole-aggregation-controller": (
        "escalate,get,list,watch,update,patch : clusterroles @ rbac.authorization.k8s.io",
    ),
    "cronjob-controller": (
        "read,update : cronjobs @ batch",
        "read,create,update,delete,patch : jobs @ batch",
        "update : cronjobs/status @ batch",
        "update : cronjobs/finalizers @ batch",
        "list,watch,delete : pods @ core",
        EVENTS,
    ),
    "daemon-set-controller": (
        "read : daemonsets @ extensions,apps",
        "update : daemonsets/status @ extensions,apps",
        "update : daemonsets/finalizers @ extensions,apps",
        "list,watch : nodes @ core",
        _CREATE_PODS,
        "create : pods/binding @ core",
        "read,create,delete,update,patch : controllerrevisions @ apps",
        EVENTS,
    ),
    "deployment-controller": (
        "read,update : deployments @ extensions,apps",
        "update : deployments/status @ extensions,apps",
        "update : deployments/finalizers @ extensions,apps",
        "read,create,update,patch,delete : replicasets @ apps,extensions",
        "read,update : pods @ core",
        EVENTS,
    ),
    "disruption-controller": (
        "read : deployments @ extensions,apps",
        "read : replicasets @ apps,extensions",
        "read : replicationcontrollers @ core",
        "read : poddisruptionbudgets @ policy",
        "read : statefulsets @ apps",
        "update : poddisruptionbudgets/status @ policy",
        "patch,update : pods/status @ core",
        "get : */scale @ *",
        EVENTS,
    ),
    "endpoint-controller": (
        "read : services,pods @ core",
        "read,create,update,delete : endpoints @ core",
        "create : endpoints/restricted @ core",
        EVENTS,
    ),
    "endpointslice-controller": (
        "read : services,pods,nodes @ core",
        "update : services/finalizers @ core",
        "read,create,update,delete : endpointslices @ discovery.k8s.io",
        EVENTS,
    ),
    "endpointslicemirroring-controller": (
        "read : services,endpoints @ core",
        "update : services/finalizers @ core",
        "update : endpoints/finalizers @ core",
        "read,create,update,delete : endpointslices @ discovery.k8s.io",
        EVENTS,
    ),
    "expand-controller": (
        "read,update,patch : persistentvolumes @ core",
        "update,patch : persistentvolumeclaims/status @ core",
        "read : persistentvolumeclaims @ core",
        EVENTS,
        "get : services @ core",
    ),
    "ephemeral-volume-controller": (
        "read : pods @ core",
        "update : pods/finalizers @ core",
        "read,create : persistentvolumeclaims @ core",
        EVENTS,
    ),
    "resource-claim-controller": (
        "read : pods @ core",
        "update : pods/finalizers @ core",
        "read,create,delete : resourceclaims @ resource.k8s.io",
        "update,patch : resourceclaims,resourceclaims/status @ resource.k8s.io",
        "update,patch : pods/status @ core",
        EVENTS,
    ),
    "generic-garbage-collector": ("read,patch,update,delete : * @ *", EVENTS),
    "horizontal-pod-autoscaler": (
        "read : horizontalpodautoscalers @ autoscaling",
        "update : horizontalpodautoscalers/status @ autoscaling",
        "get,update : */scale @ *",
        "list,watch : pods @ core",
        "list,watch : pods @ metrics.k8s.io",
        "read : * @ custom.metrics.k8s.io",
        "read : * @ external.metrics.k8s.io",
        EVENTS,
    ),
    "job-controller": (
        "read,update,patch : jobs @ batch",
        "update : jobs/status @ batch",
        "update : jobs/finalizers @ batch",
        _CREATE_PODS,
        EVENTS,
    ),
    "namespace-controller": (
        "read,delete : namespaces @ core",
        "update : namespaces/finalize,namespaces/status @ core",
        "read,delete,deletecollection : * @ *",
    ),
    "node-controller": (
        "read,update,delete,patch : nodes @ core",
        "patch,update : nodes/status @ core",
        "patch,update : pods/status @ core",
        "list,watch,get,delete : pods @ core",
        EVENTS,
    ),
    "persistent-volume-binder": (
        "read,update,create,delete : persistentvolumes @ core",
        "update : persistentvolumes/status @ core",
        "read,update : persistentvolumeclaims @ core",
        "update : persistentvolumeclaims/status @ core",
        "list,watch,get,create,delete : pods @ core",
        "read : storageclasses @ storage.k8s.io",
        "list,watch : nodes @ core",
        EVENTS,
        "watch : events @ core",
        "get : services @ core",
    ),
    "pod-garbage-collector": (
        "list,watch,delete : pods @ core",
        "read : nodes @ core",
        "patch : pods/status @ core",
    ),
    "replicaset-controller": (
        "read,update : replicasets @ apps,extensions",
        "update : replicasets/status @ apps,extensions",
        "update : replicasets/finalizers @ apps,extensions",
        _CREATE_PODS,
        EVENTS,
    ),
    "replication-controller": (
        "read,update : replicationcontrollers @ core",
        "update : replicationcontrollers/status @ core",
        "update : replicationcontrollers/finalizers @ core",
        _CREATE_PODS,
        EVENTS,
    ),
    "resourcequota-controller": ("list,watch : * @ *", "update : resourcequotas/status @ core", EVENTS),
    "route-controller": ("list,watch : nodes @ core", "patch : nodes/status @ core", EVENTS),
    "service-account-controller": ("create : serviceaccounts @ core", EVENTS),
    "service-controller": (
        "read : services @ core",
        "patch,update : services/status @ core",
        "list,watch : nodes @ core",
        EVENTS,
    ),
    "service-cidrs-controller": (
        "read,patch,update : servicecidrs @ networking.k8s.io",
        "patch,update : servicecidrs/finalizers @ networking.k8s.io",
        "patch,update : servicecidrs/status @ networking.k8s.io",
        "read : ipaddresses @ networking.k8s.io",
        EVENTS,
    ),
    "statefulset-controller": (
        "list,watch : pods @ core",
        "read : statefulsets @ apps",
        "update : statefulsets/status @ apps",
        "update : statefulsets/finalizers @ apps",
        "get,create,delete,update,patch : pods @ core",
        "get,create,delete,update,patch,list,watch : controllerrevisions @ apps",
        "get,create,list,watch : persistentvolumeclaims @ core",
        "update,delete : persistentvolumeclaims @ core",
        "update : pods/finalizers @ core",
        EVENTS,
    ),
    "ttl-controller": ("update,patch,list,watch : nodes @ core", EVENTS),
    "certificate-controller": (
        f"read,delete : certificatesigningrequests @ {_CSR}",
        f"update : certificatesigningrequests/status,certificatesigningrequests/approval @ {_CSR}",
        f"approve : signers @ {_CSR} = kubernetes.io/kube-apiserver-client-kubelet",
        f"sign : signers @ {_CSR} = {_SIGNERS}",
        "create : subjectaccessreviews @ authorization.k8s.io",
        EVENTS,
    ),
    "pvc-protection-controller": (
        "read,update : persistentvolumeclaims @ core",
        "list,watch,get : pods @ core",
        EVENTS,
    ),
    "pv-protection-controller": ("read,update : persistentvolumes @ core", EVENTS),
    "volumeattributesclass-protection-controller": (
        "list,watch,get : persistentvolumeclaims @ core",
        "list,watch,get : persistentvolumes @ core",
        "read,update : volumeattributesclasses @ storage.k8s.io",
        EVENTS,
    ),
    "ttl-after-finished-controller": ("read,delete : jobs @ batch", EVENTS),
    "root-ca-cert-publisher": ("create,update : configmaps @ core", EVENTS),
    "validatingadmissionpolicy-status-controller": (
        "read : validatingadmissionpolicies @ admissionregistration.k8s.io",
        "get,patch,update : validatingadmissionpolicies/status @ admissionregistration.k8s.io",
        EVENTS,
    ),
    "legacy-service-account-token-cleaner": (
        "get : configmaps @ core = kube-apiserver-legacy-service-account-token-tracking",
        "patch,delete : secrets @ core",
    ),
    "selinux-warning-controller": (
        EVENTS,
        "read : persistentvolumes @ core",
        "read : persistentvolumeclaims @ core",
        "read : pods @ core",
        "read : csidrivers @ storage.k8s.io",
    ),
}
