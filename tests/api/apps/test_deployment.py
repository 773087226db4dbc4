"""Deployment. Sources: pkg/apis/apps/v1/defaults_test.go, TestValidateDeployment* in
pkg/apis/apps/validation/validation_test.go, TestPrintDeployment in pkg/printers/internalversion/printers_test.go.
"""

from typing import Any

import pytest

from pilothouse.api.apps.deployment import RESOURCE
from pilothouse.api.machinery.field import FieldErrors

LABELS = {"app": "web"}


def _template(**spec: Any) -> dict[str, Any]:
    containers = [{"name": "app", "image": "web:1"}]
    return {"metadata": {"labels": LABELS}, "spec": {"containers": containers, **spec}}


def _deployment(**spec: Any) -> dict[str, Any]:
    base = {"selector": {"matchLabels": LABELS}, "template": _template()}
    obj: dict[str, Any] = {"metadata": {"name": "web"}, "spec": {**base, **spec}}
    RESOURCE.default(obj)
    return obj


def _errors(obj: dict[str, Any]) -> list[str]:
    errors = FieldErrors()
    RESOURCE.validate(obj, errors)
    return [str(error) for error in errors]


def test_default() -> None:
    spec = _deployment()["spec"]
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}
    assert (spec["replicas"], spec["revisionHistoryLimit"], spec["progressDeadlineSeconds"]) == (1, 10, 600)
    assert spec["template"]["spec"]["restartPolicy"] == "Always"


def test_what_is_said_stays() -> None:
    spec = _deployment(replicas=0, strategy={"type": "Recreate"}, revisionHistoryLimit=0)["spec"]
    assert (spec["replicas"], spec["strategy"], spec["revisionHistoryLimit"]) == (0, {"type": "Recreate"}, 0)
    spec = _deployment(strategy={"rollingUpdate": {"maxSurge": 0}})["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": "25%"}


ROLLING = "spec.strategy.rollingUpdate"


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({}, []),
        (
            {"template": {**_template(), "metadata": {}}},
            ["spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`"],
        ),
        ({"replicas": -1}, ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"]),
        (
            {"selector": None},
            [
                "spec.selector: Required value",
                (
                    'spec.template.metadata.labels: Invalid value: {"app":"web"}: '
                    "`selector` does not match template `labels`"
                ),
            ],
        ),
        ({"selector": {}}, ["spec.selector: Invalid value: {}: empty selector is invalid for deployment"]),
        (
            {"selector": {"matchLabels": {"app": "other"}}},
            [
                (
                    'spec.template.metadata.labels: Invalid value: {"app":"web"}: '
                    "`selector` does not match template `labels`"
                )
            ],
        ),
        (
            {"template": _template(restartPolicy="Never")},
            ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
        ),
        (
            {"template": _template(activeDeadlineSeconds=5)},
            [
                (
                    "spec.template.spec.activeDeadlineSeconds: Forbidden: "
                    "activeDeadlineSeconds in ReplicaSet is not Supported"
                )
            ],
        ),
        (
            {"strategy": {"type": "Blue"}},
            [
                (
                    'spec.strategy: Unsupported value: {"Type":"Blue","RollingUpdate":null}: '
                    'supported values: "Recreate", "RollingUpdate"'
                )
            ],
        ),
        (
            {"strategy": {"type": "Recreate", "rollingUpdate": {}}},
            [f"{ROLLING}: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
        ),
        (
            {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}}},
            [f'{ROLLING}.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0'],
        ),
        (
            {"strategy": {"rollingUpdate": {"maxUnavailable": "101%"}}},
            [f'{ROLLING}.maxUnavailable: Invalid value: "101%": must not be greater than 100%'],
        ),
        (
            {"strategy": {"rollingUpdate": {"maxSurge": "some"}}},
            [
                (
                    f'{ROLLING}.maxSurge: Invalid value: "some": a valid percent string must be a numeric string '
                    "followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
                )
            ],
        ),
        (
            {"minReadySeconds": 600},
            ["spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds"],
        ),
        (
            {"revisionHistoryLimit": -1},
            ["spec.revisionHistoryLimit: Invalid value: -1: must be greater than or equal to 0"],
        ),
    ],
)
def test_validate(spec: dict[str, Any], wrong: list[str]) -> None:
    assert _errors(_deployment(**spec)) == wrong


