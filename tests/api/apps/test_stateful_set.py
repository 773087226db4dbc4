"""StatefulSet. Sources: TestValidateStatefulSet* in pkg/apis/apps/validation/validation_test.go, defaults_test.go of
apps/v1 (maxUnavailable is defaulted since its gate is on, in 1.37).
"""

from typing import Any

import pytest

from pilothouse.api.apps.stateful_set import RESOURCE
from pilothouse.api.machinery.field import FieldErrors

LABELS = {"app": "db"}
ROLLING = "spec.updateStrategy.rollingUpdate"
NOT_NEGATIVE = "must be greater than or equal to 0"
FIXED = (
    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
    "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are "
    "forbidden"
)


def _template(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "a", "image": "a:1"}], **spec}}


def _stateful_set(**spec: Any) -> dict[str, Any]:
    base = {"selector": {"matchLabels": LABELS}, "template": _template(), "serviceName": "db"}
    obj: dict[str, Any] = {"metadata": {"name": "db"}, "spec": {**base, **spec}}
    RESOURCE.default(obj)
    return obj


def _rolling(**values: Any) -> dict[str, Any]:
    return {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": values}}


def _mounting(*names: str, **spec: Any) -> dict[str, Any]:
    mounts = [{"name": name, "mountPath": f"/{name}"} for name in names]
    return _template(containers=[{"name": "a", "image": "a:1", "volumeMounts": mounts}], **spec)


@pytest.mark.parametrize(
    ("strategy", "defaulted"),
    [
        (None, {"type": "RollingUpdate", "rollingUpdate": {"partition": 0, "maxUnavailable": 1}}),
        ({"type": "RollingUpdate"}, {"type": "RollingUpdate"}),
        ({"type": "OnDelete"}, {"type": "OnDelete"}),
        (
            {"type": "RollingUpdate", "rollingUpdate": {"partition": 2, "maxUnavailable": "10%"}},
            {"type": "RollingUpdate", "rollingUpdate": {"partition": 2, "maxUnavailable": "10%"}},
        ),
    ],
)
def test_default(strategy: dict[str, Any] | None, defaulted: dict[str, Any]) -> None:
    assert _stateful_set(updateStrategy=strategy)["spec"]["updateStrategy"] == defaulted


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({}, []),
        ({"podManagementPolicy": "Parallel", "replicas": 0, "ordinals": {"start": 3}}, []),
        (
            {"podManagementPolicy": "Wild"},
            ["spec.podManagementPolicy: Invalid value: \"Wild\": must be 'OrderedReady' or 'Parallel'"],
        ),
        (
            {"updateStrategy": {"type": "Foo"}},
            [
                (
                    'spec.updateStrategy: Invalid value: {"Type":"Foo","RollingUpdate":null}: '
                    "must be 'RollingUpdate' or 'OnDelete'"
                )
            ],
        ),
        (
            {"updateStrategy": {"type": "OnDelete", "rollingUpdate": {"partition": 1}}},
            [
                (
                    f'{ROLLING}: Invalid value: {{"Partition":1,"MaxUnavailable":null}}: '
                    "only allowed for updateStrategy 'RollingUpdate'"
                )
            ],
        ),
        (_rolling(partition=-1), [f"{ROLLING}.partition: Invalid value: -1: {NOT_NEGATIVE}"]),
        (_rolling(maxUnavailable=0), [f"{ROLLING}.maxUnavailable: Invalid value: 0: cannot be 0"]),
        (_rolling(maxUnavailable="0%"), [f'{ROLLING}.maxUnavailable: Invalid value: "0%": cannot be 0']),
        (
            _rolling(maxUnavailable="101%"),
            [f'{ROLLING}.maxUnavailable: Invalid value: "101%": must not be greater than 100%'],
        ),
        (
            {"persistentVolumeClaimRetentionPolicy": {"whenScaled": "Keep"}},
            [
                (
                    'spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "Keep": '
                    'supported values: "Retain", "Delete"'
                )
            ],
        ),
        ({"replicas": -1}, [f"spec.replicas: Invalid value: -1: {NOT_NEGATIVE}"]),
        ({"minReadySeconds": -1}, [f"spec.minReadySeconds: Invalid value: -1: {NOT_NEGATIVE}"]),
        ({"ordinals": {"start": -1}}, [f"spec.ordinals.start: Invalid value: -1: {NOT_NEGATIVE}"]),
        (
            {"selector": None},
            [
                "spec.selector: Required value",
                (
                    'spec.template.metadata.labels: Invalid value: {"app":"db"}: '
                    "`selector` does not match template `labels`"
                ),
            ],
        ),
        (
            {"selector": {"matchExpressions": [{"key": "app", "operator": "Near"}]}},
            [
                'spec.selector.matchExpressions[0].operator: Invalid value: "Near": not a valid selector operator',
                'spec.selector: Invalid value: {"matchExpressions":[{"key":"app","operator":"Near"}]}',
            ],
        ),
        ({"selector": {}}, ["spec.selector: Invalid value: {}: empty selector is invalid for statefulset"]),
        (
            {"template": _template(restartPolicy="Never")},
            ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
        ),
        (
            {"template": _template(activeDeadlineSeconds=5)},
            [
                (
                    "spec.template.spec.activeDeadlineSeconds: Forbidden: "
                    "activeDeadlineSeconds in StatefulSet is not Supported"
                )
            ],
        ),
    ],
)
def test_validate(spec: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    RESOURCE.validate(_stateful_set(**spec), errors)
    assert [str(error) for error in errors] == wrong


CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
CLAIMS = [{"metadata": {"name": "data"}, "spec": CLAIM}]
OWN = [{"name": "data", "emptyDir": {}}]


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({}, []),
        ({"serviceName": None}, []),
        ({"serviceName": "a.b"}, ['spec.serviceName: Invalid value: "a.b": must not contain dots']),
        ({"template": _template(containers=[])}, ["spec.template.spec.containers: Required value"]),
        (
            {"template": _mounting("data")},
            ['spec.template.spec.containers[0].volumeMounts[0].name: Not found: "data"'],
        ),
        ({"template": _mounting("data"), "volumeClaimTemplates": CLAIMS}, []),
        (
            {"volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {**CLAIM, "accessModes": []}}]},
            ["spec.volumeClaimTemplates[0].spec.accessModes: Required value: at least 1 access mode is required"],
        ),
        ({"template": _mounting("data", volumes=OWN), "volumeClaimTemplates": CLAIMS}, []),
        (
            {"template": _mounting("data", "log"), "volumeClaimTemplates": CLAIMS},
            ['spec.template.spec.containers[0].volumeMounts[1].name: Not found: "log"'],
        ),
    ],
)  # fmt: skip
def test_what_is_asked_of_new_ones(spec: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    RESOURCE.validate_create(_stateful_set(**spec), errors)
    assert [str(error) for error in errors] == wrong


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ({}, {"replicas": 3, "ordinals": {"start": 2}, "minReadySeconds": 4, "revisionHistoryLimit": 3}, []),
        ({}, {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}, **_rolling(partition=2)}, []),
        ({}, {"serviceName": "other"}, [FIXED]),
        ({}, {"podManagementPolicy": "Parallel"}, [FIXED]),
        ({}, {"volumeClaimTemplates": CLAIMS}, [FIXED]),
        ({}, {"selector": {"matchLabels": {"app": "db", "a": "b"}}}, [FIXED]),
        ({}, {"template": _template(containers=[])}, ["spec.template.spec.containers: Required value"]),
        ({"serviceName": "a.b"}, {"serviceName": "a.b", "replicas": 2}, []),
        ({"template": _mounting("gone")}, {"template": _mounting("gone", "too")}, []),
    ],
)
def test_update(old: dict[str, Any], new: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    RESOURCE.validate_update(_stateful_set(**new), _stateful_set(**old), errors)
    assert [str(error) for error in errors] == wrong


@pytest.mark.parametrize(
    ("status", "wrong"),
    [
        ({"replicas": 3, "readyReplicas": 2, "availableReplicas": 2, "collisionCount": 2}, []),
        ({"observedGeneration": -1}, [f"status.observedGeneration: Invalid value: -1: {NOT_NEGATIVE}"]),
        ({"currentReplicas": 1}, ["status.currentReplicas: Invalid value: 1: cannot be greater than status.replicas"]),
        (
            {"replicas": 2, "readyReplicas": 1, "availableReplicas": 2},
            ["status.availableReplicas: Invalid value: 2: cannot be greater than status.readyReplicas"],
        ),
        ({"collisionCount": 0}, ["status.collisionCount: Invalid value: 0: cannot be decremented"]),
    ],
)
def test_status(status: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    RESOURCE.validate_status({"status": {"collisionCount": 1} | status}, {"status": {"collisionCount": 1}}, errors)
    assert [str(error) for error in errors] == wrong


@pytest.mark.parametrize(("name", "good"), [("db", True), ("db.a", False), ("d" * 64, False)])
def test_its_name_is_part_of_hostnames(name: str, good: bool) -> None:
    assert (not RESOURCE.validate_name(name)) is good


def test_columns() -> None:
    obj = {**_stateful_set(replicas=3), "status": {"readyReplicas": 2}}
    assert [column.cell(obj, 0) for column in RESOURCE.columns] == ["2/3", "<unknown>", "a", "a:1"]
