"""The rows `kubectl get` shows for kinds that have no test file of their own.

Source: pkg/printers/internalversion/printers_test.go; for kinds without a printer there the default of
apiserver/pkg/registry/rest/table.go. *assumed*: PodCertificateRequest, newer than the copy that was read, and the
columns of APIService and StorageVersionMigration in v1.37. All objects are 60 s old.
"""

from typing import Any

import pytest

from pilothouse.api.catalogue import builtin

META = {"name": "x", "creationTimestamp": "1970-01-01T00:00:00Z"}
NOW = 60.0
CONTAINERS = {"spec": {"containers": [{"name": "c1", "image": "i1"}, {"name": "c2", "image": "i2"}]}}
SELECTOR = {"matchLabels": {"a": "b"}}

ROWS: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    (
        "",
        "componentstatuses",
        {"conditions": [{"type": "Healthy", "status": "True", "message": "ok"}]},
        {"Status": "Healthy", "Message": "ok", "Error": ""},
    ),
    (
        "",
        "componentstatuses",
        {"conditions": [{"type": "Healthy", "status": "False", "error": "down"}]},
        {"Status": "Unhealthy", "Message": "", "Error": "down"},
    ),
    ("", "componentstatuses", {}, {"Status": "Unknown", "Message": "", "Error": ""}),
    ("", "limitranges", {}, {"Created At": "1970-01-01T00:00:00Z"}),
    (
        "",
        "persistentvolumes",
        {
            "spec": {
                "capacity": {"storage": "10Gi"},
                "accessModes": ["ReadOnlyMany", "ReadWriteOnce"],
                "persistentVolumeReclaimPolicy": "Retain",
                "claimRef": {"namespace": "n", "name": "c"},
                "storageClassName": "slow",
                "volumeMode": "Block",
            },
            "status": {"phase": "Bound"},
        },
        {
            "Capacity": "10Gi",
            "Access Modes": "RWO,ROX",
            "Reclaim Policy": "Retain",
            "Status": "Bound",
            "Claim": "n/c",
            "StorageClass": "slow",
            "VolumeAttributesClass": "<unset>",
            "Reason": "",
            "Age": "60s",
            "VolumeMode": "Block",
        },
    ),
    (
        "",
        "persistentvolumeclaims",
        {
            "spec": {"volumeName": "v", "storageClassName": "slow", "volumeAttributesClassName": "gold"},
            "status": {"phase": "Bound", "accessModes": ["ReadWriteOncePod"], "capacity": {"storage": "1Gi"}},
        },
        {
            "Status": "Bound",
            "Volume": "v",
            "Capacity": "1Gi",
            "Access Modes": "RWOP",
            "StorageClass": "slow",
            "VolumeAttributesClass": "gold",
            "Age": "60s",
            "VolumeMode": "<unset>",
        },
    ),
    (
        "",
        "persistentvolumeclaims",
        {
            "metadata": {**META, "deletionTimestamp": "1970-01-01T00:00:30Z"},
            "spec": {"resources": {"requests": {"storage": "1Gi"}}},
            "status": {"phase": "Pending", "capacity": {"storage": "1Gi"}},
        },
        {
            "Status": "Terminating",
            "Volume": "",
            "Capacity": "",
            "Access Modes": "",
            "StorageClass": "",
            "VolumeAttributesClass": "<unset>",
            "Age": "60s",
            "VolumeMode": "<unset>",
        },
    ),
    (
        "",
        "replicationcontrollers",
        {"spec": {"replicas": 3, "selector": {"a": "b"}, "template": CONTAINERS}, "status": {"replicas": 2}},
        {
            "Desired": 3,
            "Current": 2,
            "Ready": 0,
            "Age": "60s",
            "Containers": "c1,c2",
            "Images": "i1,i2",
            "Selector": "a=b",
        },
    ),
    (
        "",
        "resourcequotas",
        {"status": {"hard": {"pods": "5", "limits.cpu": "2", "cpu": "1"}, "used": {"pods": "1", "limits.cpu": "1"}}},
        {"Request": "cpu: 0/1, pods: 1/5", "Limit": "limits.cpu: 1/2", "Age": "60s"},
    ),
    (
        "apps",
        "controllerrevisions",
        {
            "metadata": {
                **META,
                "ownerReferences": [
                    {"apiVersion": "v1", "kind": "Pod", "name": "p"},
                    {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "controller": True},
                ],
            },
            "revision": 7,
        },
        {"Controller": "statefulset.apps/web", "Revision": 7, "Age": "60s"},
    ),
    ("apps", "controllerrevisions", {}, {"Controller": "<none>", "Revision": 0, "Age": "60s"}),
    (
        "apps",
        "daemonsets",
        {
            "spec": {"template": {"spec": {**CONTAINERS["spec"], "nodeSelector": {"z": "1"}}}, "selector": SELECTOR},
            "status": {
                "desiredNumberScheduled": 5,
                "currentNumberScheduled": 4,
                "numberReady": 3,
                "updatedNumberScheduled": 2,
                "numberAvailable": 1,
            },
        },
        {
            "Desired": 5,
            "Current": 4,
            "Ready": 3,
            "Up-to-date": 2,
            "Available": 1,
            "Node Selector": "z=1",
            "Age": "60s",
            "Containers": "c1,c2",
            "Images": "i1,i2",
            "Selector": "a=b",
        },
    ),
    (
        "apps",
        "statefulsets",
        {"spec": {"replicas": 3, "template": CONTAINERS}, "status": {"readyReplicas": 1}},
        {"Ready": "1/3", "Age": "60s", "Containers": "c1,c2", "Images": "i1,i2"},
    ),
    (
        "batch",
        "cronjobs",
        {
            "spec": {
                "schedule": "0/5 * * * ?",
                "timeZone": "Europe/Berlin",
                "suspend": False,
                "jobTemplate": {"spec": {"template": CONTAINERS, "selector": SELECTOR}},
            },
            "status": {"active": [{}], "lastScheduleTime": "1970-01-01T00:00:55Z"},
        },
        {
            "Schedule": "0/5 * * * ?",
            "Timezone": "Europe/Berlin",
            "Suspend": "False",
            "Active": 1,
            "Last Schedule": "5s",
            "Age": "60s",
            "Containers": "c1,c2",
            "Images": "i1,i2",
            "Selector": "a=b",
        },
    ),
    (
        "batch",
        "cronjobs",
        {},
        {
            "Schedule": "",
            "Timezone": "<none>",
            "Suspend": "<unset>",
            "Active": 0,
            "Last Schedule": "<none>",
            "Age": "60s",
            "Containers": "",
            "Images": "",
            "Selector": "<none>",
        },
    ),
    (
        "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations",
        {"webhooks": [{}, {}]},
        {"Webhooks": 2, "Age": "60s"},
    ),
    (
        "admissionregistration.k8s.io",
        "validatingadmissionpolicies",
        {"spec": {"validations": [{}], "paramKind": {"apiVersion": "a/v1", "kind": "K"}}},
        {"Validations": 1, "ParamKind": "a/v1/K", "Age": "60s"},
    ),
    (
        "admissionregistration.k8s.io",
        "mutatingadmissionpolicies",
        {"spec": {"mutations": [{}]}},
        {"Mutations": 1, "ParamKind": "<unset>", "Age": "60s"},
    ),
    (
        "admissionregistration.k8s.io",
        "validatingadmissionpolicybindings",
        {"spec": {"policyName": "p", "paramRef": {"name": "q"}}},
        {"PolicyName": "p", "ParamRef": "*/q", "Age": "60s"},
    ),
    (
        "admissionregistration.k8s.io",
        "mutatingadmissionpolicybindings",
        {"spec": {"policyName": "p", "paramRef": {"name": "q", "namespace": "n"}}},
        {"PolicyName": "p", "ParamRef": "n/q", "Age": "60s"},
    ),
    ("apiextensions.k8s.io", "customresourcedefinitions", {}, {"Created At": "1970-01-01T00:00:00Z"}),
    (
        "apiregistration.k8s.io",
        "apiservices",
        {"spec": {}, "status": {"conditions": [{"type": "Available", "status": "True"}]}},
        {"Service": "Local", "Available": "True", "Age": "60s"},
    ),
    (
        "apiregistration.k8s.io",
        "apiservices",
        {
            "spec": {"service": {"namespace": "n", "name": "s"}},
            "status": {"conditions": [{"type": "Available", "status": "False", "reason": "Gone"}]},
        },
        {"Service": "n/s", "Available": "False (Gone)", "Age": "60s"},
    ),
    (
        "certificates.k8s.io",
        "certificatesigningrequests",
        {
            "spec": {"signerName": "s/x", "username": "jane", "expirationSeconds": 3600},
            "status": {"conditions": [{"type": "Approved"}], "certificate": "AA=="},
        },
        {
            "Age": "60s",
            "SignerName": "s/x",
            "Requestor": "jane",
            "RequestedDuration": "60m",
            "Condition": "Approved,Issued",
        },
    ),
    (
        "certificates.k8s.io",
        "certificatesigningrequests",
        {"status": {"conditions": [{"type": "Approved"}, {"type": "Denied"}, {"type": "Failed"}]}},
        {
            "Age": "60s",
            "SignerName": "<none>",
            "Requestor": "",
            "RequestedDuration": "<none>",
            "Condition": "Denied,Failed",
        },
    ),
    ("certificates.k8s.io", "clustertrustbundles", {}, {"SignerName": "<none>"}),
    (
        "certificates.k8s.io",
        "podcertificaterequests",
        {
            "spec": {"podName": "p", "serviceAccountName": "s", "nodeName": "n", "signerName": "x"},
            "status": {"conditions": [{"type": "Issued"}]},
        },
        {"PodName": "p", "ServiceAccountName": "s", "NodeName": "n", "SignerName": "x", "State": "Issued"},
    ),
    (
        "flowcontrol.apiserver.k8s.io",
        "flowschemas",
        {
            "spec": {"priorityLevelConfiguration": {"name": "exempt"}, "matchingPrecedence": 1},
            "status": {"conditions": [{"type": "Dangling", "status": "False"}]},
        },
        {
            "PriorityLevel": "exempt",
            "MatchingPrecedence": 1,
            "DistinguisherMethod": "<none>",
            "Age": "60s",
            "MissingPL": "False",
        },
    ),
    (
        "flowcontrol.apiserver.k8s.io",
        "prioritylevelconfigurations",
        {
            "spec": {
                "type": "Limited",
                "limited": {
                    "nominalConcurrencyShares": 30,
                    "limitResponse": {"queuing": {"queues": 64, "handSize": 8, "queueLengthLimit": 50}},
                },
            }
        },
        {
            "Type": "Limited",
            "NominalConcurrencyShares": 30,
            "Queues": 64,
            "HandSize": 8,
            "QueueLengthLimit": 50,
            "Age": "60s",
        },
    ),
    (
        "networking.k8s.io",
        "ingresses",
        {
            "spec": {"rules": [{"host": h} for h in ("a", "b", "c", "d")], "tls": [{}], "ingressClassName": "k"},
            "status": {"loadBalancer": {"ingress": [{"hostname": "z"}, {"ip": "1.2.3.4"}, {}]}},
        },
        {"Class": "k", "Hosts": "a,b,c + 1 more...", "Address": "1.2.3.4,z", "Ports": "80, 443", "Age": "60s"},
    ),
    (
        "networking.k8s.io",
        "ingresses",
        {"spec": {"rules": [{}, {"host": "a"}]}},
        {"Class": "<none>", "Hosts": "a", "Address": "", "Ports": "80", "Age": "60s"},
    ),
    (
        "networking.k8s.io",
        "ingresses",
        {},
        {"Class": "<none>", "Hosts": "*", "Address": "", "Ports": "80", "Age": "60s"},
    ),
    (
        "networking.k8s.io",
        "ingressclasses",
        {"spec": {"controller": "a/b", "parameters": {"apiGroup": "g", "kind": "K", "name": "n"}}},
        {"Controller": "a/b", "Parameters": "K.g/n", "Age": "60s"},
    ),
    (
        "networking.k8s.io",
        "ipaddresses",
        {"spec": {"parentRef": {"resource": "services", "namespace": "default", "name": "kubernetes"}}},
        {"ParentRef": "services/default/kubernetes"},
    ),
    ("networking.k8s.io", "networkpolicies", {"spec": {"podSelector": {}}}, {"Pod-Selector": "<none>", "Age": "60s"}),
    (
        "networking.k8s.io",
        "servicecidrs",
        {"spec": {"cidrs": ["10.0.0.0/8", "fd00::/64"]}},
        {"CIDRs": "10.0.0.0/8,fd00::/64", "Age": "60s"},
    ),
    (
        "policy",
        "poddisruptionbudgets",
        {"spec": {"minAvailable": "50%"}, "status": {"disruptionsAllowed": 2}},
        {"Min Available": "50%", "Max Unavailable": "N/A", "Allowed Disruptions": 2, "Age": "60s"},
    ),
    (
        "resource.k8s.io",
        "resourceclaims",
        {"status": {"allocation": {}, "reservedFor": [{}]}},
        {"State": "allocated,reserved", "Age": "60s"},
    ),
    ("resource.k8s.io", "resourceclaims", {}, {"State": "pending", "Age": "60s"}),
    (
        "resource.k8s.io",
        "resourceclaims",
        {"metadata": {**META, "deletionTimestamp": "1970-01-01T00:00:30Z"}},
        {"State": "deleted", "Age": "60s"},
    ),
    (
        "resource.k8s.io",
        "resourceslices",
        {"spec": {"nodeName": "n", "driver": "d", "pool": {"name": "p"}}},
        {"Node": "n", "Driver": "d", "Pool": "p", "Age": "60s"},
    ),
    (
        "storage.k8s.io",
        "csidrivers",
        {"spec": {"tokenRequests": [{"audience": "a"}, {"audience": "b"}], "volumeLifecycleModes": ["Persistent"]}},
        {
            "AttachRequired": True,
            "PodInfoOnMount": False,
            "StorageCapacity": False,
            "TokenRequests": "a,b",
            "RequiresRepublish": False,
            "Modes": "Persistent",
            "Age": "60s",
        },
    ),
    ("storage.k8s.io", "csinodes", {"spec": {"drivers": [{}]}}, {"Drivers": 1, "Age": "60s"}),
    (
        "storage.k8s.io",
        "csistoragecapacities",
        {"storageClassName": "s"},
        {"StorageClassName": "s", "Capacity": "<unset>"},
    ),
    (
        "storage.k8s.io",
        "storageclasses",
        {
            "metadata": {**META, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
            "provisioner": "p",
        },
        {
            "Name": "x (default)",
            "Provisioner": "p",
            "ReclaimPolicy": "Delete",
            "VolumeBindingMode": "Immediate",
            "AllowVolumeExpansion": False,
            "Age": "60s",
        },
    ),
    (
        "storage.k8s.io",
        "volumeattachments",
        {"spec": {"attacher": "a", "nodeName": "n", "source": {"persistentVolumeName": "v"}}},
        {"Attacher": "a", "PV": "v", "Node": "n", "Attached": False, "Age": "60s"},
    ),
    ("storage.k8s.io", "volumeattributesclasses", {"driverName": "d"}, {"DriverName": "d", "Age": "60s"}),
    (
        "storagemigration.k8s.io",
        "storageversionmigrations",
        {"spec": {"resource": {"group": "apps", "resource": "deployments"}}},
        {"Resource": "deployments.apps"},
    ),
]


