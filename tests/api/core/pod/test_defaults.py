"""Defaults of pods and templates. Expected values: pkg/apis/core/v1/defaults.go and the `+default` markers."""

# ruff: noqa: E501 - messages are quoted whole

import orjson
import pytest

from pilothouse.api.core.pod.defaults import default, default_pod_spec, default_pod_template
from pilothouse.api.machinery.view import JsonObject


def defaulted(**spec: object) -> JsonObject:
    pod: JsonObject = {"spec": {"containers": [{"name": "c", "image": "i:1"}], **spec}}
    default(pod)
    once = orjson.dumps(pod)
    default(pod)
    assert orjson.dumps(pod) == once, "defaulting is idempotent"
    result: JsonObject = pod["spec"]
    return result


def container(**fields: object) -> JsonObject:
    result: JsonObject = defaulted(containers=[{"name": "c", "image": "i:1", **fields}])["containers"][0]
    return result


def test_the_smallest_pod() -> None:
    assert defaulted() == {
        "containers": [
            {
                "name": "c",
                "image": "i:1",
                "imagePullPolicy": "IfNotPresent",
                "resources": {},
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
            }
        ],
        "dnsPolicy": "ClusterFirst",
        "enableServiceLinks": True,
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
    }


def test_a_template_gets_what_all_pod_specs_get_and_no_more() -> None:
    template: JsonObject = {
        "spec": {
            "hostNetwork": True,
            "containers": [
                {"name": "c", "image": "i", "ports": [{"containerPort": 80}], "resources": {"limits": {"cpu": "1"}}}
            ],
        }
    }
    default_pod_template(template)
    spec = template["spec"]
    assert template["metadata"] == {}
    assert spec["containers"][0]["imagePullPolicy"] == "Always"
    assert spec["containers"][0]["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert spec["containers"][0]["resources"] == {"limits": {"cpu": "1"}}
    assert "enableServiceLinks" not in spec
    default_pod_spec(spec)
    assert spec["containers"][0]["ports"] == [{"containerPort": 80, "protocol": "TCP", "hostPort": 80}]
    assert spec["containers"][0]["resources"]["requests"] == {"cpu": "1"}
    assert spec["enableServiceLinks"] is True


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"limits": {"cpu": "1"}}, {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}),
        (
            {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}},
            {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m", "memory": "1Gi"}},
        ),
        ({"requests": {"cpu": 2}}, {"requests": {"cpu": "2"}}),
        ({"requests": {"cpu": 0.5}}, {"requests": {"cpu": "500m"}}),
        ({"requests": {"cpu": "1000m"}}, {"requests": {"cpu": "1"}}),
        ({"requests": {"cpu": "100u"}}, {"requests": {"cpu": "1m"}}),
        ({"requests": {"memory": "1024Mi"}}, {"requests": {"memory": "1Gi"}}),
        ({}, {}),
    ],
)
def test_requests_follow_limits_and_amounts_are_canonical(given: JsonObject, expected: JsonObject) -> None:
    assert container(resources=given)["resources"] == expected


def test_probes_and_hooks() -> None:
    made = container(
        livenessProbe={"httpGet": {"port": 80}},
        readinessProbe={"grpc": {"port": 80}, "periodSeconds": 3},
        lifecycle={"preStop": {"httpGet": {"port": 80}}},
    )
    probe = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
    http = {"port": 80, "path": "/", "scheme": "HTTP"}
    assert made["livenessProbe"] == {**probe, "httpGet": http}
    assert made["readinessProbe"] == {**probe, "periodSeconds": 3, "grpc": {"port": 80, "service": ""}}
    assert made["lifecycle"] == {"preStop": {"httpGet": http}}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"fieldRef": {"fieldPath": "metadata.name"}}, {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}),
        ({"resourceFieldRef": {"resource": "limits.cpu"}}, {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "0"}}),
    ],
)  # fmt: skip
def test_references_to_own_fields(source: JsonObject, expected: JsonObject) -> None:
    assert container(env=[{"name": "A", "valueFrom": source}])["env"] == [{"name": "A", "valueFrom": expected}]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({}, {"emptyDir": {}}),
        ({"secret": {"secretName": "s"}}, {"secret": {"secretName": "s", "defaultMode": 420}}),
        ({"configMap": {"name": "s", "defaultMode": 256}}, {"configMap": {"name": "s", "defaultMode": 256}}),
        ({"hostPath": {"path": "/"}}, {"hostPath": {"path": "/", "type": ""}}),
        ({"image": {"reference": "a"}}, {"image": {"reference": "a", "pullPolicy": "Always"}}),
        ({"emptyDir": {"sizeLimit": "1024Mi"}}, {"emptyDir": {"sizeLimit": "1Gi"}}),
        (
            {"projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
            {"projected": {"defaultMode": 420, "sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 3600}}]}},
        ),
        (
            {"downwardAPI": {"items": [{"path": "p", "fieldRef": {"fieldPath": "f"}}]}},
            {"downwardAPI": {"defaultMode": 420, "items": [{"path": "p", "fieldRef": {"apiVersion": "v1", "fieldPath": "f"}}]}},
        ),
        (
            {"ephemeral": {"volumeClaimTemplate": {"spec": {}}}},
            {"ephemeral": {"volumeClaimTemplate": {"metadata": {}, "spec": {"volumeMode": "Filesystem"}}}},
        ),
        ({"iscsi": {}}, {"iscsi": {"iscsiInterface": "default"}}),
        ({"rbd": {}}, {"rbd": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"}}),
        (
            {"azureDisk": {}},
            {"azureDisk": {"fsType": "ext4", "cachingMode": "ReadWrite", "kind": "Shared", "readOnly": False}},
        ),
        ({"scaleIO": {}}, {"scaleIO": {"storageMode": "ThinProvisioned", "fsType": "xfs"}}),
    ],
)  # fmt: skip
def test_volumes(source: JsonObject, expected: JsonObject) -> None:
    assert defaulted(volumes=[{"name": "v", **source}])["volumes"] == [{"name": "v", **expected}]


@pytest.mark.parametrize(
    ("given", "expected"),
    [({"serviceAccount": "a"}, "a"), ({"serviceAccountName": "b", "serviceAccount": "a"}, "b")],
)
def test_both_names_of_the_service_account_are_served(given: JsonObject, expected: str) -> None:
    spec = defaulted(**given)
    assert (spec["serviceAccount"], spec["serviceAccountName"]) == (expected, expected)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"podIP": "1.1.1.1"}, {"podIP": "1.1.1.1", "podIPs": [{"ip": "1.1.1.1"}]}),
        ({"podIPs": [{"ip": "1.1.1.1"}]}, {"podIP": "1.1.1.1", "podIPs": [{"ip": "1.1.1.1"}]}),
        ({"podIP": "2.2.2.2", "podIPs": [{"ip": "1.1.1.1"}]}, {"podIP": "2.2.2.2", "podIPs": [{"ip": "2.2.2.2"}]}),
    ],
)
def test_the_pods_address_and_the_list_agree(given: JsonObject, expected: JsonObject) -> None:
    pod: JsonObject = {"spec": {}, "status": given}
    default(pod)
    assert pod["status"] == expected
