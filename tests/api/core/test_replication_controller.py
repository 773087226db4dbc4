"""ReplicationController. Source: TestValidateReplicationController* in pkg/apis/core/validation/validation_test.go."""

from typing import Any

import pytest

from pilothouse.api.core.replication_controller import RESOURCE
from pilothouse.api.machinery.field import FieldErrors

LABELS = {"app": "web"}
NOT_NEGATIVE = "must be greater than or equal to 0"
UNMATCHED = 'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`'


def _template(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "a", "image": "a:1"}], **spec}}


def _controller(**spec: Any) -> dict[str, Any]:
    obj: dict[str, Any] = {"metadata": {"name": "web"}, "spec": {"template": _template(), **spec}}
    RESOURCE.default(obj)
    return obj


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({}, []),
        ({"template": {**_template(), "metadata": {}}}, ["spec.selector: Required value"]),
        ({"selector": {"app": "other"}}, [UNMATCHED]),
        ({"selector": {"app": "web", "tier": "x"}}, [UNMATCHED]),
        ({"template": None, "selector": LABELS}, ["spec.template: Required value"]),
        ({"replicas": -1}, [f"spec.replicas: Invalid value: -1: {NOT_NEGATIVE}"]),
        ({"minReadySeconds": -1}, [f"spec.minReadySeconds: Invalid value: -1: {NOT_NEGATIVE}"]),
        ({"template": _template(containers=[])}, ["spec.template.spec.containers: Required value"]),
        (
            {"template": _template(restartPolicy="Never")},
            ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
        ),
        (
            {"template": _template(activeDeadlineSeconds=3)},
            [
                (
                    "spec.template.spec.activeDeadlineSeconds: Forbidden: "
                    "activeDeadlineSeconds in ReplicationController is not Supported"
                )
            ],
        ),
    ],
)
def test_validate(spec: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    RESOURCE.validate(_controller(**spec), errors)
    assert [str(error) for error in errors] == wrong


@pytest.mark.parametrize(
    ("status", "wrong"),
    [
        ({"replicas": 2, "readyReplicas": 1, "availableReplicas": 1}, []),
        ({"observedGeneration": -1}, [f"status.observedGeneration: Invalid value: -1: {NOT_NEGATIVE}"]),
        (
            {"replicas": 1, "fullyLabeledReplicas": 2},
            ["status.fullyLabeledReplicas: Invalid value: 2: cannot be greater than status.replicas"],
        ),
        (
            {"replicas": 1, "availableReplicas": 1},
            ["status.availableReplicas: Invalid value: 1: cannot be greater than readyReplicas"],
        ),
    ],
)
def test_status(status: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    RESOURCE.validate_status({"status": status}, {}, errors)
    assert [str(error) for error in errors] == wrong


def test_replicas_can_be_selected_before_there_are_any() -> None:
    assert RESOURCE.selectable_fields["status.replicas"](_controller()) == "0"
