"""Warnings for pods and templates. Expected texts: pkg/api/pod/warnings_test.go, WarningsOn* of the strategies."""

# ruff: noqa: E501 - messages are quoted whole

from typing import Any

import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.api.core.pod.warnings import warn, warn_of_workload
from pilothouse.api.machinery.view import JsonObject

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
ARCH = 'deprecated since v1.14; use "kubernetes.io/arch" instead'
NULL = "a null labelSelector results in matching no pod"
GONE = 'non-functional in v1.27+; use the "seccompProfile" field instead'
ROWS: list[tuple[JsonObject, JsonObject, list[str]]] = [
    ({}, {}, []),
    ({}, {"nodeSelector": {"beta.kubernetes.io/arch": "amd64", "a": "b"}}, [f"spec.nodeSelector[beta.kubernetes.io/arch]: {ARCH}"]),
    (
        {},
        {"affinity": {"nodeAffinity": {
            REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": [{"key": "beta.kubernetes.io/arch"}]}]},
            PREFERRED: [{"preference": {"matchExpressions": [{"key": "x"}, {"key": "beta.kubernetes.io/arch"}]}}],
        }}},
        [
            f"spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms[0].matchExpressions[0].key: beta.kubernetes.io/arch is {ARCH}",
            f"spec.affinity.nodeAffinity.{PREFERRED}[0].preference.matchExpressions[1].key: beta.kubernetes.io/arch is {ARCH}",
        ],
    ),
    (
        {},
        {"topologySpreadConstraints": [{"topologyKey": "beta.kubernetes.io/arch"}, {"topologyKey": "z", "labelSelector": {}}]},
        [
            f"spec.topologySpreadConstraints[0].topologyKey: beta.kubernetes.io/arch is {ARCH}",
            f"spec.topologySpreadConstraints[0].labelSelector: {NULL}",
        ],
    ),
    (
        {},
        {"affinity": {"podAffinity": {REQUIRED: [{}, {"labelSelector": {}}]}, "podAntiAffinity": {PREFERRED: [{"weight": 1}]}}},
        [
            f"spec.affinity.podAffinity.{REQUIRED}[0].labelSelector: {NULL}",
            f"spec.affinity.podAntiAffinity.{PREFERRED}[0].podAffinityTerm.labelSelector: {NULL}",
        ],
    ),
    (
        {"annotations": {"scheduler.alpha.kubernetes.io/critical-pod": ""}},
        {},
        ['metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the "priorityClassName" field instead'],
    ),
    (
        {},
        {"volumes": [{"name": "a", "gitRepo": {}}, {"name": "b", "storageos": {}}, {"name": "c", "emptyDir": {}}]},
        [
            "spec.volumes[0].gitRepo: deprecated in v1.11",
            "spec.volumes[1].storageOS: deprecated in v1.22, non-functional in v1.25+",
        ],
    ),
    (
        {},
        {"hostAliases": [{"ip": "1.1.1.1"}, {"ip": "1.1.1.1"}], "imagePullSecrets": [{"name": "a"}, {"name": "a"}, {}]},
        [
            'spec.hostAliases[1].ip: duplicate ip "1.1.1.1"',
            'spec.imagePullSecrets[1].name: duplicate name "a"',
            'spec.imagePullSecrets[2].name: invalid empty name ""',
        ],
    ),
    (
        {},
        {"containers": [{"resources": {"limits": {"memory": "100m", "cpu": "100m"}, "requests": {"ephemeral-storage": "1500m"}}}]},
        [
            'spec.containers[0].resources.limits[memory]: fractional byte value "100m" is invalid, must be an integer',
            'spec.containers[0].resources.requests[ephemeral-storage]: fractional byte value "1500m" is invalid, must be an integer',
        ],
    ),
    ({}, {"overhead": {"memory": "1m"}}, ['spec.overhead[memory]: fractional byte value "1m" is invalid, must be an integer']),
    (
        {},
        {"containers": [{"env": [
            {"name": "A", "value": "1"}, {"name": "A", "value": "$(A)2"}, {"name": "A", "value": "$(A)"},
            {"name": "A", "value": "3"}, {"name": "A", "valueFrom": {}}, {"name": "B"},
        ]}]},
        [
            f'spec.containers[0].env[{n}]: hides previous definition of "A", which may be dropped when using apply'
            for n in (2, 3, 4)
        ],
    ),
    (
        {},
        {
            "initContainers": [{"ports": [{"containerPort": 80, "protocol": "TCP"}]}],
            "containers": [
                {"ports": [{"containerPort": 80, "protocol": "TCP"}, {"containerPort": 80, "protocol": "UDP"}]},
                {"ports": [{"containerPort": 80, "protocol": "UDP", "hostPort": 8080}]},
            ],
        },
        [
            "spec.containers[0].ports[0]: duplicate port definition with spec.initContainers[0].ports[0]",
            "spec.containers[1].ports[0]: overlapping port definition with spec.containers[0].ports[1]",
        ],
    ),
    (
        {},
        {"containers": [{"ports": [
            {"containerPort": 80, "protocol": "TCP", "hostPort": 80},
            {"containerPort": 80, "protocol": "TCP", "hostPort": 80, "hostIP": "10.0.0.1"},
            {"containerPort": 80, "protocol": "TCP", "hostPort": 81},
        ]}]},
        ["spec.containers[0].ports[1]: dangerously ambiguous port definition with spec.containers[0].ports[0]"],
    ),
    (
        {},
        {"containers": [{"ports": [{"containerPort": 80, "protocol": "TCP", "hostIP": "10.0.0.1"}]}]},
        ["spec.containers[0].ports[0]: hostIP set without hostPort: {Name: HostPort:0 ContainerPort:80 Protocol:TCP HostIP:10.0.0.1}"],
    ),
    (
        {},
        {"terminationGracePeriodSeconds": -1},
        ["spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"],
    ),
    (
        {"annotations": {"seccomp.security.alpha.kubernetes.io/pod": "x", "container.seccomp.security.alpha.kubernetes.io/c": "x"}},
        {"containers": [{"name": "c"}]},
        [
            f"metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: {GONE}",
            f"metadata.annotations[container.seccomp.security.alpha.kubernetes.io/c]: {GONE}",
        ],
    ),
    (
        {"annotations": {"seccomp.security.alpha.kubernetes.io/pod": "x"}},
        {"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}},
        [],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("metadata", "spec", "expected"), ROWS)
def test_of_a_pod(metadata: JsonObject, spec: JsonObject, expected: list[str]) -> None:
    pod: dict[str, Any] = {"metadata": {"name": "web", **metadata}, "spec": spec}
    assert warn(pod, None) == expected
    assert warn(pod, pod) == [], "whoever changes a pod is rarely its author"


@pytest.mark.parametrize(("metadata", "spec", "expected"), ROWS)
def test_of_a_template(metadata: JsonObject, spec: JsonObject, expected: list[str]) -> None:
    made: dict[str, Any] = {"metadata": {"name": "web"}, "spec": {"template": {"metadata": metadata, "spec": spec}}}
    prefixed = [f"spec.template.{text}" for text in expected]
    prefixed = [text.replace(" with spec.", " with spec.template.spec.") for text in prefixed]
    assert warn_of_workload(made, None) == prefixed
    old = {"metadata": {"generation": 1}, "spec": {}}
    assert warn_of_workload({**made, "metadata": {"generation": 2}}, old) == prefixed
    assert warn_of_workload({**made, "metadata": {"generation": 1}}, old) == []


@pytest.mark.parametrize(
    ("group", "plural", "named"),
    [
        ("apps", "deployments", True),
        ("apps", "replicasets", True),
        ("apps", "statefulsets", True),
        ("apps", "daemonsets", False),
        ("batch", "jobs", True),
        ("", "replicationcontrollers", True),
    ],
)
def test_workloads_warn(group: str, plural: str, named: bool) -> None:
    resource = builtin().find(group, "v1", plural)
    assert resource is not None
    assert resource.warn is not None
    spec = {"template": {"spec": {"terminationGracePeriodSeconds": -1}}}
    found = resource.warn({"metadata": {"name": "a.b"}, "spec": spec}, None)
    assert [text.partition(":")[0] for text in found] == [
        *(["metadata.name"] if named else []),
        "spec.template.spec.terminationGracePeriodSeconds",
    ]


def test_profiles_of_app_armor_are_a_matter_of_templates() -> None:
    key = "container.apparmor.security.beta.kubernetes.io/c"
    metadata, spec = {"name": "web", "annotations": {key: "unconfined"}}, {"containers": [{"name": "c"}]}
    assert warn({"metadata": metadata, "spec": spec}, None) == []
    made: dict[str, Any] = {"metadata": {"name": "web"}, "spec": {"template": {"metadata": metadata, "spec": spec}}}
    assert warn_of_workload(made, None) == [
        f'spec.template.metadata.annotations[{key}]: deprecated since v1.30; use the "appArmorProfile" field instead'
    ]
    spec["securityContext"] = {"appArmorProfile": {"type": "Unconfined"}}  # type: ignore[assignment]
    assert warn_of_workload(made, None) == []


def test_of_names() -> None:
    words = "which can result in surprising behavior; a DNS label is recommended: [must not contain dots]"
    named = {"metadata": {"name": "a.b"}}
    assert warn(named, None) == [f"metadata.name: this is used in the Pod's hostname, {words}"]
    assert warn_of_workload(named, None) == [f"metadata.name: this is used in Pod names and hostnames, {words}"]