@pytest.mark.parametrize(("group", "plural", "obj", "row"), ROWS, ids=[f"{row[1]}-{n}" for n, row in enumerate(ROWS)])
def test_row(group: str, plural: str, obj: dict[str, Any], row: dict[str, Any]) -> None:
    resource = builtin().find(group, "v1", plural)
    assert resource is not None
    shown = {column.name: column.cell({"metadata": META, **obj}, NOW) for column in resource.columns}
    assert shown == row
    assert list(shown) == list(row)


@pytest.mark.parametrize(
    ("spec", "status", "cells"),
    [
        ({"completions": 3}, {"succeeded": 1}, ("Running", "1/3", "")),
        ({}, {}, ("Running", "0/1", "")),
        ({"parallelism": 5}, {}, ("Running", "0/1 of 5", "")),
        ({}, {"startTime": "1970-01-01T00:00:20Z"}, ("Running", "0/1", "40s")),
        (
            {},
            {
                "startTime": "1970-01-01T00:00:20Z",
                "completionTime": "1970-01-01T00:00:30Z",
                "conditions": [{"type": "Complete", "status": "True"}],
            },
            ("Complete", "0/1", "10s"),
        ),
        ({}, {"conditions": [{"type": "Failed", "status": "True"}]}, ("Failed", "0/1", "")),
        ({}, {"conditions": [{"type": "Failed", "status": "False"}]}, ("Running", "0/1", "")),
        ({}, {"conditions": [{"type": "Suspended", "status": "True"}]}, ("Suspended", "0/1", "")),
        ({}, {"conditions": [{"type": "FailureTarget", "status": "True"}]}, ("FailureTarget", "0/1", "")),
    ],
)
def test_job(spec: dict[str, Any], status: dict[str, Any], cells: tuple[str, str, str]) -> None:
    resource = builtin().find("batch", "v1", "jobs")
    assert resource is not None
    obj = {"metadata": META, "spec": spec, "status": status}
    shown = {column.name: column.cell(obj, NOW) for column in resource.columns}
    assert (shown["Status"], shown["Completions"], shown["Duration"]) == cells


def test_every_kind_can_show_an_empty_object() -> None:
    for resource in builtin():
        for column in resource.columns:
            column.cell({}, NOW)
            column.cell({"metadata": None, "spec": None, "status": None}, NOW)