def test_a_bad_selector_is_not_matched() -> None:
    obj = _deployment(selector={"matchExpressions": [{"key": "app", "operator": "Near"}]})
    assert [error.rpartition(": ")[2] for error in _errors(obj)] == [
        "not a valid selector operator",
        "invalid label selector",
    ]


def test_the_template_is_checked() -> None:
    assert [error.partition(":")[0] for error in _errors(_deployment(template=_template(containers=[])))] == [
        "spec.template.spec.containers"
    ]


def test_the_selector_stays() -> None:
    errors = FieldErrors()
    RESOURCE.validate_update(_deployment(selector={"matchLabels": {"a": "b"}}), _deployment(), errors)
    assert [str(e) for e in errors] == ['spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: field is immutable']


@pytest.mark.parametrize(
    ("status", "wrong"),
    [
        ({"replicas": 2, "readyReplicas": 2, "availableReplicas": 1, "updatedReplicas": 2, "collisionCount": 1}, []),
        (
            {"terminatingReplicas": -1},
            ["status.terminatingReplicas: Invalid value: -1: must be greater than or equal to 0"],
        ),
        (
            {"unavailableReplicas": -1},
            ["status.unavailableReplicas: Invalid value: -1: must be greater than or equal to 0"],
        ),
        (
            {"replicas": 1, "updatedReplicas": 2},
            ["status.updatedReplicas: Invalid value: 2: cannot be greater than status.replicas"],
        ),
        (
            {"replicas": 2, "readyReplicas": 1, "availableReplicas": 2},
            ["status.availableReplicas: Invalid value: 2: cannot be greater than readyReplicas"],
        ),
    ],
)
def test_status(status: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    RESOURCE.validate_status({"status": status}, {"status": {}}, errors)
    assert [str(error) for error in errors] == wrong


def test_collisions_only_grow() -> None:
    errors = FieldErrors()
    RESOURCE.validate_status({"status": {}}, {"status": {"collisionCount": 2}}, errors)
    assert [str(error) for error in errors] == ["status.collisionCount: Invalid value: 0: cannot be decremented"]


def test_columns() -> None:
    obj = _deployment(replicas=5)
    obj["status"] = {"readyReplicas": 2, "updatedReplicas": 1, "availableReplicas": 2}
    row = {column.name: column.cell(obj, 0) for column in RESOURCE.columns}
    assert row == {
        "Ready": "2/5",
        "Up-to-date": 1,
        "Available": 2,
        "Age": "<unknown>",
        "Containers": "app",
        "Images": "web:1",
        "Selector": "app=web",
    }


def test_scale() -> None:
    scale = RESOURCE.subresource("scale")
    assert scale is not None
    assert scale.scale is not None
    assert scale.scale.selector == ("spec", "selector")


@pytest.mark.parametrize("labels", [None, {"a": "b"}])
def test_status_writers_change_neither_spec_nor_labels(labels: dict[str, str] | None) -> None:
    """Source: deploymentStatusStrategy in pkg/registry/apps/deployment/strategy.go."""
    status = RESOURCE.subresource("status")
    assert status is not None
    assert status.prepare is not None
    old: dict[str, Any] = {"metadata": {"annotations": {}}, "spec": {"replicas": 1}, "status": {"replicas": 1}}
    if labels:
        old["metadata"]["labels"] = labels
    new: dict[str, Any] = {
        "metadata": {"labels": {"x": "y"}, "annotations": {"x": "y"}},
        "spec": {"replicas": 2},
        "status": {"replicas": 2},
    }
    status.prepare(new, old)
    assert (new["spec"], new["status"]) == ({"replicas": 1}, {"replicas": 2})
    assert new["metadata"] == {"annotations": {"x": "y"}} | ({"labels": labels} if labels else {})
