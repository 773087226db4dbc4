"""Defaults of kinds that have no test file of their own.

Sources: defaults_test.go of pkg/apis/{core,apps,batch,storage,networking}/v1; pkg/registry/batch/job/strategy_test.go.
*assumed*: seLinuxMount of CSIDriver.
"""

from typing import Any

import orjson
import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.addresses import canonical_ip

DEFAULTS: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    (
        "",
        "limitranges",
        {"spec": {"limits": [{"type": "Container", "max": {"cpu": "2"}, "min": {"cpu": "1", "memory": "1Mi"}}]}},
        {
            "spec": {
                "limits": [
                    {
                        "type": "Container",
                        "max": {"cpu": "2"},
                        "min": {"cpu": "1", "memory": "1Mi"},
                        "default": {"cpu": "2"},
                        "defaultRequest": {"cpu": "2", "memory": "1Mi"},
                    }
                ]
            }
        },
    ),
    (
        "",
        "resourcequotas",
        {"spec": {"hard": {"cpu": "1500m", "pods": 5}}},
        {"spec": {"hard": {"cpu": "1500m", "pods": "5"}}},
    ),
    (
        "",
        "persistentvolumes",
        {"spec": {"capacity": {"storage": "1024Mi"}}},
        {"spec": {"capacity": {"storage": "1Gi"}}},
    ),
    (
        "",
        "persistentvolumeclaims",
        {"spec": {"resources": {"requests": {"storage": "0.5Gi"}}}},
        {"spec": {"resources": {"requests": {"storage": "512Mi"}}}},
    ),
    ("", "limitranges", {"spec": {"limits": [{"type": "Pod", "max": {"cpu": "2"}}]}}, {}),
    (
        "",
        "persistentvolumeclaims",
        {},
        {"spec": {"volumeMode": "Filesystem"}, "status": {"phase": "Pending"}},
    ),
    (
        "",
        "persistentvolumes",
        {"spec": {"hostPath": {"path": "/x"}}},
        {
            "spec": {
                "hostPath": {"path": "/x", "type": ""},
                "persistentVolumeReclaimPolicy": "Retain",
                "volumeMode": "Filesystem",
            },
            "status": {"phase": "Pending"},
        },
    ),
    (
        "apps",
        "daemonsets",
        {},
        {
            "spec": {
                "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
                "revisionHistoryLimit": 10,
            }
        },
    ),
    ("apps", "daemonsets", {"spec": {"updateStrategy": {"type": "OnDelete"}}}, {"spec": {"revisionHistoryLimit": 10}}),
    (
        "apps",
        "statefulsets",
        {"spec": {"volumeClaimTemplates": [{"metadata": {"name": "d"}}]}},
        {
            "spec": {
                "replicas": 1,
                "revisionHistoryLimit": 10,
                "podManagementPolicy": "OrderedReady",
                "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0, "maxUnavailable": 1}},
                "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
                "volumeClaimTemplates": [
                    {
                        "apiVersion": "v1",
                        "kind": "PersistentVolumeClaim",
                        "metadata": {"name": "d"},
                        "spec": {"volumeMode": "Filesystem"},
                        "status": {"phase": "Pending"},
                    }
                ],
            }
        },
    ),
    (
        "batch",
        "jobs",
        {},
        {
            "spec": {
                "completions": 1,
                "parallelism": 1,
                "backoffLimit": 6,
                "completionMode": "NonIndexed",
                "suspend": False,
                "manualSelector": False,
                "podReplacementPolicy": "TerminatingOrFailed",
            }
        },
    ),
    (
        "batch",
        "jobs",
        {
            "spec": {
                "parallelism": 2,
                "backoffLimitPerIndex": 1,
                "podFailurePolicy": {"rules": [{"onPodConditions": [{"type": "X"}]}]},
            }
        },
        {
            "spec": {
                "backoffLimit": 2147483647,
                "podReplacementPolicy": "Failed",
                "podFailurePolicy": {"rules": [{"onPodConditions": [{"type": "X", "status": "True"}]}]},
            }
        },
    ),
    (
        "batch",
        "cronjobs",
        {},
        {
            "spec": {
                "concurrencyPolicy": "Allow",
                "suspend": False,
                "successfulJobsHistoryLimit": 3,
                "failedJobsHistoryLimit": 1,
            }
        },
    ),
    ("storage.k8s.io", "storageclasses", {}, {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"}),
    (
        "storage.k8s.io",
        "csidrivers",
        {},
        {
            "spec": {
                "attachRequired": True,
                "podInfoOnMount": False,
                "storageCapacity": False,
                "fsGroupPolicy": "ReadWriteOnceWithFSType",
                "requiresRepublish": False,
                "seLinuxMount": False,
                "volumeLifecycleModes": ["Persistent"],
            }
        },
    ),
    ("networking.k8s.io", "networkpolicies", {}, {"spec": {"policyTypes": ["Ingress"]}}),
    (
        "networking.k8s.io",
        "networkpolicies",
        {"spec": {"egress": [{"ports": [{"port": 53}]}]}},
        {"spec": {"policyTypes": ["Ingress", "Egress"], "egress": [{"ports": [{"port": 53, "protocol": "TCP"}]}]}},
    ),
    (
        "",
        "replicationcontrollers",
        {"spec": {"template": {"metadata": {"labels": {"a": "b"}}}}},
        {"metadata": {"labels": {"a": "b"}}, "spec": {"replicas": 1, "selector": {"a": "b"}}},
    ),
]


def _part(whole: Any, wanted: Any) -> Any:
    """`whole` reduced to the keys that `wanted` has."""
    if isinstance(whole, dict) and isinstance(wanted, dict):
        return {key: _part(whole.get(key), value) for key, value in wanted.items()}
    return whole


@pytest.mark.parametrize(
    ("group", "plural", "obj", "wanted"), DEFAULTS, ids=[f"{d[1]}-{n}" for n, d in enumerate(DEFAULTS)]
)
def test_default(group: str, plural: str, obj: dict[str, Any], wanted: dict[str, Any]) -> None:
    resource = builtin().find(group, "v1", plural)
    assert resource is not None
    found = orjson.loads(orjson.dumps(obj))
    resource.default(found)
    assert _part(found, wanted or obj) == (wanted or obj)


@pytest.mark.parametrize("resource", list(builtin()), ids=lambda r: f"{r.api_version}/{r.plural}")
def test_defaults_are_idempotent(resource: Any) -> None:
    for obj in ({}, {"metadata": {"name": "x"}, "spec": {}, "status": {}}):
        once = orjson.loads(orjson.dumps(obj))
        resource.default(once)
        twice = orjson.loads(orjson.dumps(once))
        resource.default(twice)
        assert twice == once


def test_a_job_selects_its_pods_by_its_uid() -> None:
    jobs = builtin().find("batch", "v1", "jobs")
    assert jobs is not None
    obj: dict[str, Any] = {
        "metadata": {"name": "pi", "uid": "u1"},
        "spec": {"template": {"metadata": {"labels": {"a": "b"}}}},
    }
    jobs.prepare_for_create(obj)
    uid = "batch.kubernetes.io/controller-uid"
    assert obj["spec"]["selector"] == {"matchLabels": {uid: "u1"}}
    assert obj["spec"]["template"]["metadata"]["labels"] == {
        "a": "b",
        "job-name": "pi",
        "batch.kubernetes.io/job-name": "pi",
        "controller-uid": "u1",
        uid: "u1",
    }
    manual: dict[str, Any] = {
        "metadata": {"name": "pi"},
        "spec": {"manualSelector": True, "selector": {"matchLabels": {"x": "y"}}},
    }
    jobs.prepare_for_create(manual)
    assert manual["spec"]["selector"] == {"matchLabels": {"x": "y"}}


def test_a_job_without_labels_has_its_templates() -> None:
    jobs = builtin().find("batch", "v1", "jobs")
    assert jobs is not None
    obj: dict[str, Any] = {"spec": {"template": {"metadata": {"labels": {"a": "b"}}}}}
    jobs.default(obj)
    assert obj["metadata"]["labels"] == {"a": "b"}
    own: dict[str, Any] = {"metadata": {"labels": {"x": "y"}}, **obj["spec"]}
    jobs.default(own)
    assert own["metadata"]["labels"] == {"x": "y"}


def test_an_address_has_one_name() -> None:
    assert canonical_ip("10.0.0.1") == canonical_ip("fd00::1") == []
    assert canonical_ip("fd00:0::1") == ['must be in canonical form ("fd00::1")']
    assert canonical_ip("x") == ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]
