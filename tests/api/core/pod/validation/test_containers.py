"""Rules of containers. Expected texts: pkg/apis/core/validation/validation.go, where not marked *assumed*."""

import pytest

from pilothouse.api.core.pod import RESOURCE
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.view import JsonObject

ONLY_SIDECARS = "may not be set for init containers without restartPolicy=Always"


def problems(container: JsonObject, **spec: object) -> list[str]:
    body: JsonObject = {
        "metadata": {"name": "web"},
        "spec": {
            "containers": [{"name": "c", "image": "i", **container}],
            "volumes": [{"name": "v"}, {"name": "p", "persistentVolumeClaim": {"claimName": "x"}}],
            **spec,
        },
    }
    RESOURCE.default(body)
    errors = FieldErrors()
    RESOURCE.validate(body, errors)
    return [str(error).removeprefix("spec.containers[0].") for error in errors]


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ({"name": ""}, "name: Required value"),
        ({"name": "a.b"}, 'name: Invalid value: "a.b": must not contain dots'),
        ({"image": ""}, "image: Required value"),
        ({"image": " i"}, 'image: Invalid value: " i": must not have leading or trailing whitespace'),
        (
            {"imagePullPolicy": "X"},
            'imagePullPolicy: Unsupported value: "X": supported values: "Always", "IfNotPresent", "Never"',
        ),
        (
            {"terminationMessagePolicy": "X"},
            'terminationMessagePolicy: Unsupported value: "X": supported values: "File", "FallbackToLogsOnError"',
        ),
        ({"ports": [{}]}, "ports[0].containerPort: Required value"),
        (
            {"ports": [{"containerPort": 70000}]},
            "ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
        ),
        (
            {"ports": [{"containerPort": 1, "protocol": "X"}]},
            'ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
        ),
        (
            {"ports": [{"containerPort": 1, "name": "a"}, {"containerPort": 2, "name": "a"}]},
            'ports[1].name: Duplicate value: "a"',
        ),
        (
            {"ports": [{"containerPort": 1, "hostPort": 8}, {"containerPort": 2, "hostPort": 8}]},
            'ports[1].hostPort: Duplicate value: "TCP//8"',
        ),
        (
            {"resizePolicy": [{"resourceName": "disk", "restartPolicy": "NotRequired"}]},
            'resizePolicy: Unsupported value: "disk": supported values: "cpu", "memory"',
        ),
        (
            {"restartPolicy": "X"},
            'restartPolicy: Unsupported value: "X": supported values: "Always", "Never", "OnFailure"',  # assumed
        ),
        (
            {"restartPolicyRules": [{"action": "Restart", "exitCodes": {"operator": "In", "values": [1]}}]},
            "restartPolicy: Required value: must specify restartPolicy when restart rules are used",  # assumed
        ),
    ],
)
def test_what_is_wrong_with_a_container(container: JsonObject, expected: str) -> None:
    assert problems(container) == [expected]


def test_names_are_unique_over_all_kinds() -> None:
    one = {"name": "c", "image": "i"}
    found = problems({}, initContainers=[one], ephemeralContainers=[one])
    assert found == [
        'spec.initContainers[0].name: Duplicate value: "c"',
        'spec.ephemeralContainers[0].name: Duplicate value: "c"',
    ]
    assert problems({}, containers=[one, one]) == ['spec.containers[1].name: Duplicate value: "c"']


@pytest.mark.parametrize("field", ["livenessProbe", "readinessProbe", "startupProbe"])
def test_only_sidecars_are_probed_among_init_containers(field: str) -> None:
    container = {"name": "i", "image": "i", field: {"tcpSocket": {"port": 1}}}
    assert problems({}, initContainers=[container]) == [f"spec.initContainers[0].{field}: Forbidden: {ONLY_SIDECARS}"]
    assert problems({}, initContainers=[{**container, "restartPolicy": "Always"}]) == []


def test_init_containers_may_use_the_same_host_port_one_after_the_other() -> None:
    ports = [{"containerPort": 1, "hostPort": 8}]
    inits = [{"name": "a", "image": "i", "ports": ports}, {"name": "b", "image": "i", "ports": ports}]
    assert problems({"ports": ports}, initContainers=inits) == []


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ({"ports": [{"containerPort": 1}]}, "ports: Forbidden: cannot be set for an Ephemeral Container"),
        ({"resources": {"limits": {"cpu": "1"}}}, "resources: Forbidden: cannot be set for an Ephemeral Container"),
        (
            {"livenessProbe": {"tcpSocket": {"port": 1}}},
            "livenessProbe: Forbidden: cannot be set for an Ephemeral Container",
        ),
        (
            {"volumeMounts": [{"name": "v", "mountPath": "/v", "subPath": "x"}]},
            "volumeMounts[0].subPath: Forbidden: cannot be set for an Ephemeral Container",
        ),
        ({"targetContainerName": "zz"}, 'targetContainerName: Not found: "zz"'),
    ],
)
def test_what_an_ephemeral_container_may_not_have(container: JsonObject, expected: str) -> None:
    found = problems({}, ephemeralContainers=[{"name": "e", "image": "i", **container}])
    assert found == [f"spec.ephemeralContainers[0].{expected}"]


def test_with_restart_policy_never_a_resize_cannot_restart() -> None:
    container = {"resizePolicy": [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]}
    assert problems(container) == []
    assert problems(container, restartPolicy="Never") == [
        "resizePolicy: Invalid value: \"RestartContainer\": must be 'NotRequired' when `restartPolicy` is 'Never'"
    ]
