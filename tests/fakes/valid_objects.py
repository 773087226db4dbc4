"""An object of every kind that can be made, rich enough that most of what the server looks at is there.

By group and plural; whatever is left out, name and kind above all, `valid_object` adds.
"""

import base64
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pilothouse.api.catalogue import AnyResource
from pilothouse.net.pki import Authority
from pilothouse.testing.loop import EPOCH

JsonObject = dict[str, Any]


def _request() -> str:
    """A certificate signing request as a CertificateSigningRequest holds it."""
    key = ec.generate_private_key(ec.SECP256R1())
    made = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    return base64.b64encode(made.public_bytes(serialization.Encoding.PEM)).decode()


LABELS: JsonObject = {"app": "x"}
CONTAINER: JsonObject = {"name": "c", "image": "i:1"}
POD: JsonObject = {
    "containers": [
        {
            **CONTAINER,
            "ports": [{"containerPort": 80, "name": "http"}],
            "env": [
                {"name": "A", "value": "b"},
                {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            ],
            "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1"}},
            "livenessProbe": {"httpGet": {"port": 80, "path": "/"}},
            "volumeMounts": [{"name": "v", "mountPath": "/v"}],
            "securityContext": {"runAsUser": 1},
        }
    ],
    "initContainers": [{**CONTAINER, "name": "i"}],
    "volumes": [{"name": "v", "emptyDir": {}}, {"name": "p", "projected": {"sources": [{"configMap": {"name": "m"}}]}}],
    "tolerations": [{"key": "a", "operator": "Exists", "effect": "NoExecute"}],
    "nodeSelector": {"a": "b"},
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}]
            }
        },
        "podAntiAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 1, "podAffinityTerm": {"topologyKey": "a", "labelSelector": {"matchLabels": LABELS}}}
            ]
        },
    },
    "topologySpreadConstraints": [
        {
            "maxSkew": 1,
            "topologyKey": "z",
            "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": LABELS},
        }
    ],
    "securityContext": {"fsGroup": 1, "sysctls": [{"name": "kernel.shm_rmid_forced", "value": "1"}]},
    "dnsConfig": {"nameservers": ["1.1.1.1"], "options": [{"name": "a"}]},
    "hostAliases": [{"ip": "1.2.3.4", "hostnames": ["a"]}],
    "readinessGates": [{"conditionType": "a.b/c"}],
}
TEMPLATE: JsonObject = {"metadata": {"labels": LABELS}, "spec": POD}
ENDING: JsonObject = {"metadata": {}, "spec": {**POD, "restartPolicy": "Never"}}
SELECTOR: JsonObject = {"matchLabels": LABELS}
WORKLOAD: JsonObject = {"spec": {"selector": SELECTOR, "template": TEMPLATE}}
CLAIM: JsonObject = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
RULES: JsonObject = {
    "resourceRules": [
        {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["deployments"]}
    ]
}
HOOKS: list[JsonObject] = [
    {
        "name": "a.b.c",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "clientConfig": {"service": {"name": "a", "namespace": "b"}},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
    }
]
ROLE: JsonObject = {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}
SUBJECTS: list[JsonObject] = [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "a"}]
SCALING: JsonObject = {
    "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"},
    "minReplicas": 1,
    "maxReplicas": 3,
}
DEVICES: JsonObject = {"requests": [{"name": "a", "exactly": {"deviceClassName": "c"}}]}
ADMISSION = "admissionregistration.k8s.io"
VALID: dict[tuple[str, str], JsonObject] = {
    ("", "bindings"): {"target": {"kind": "Node", "name": "n"}},
    ("", "configmaps"): {"data": {"a": "b"}, "binaryData": {"c": "AA=="}},
    ("", "secrets"): {"data": {"a": "AA=="}, "stringData": {"b": "c"}},
    ("", "endpoints"): {"subsets": [{"addresses": [{"ip": "1.2.3.4"}], "ports": [{"port": 80}]}]},
    ("", "events"): {
        "involvedObject": {"namespace": "default", "kind": "Pod", "name": "x"},
        "message": "m",
        "type": "Normal",
    },
    ("", "limitranges"): {"spec": {"limits": [{"type": "Container", "max": {"cpu": "2"}, "default": {"cpu": "1"}}]}},
    ("", "namespaces"): {"spec": {"finalizers": ["kubernetes"]}},
    ("", "nodes"): {
        "spec": {"podCIDR": "10.1.0.0/24", "taints": [{"key": "a", "effect": "NoSchedule"}]},
        "status": {"capacity": {"cpu": "1"}, "addresses": [{"type": "InternalIP", "address": "1.2.3.4"}]},
    },
    ("", "persistentvolumeclaims"): {"spec": CLAIM},
    ("", "persistentvolumes"): {
        "spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "hostPath": {"path": "/x"}}
    },
    ("", "pods"): {"spec": POD},
    ("", "podtemplates"): {"template": TEMPLATE},
    ("", "replicationcontrollers"): {"spec": {"selector": LABELS, "template": TEMPLATE}},
    ("", "resourcequotas"): {"spec": {"hard": {"cpu": "1", "pods": "2"}, "scopes": ["NotTerminating"]}},
    ("", "serviceaccounts"): {"secrets": [{"name": "a"}]},
    ("", "services"): {
        "spec": {"type": "NodePort", "selector": LABELS, "ports": [{"name": "a", "port": 80, "targetPort": "http"}]}
    },
    ("apiregistration.k8s.io", "apiservices"): {
        "metadata": {"name": "v1.a.b"},
        "spec": {
            "group": "a.b",
            "version": "v1",
            "groupPriorityMinimum": 1,
            "versionPriority": 1,
            "insecureSkipTLSVerify": True,
            "service": {"name": "a", "namespace": "b"},
        },
    },
    ("apps", "controllerrevisions"): {"data": {"spec": {}}, "revision": 1},
    ("apps", "daemonsets"): WORKLOAD,
    ("apps", "deployments"): WORKLOAD,
    ("apps", "replicasets"): WORKLOAD,
    ("apps", "statefulsets"): {
        "spec": {
            **WORKLOAD["spec"],
            "serviceName": "s",
            "volumeClaimTemplates": [{"metadata": {"name": "d"}, "spec": CLAIM}],
        }
    },
    ("events.k8s.io", "events"): {
        "regarding": {"namespace": "default", "kind": "Pod"},
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "type": "Normal",
        "reason": "a",
        "action": "b",
        "reportingController": "a.b/c",
        "reportingInstance": "d",
    },
    ("authentication.k8s.io", "tokenreviews"): {"spec": {"token": "a.b.c", "audiences": ["x"]}},
    ("authorization.k8s.io", "localsubjectaccessreviews"): {
        "metadata": {"namespace": "default"},
        "spec": {
            "user": "u",
            "groups": ["g"],
            "resourceAttributes": {"namespace": "default", "verb": "get", "resource": "pods"},
        },
    },
    ("authorization.k8s.io", "selfsubjectaccessreviews"): {
        "spec": {
            "resourceAttributes": {
                "verb": "get",
                "resource": "pods",
                "fieldSelector": {"requirements": [{"key": "a", "operator": "In", "values": ["b"]}]},
            }
        }
    },
    ("authorization.k8s.io", "selfsubjectrulesreviews"): {"spec": {"namespace": "default"}},
    ("authorization.k8s.io", "subjectaccessreviews"): {
        "spec": {"user": "u", "extra": {"a": ["b"]}, "nonResourceAttributes": {"path": "/a", "verb": "get"}}
    },
    ("autoscaling", "horizontalpodautoscalers"): {"spec": SCALING},
    ("batch", "cronjobs"): {
        "spec": {"schedule": "@daily", "timeZone": "Etc/UTC", "jobTemplate": {"spec": {"template": ENDING}}}
    },
    ("batch", "jobs"): {
        "spec": {
            "template": ENDING,
            "completions": 2,
            "completionMode": "Indexed",
            "podFailurePolicy": {"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [1]}}]},
        }
    },
    ("certificates.k8s.io", "certificatesigningrequests"): {
        "spec": {"request": _request(), "usages": ["client auth"], "signerName": "a.b/c"}
    },
    ("certificates.k8s.io", "clustertrustbundles"): {
        "spec": {"trustBundle": Authority.create("a", EPOCH).certificate.decode()}
    },
    ("networking.k8s.io", "ingressclasses"): {
        "spec": {"controller": "a.b/c", "parameters": {"kind": "a", "name": "b", "scope": "Cluster"}}
    },
    ("networking.k8s.io", "ingresses"): {
        "spec": {
            "tls": [{"hosts": ["a.b"], "secretName": "s"}],
            "rules": [
                {
                    "host": "a.b",
                    "http": {
                        "paths": [
                            {
                                "path": "/",
                                "pathType": "Prefix",
                                "backend": {"service": {"name": "a", "port": {"number": 80}}},
                            }
                        ]
                    },
                }
            ],
        }
    },
    ("networking.k8s.io", "ipaddresses"): {
        "metadata": {"name": "192.0.2.1"},
        "spec": {"parentRef": {"resource": "services", "name": "a", "namespace": "b"}},
    },
    ("networking.k8s.io", "servicecidrs"): {"spec": {"cidrs": ["10.99.0.0/24"]}},
    ("networking.k8s.io", "networkpolicies"): {
        "spec": {
            "podSelector": SELECTOR,
            "ingress": [
                {"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}], "ports": [{"port": 80}]}
            ],
            "egress": [{"to": [{"podSelector": SELECTOR}]}],
        }
    },
    ("policy", "poddisruptionbudgets"): {"spec": {"minAvailable": "50%", "selector": SELECTOR}},
    ("rbac.authorization.k8s.io", "clusterroles"): {**ROLE, "aggregationRule": {"clusterRoleSelectors": [SELECTOR]}},
    ("rbac.authorization.k8s.io", "roles"): ROLE,
    ("rbac.authorization.k8s.io", "clusterrolebindings"): {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "a"},
        "subjects": SUBJECTS,
    },
    ("rbac.authorization.k8s.io", "rolebindings"): {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "a"},
        "subjects": SUBJECTS,
    },
    ("storage.k8s.io", "csidrivers"): {"spec": {"tokenRequests": [{"audience": "a", "expirationSeconds": 600}]}},
    ("storage.k8s.io", "csinodes"): {
        "spec": {"drivers": [{"name": "a.b", "nodeID": "n", "topologyKeys": ["a"], "allocatable": {"count": 1}}]}
    },
    ("storage.k8s.io", "csistoragecapacities"): {"storageClassName": "s", "capacity": "1Gi", "nodeTopology": SELECTOR},
    ("storage.k8s.io", "storageclasses"): {
        "provisioner": "a.b/c",
        "parameters": {"a": "b"},
        "allowedTopologies": [{"matchLabelExpressions": [{"key": "a", "values": ["b"]}]}],
    },
    ("storage.k8s.io", "volumeattachments"): {
        "spec": {"attacher": "a.b", "nodeName": "n", "source": {"persistentVolumeName": "v"}}
    },
    ("storage.k8s.io", "volumeattributesclasses"): {"driverName": "a.b", "parameters": {"a": "b"}},
    (ADMISSION, "mutatingwebhookconfigurations"): {"webhooks": HOOKS},
    (ADMISSION, "validatingwebhookconfigurations"): {"webhooks": HOOKS},
    (ADMISSION, "validatingadmissionpolicies"): {
        "spec": {"matchConstraints": RULES, "validations": [{"expression": "true"}], "failurePolicy": "Fail"}
    },
    (ADMISSION, "validatingadmissionpolicybindings"): {"spec": {"policyName": "x", "validationActions": ["Deny"]}},
    (ADMISSION, "mutatingadmissionpolicies"): {
        "spec": {
            "matchConstraints": RULES,
            "reinvocationPolicy": "Never",
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": "[JSONPatch{}]"}}],
        }
    },
    (ADMISSION, "mutatingadmissionpolicybindings"): {"spec": {"policyName": "x"}},
    ("apiextensions.k8s.io", "customresourcedefinitions"): {
        "metadata": {"name": "foos.a.b"},
        "spec": {
            "group": "a.b",
            "scope": "Namespaced",
            "names": {"plural": "foos", "kind": "Foo"},
            "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
            ],
        },
    },
    ("scheduling.k8s.io", "priorityclasses"): {"value": 5},
    ("coordination.k8s.io", "leases"): {
        "spec": {"holderIdentity": "a", "leaseDurationSeconds": 5, "renewTime": "2026-01-01T00:00:00.000000Z"}
    },
    ("node.k8s.io", "runtimeclasses"): {
        "handler": "a",
        "overhead": {"podFixed": {"cpu": "1"}},
        "scheduling": {"nodeSelector": {"a": "b"}, "tolerations": [{"key": "a", "operator": "Exists"}]},
    },
    ("discovery.k8s.io", "endpointslices"): {
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["1.2.3.4"]}],
        "ports": [{"name": "a", "port": 80}],
    },
    ("flowcontrol.apiserver.k8s.io", "flowschemas"): {
        "spec": {
            "priorityLevelConfiguration": {"name": "global-default"},
            "matchingPrecedence": 5,
            "distinguisherMethod": {"type": "ByUser"},
            "rules": [
                {
                    "subjects": [{"kind": "User", "user": {"name": "u"}}],
                    "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"]}],
                }
            ],
        }
    },
    ("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations"): {
        "spec": {
            "type": "Limited",
            "limited": {
                "nominalConcurrencyShares": 5,
                "limitResponse": {"type": "Queue", "queuing": {"queues": 8, "handSize": 2, "queueLengthLimit": 5}},
            },
        }
    },
    ("resource.k8s.io", "deviceclasses"): {"spec": {"selectors": [{"cel": {"expression": "true"}}]}},
    ("resource.k8s.io", "devicetaintrules"): {
        "spec": {"deviceSelector": {"driver": "a.b"}, "taint": {"key": "a.b/c", "effect": "NoExecute"}}
    },
    ("resource.k8s.io", "resourceclaims"): {"spec": {"devices": DEVICES}},
    ("resource.k8s.io", "resourceclaimtemplates"): {"spec": {"spec": {"devices": DEVICES}}},
    ("resource.k8s.io", "resourceslices"): {
        "spec": {
            "driver": "a.b",
            "nodeName": "n",
            "pool": {"name": "p", "generation": 1, "resourceSliceCount": 1},
            "devices": [{"name": "d", "attributes": {"a": {"int": 1}}, "capacity": {"m": {"value": "1Gi"}}}],
        }
    },
    ("storagemigration.k8s.io", "storageversionmigrations"): {
        "spec": {"resource": {"group": "apps", "resource": "deployments"}}
    },
}


def path_of(resource: AnyResource) -> str:
    """Where objects of the kind are made, those with a namespace in `default`."""
    root = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    return f"{root}/namespaces/default/{resource.plural}" if resource.namespaced else f"{root}/{resource.plural}"


def valid_object(resource: AnyResource) -> JsonObject:
    """An object of the kind, called `x` where it may be. Its parts are shared: do not change them."""
    rest = dict(VALID.get((resource.group, resource.plural), {}))
    metadata = {"name": "x", "labels": {"a": "b"}, **rest.pop("metadata", {})}
    return {"kind": resource.name, "apiVersion": resource.api_version, "metadata": metadata, **rest}
